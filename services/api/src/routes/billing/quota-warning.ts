/**
 * `GET /v1/billing/quota-warning`: whether a quota is running out, by the thresholds that the account has set, or 80 %.
 * It looks now: also where no warning was sent, because warnings are turned off. A quota that is used up is always told.
 */
import { grantsQuota, type QuotaWarning, quotaWarnings, type Wallet } from '@tallystick/domain';
import { Type } from 'typebox';
import type { Api, App } from '../../api.ts';
import { found } from '../../schemas.ts';
import { walletNow } from '../../wallet-now.ts';
import { accountOf, ReadQuery } from './account.ts';

const Warning = Type.Object({ quota_warning: Type.Boolean(), message: Type.String() });

export function quotaWarningRoute(app: App, api: Api): void {
  app.get(
    '/v1/billing/quota-warning',
    {
      config: { access: { scopes: ['read'], ownAccount: 'checked' } },
      schema: {
        tags: ['billing'],
        summary: 'Read whether a quota of an account is running out',
        querystring: ReadQuery,
        response: found(Warning),
      },
    },
    async ({ principal, query }) => {
      const wallet = await walletNow(api, accountOf(principal, query.account));
      return warningOf(wallet, quotaWarnings(wallet, api.now()));
    },
  );
}

const FULL = 100;

function warningOf({ subscription }: Readonly<Wallet>, windows: readonly QuotaWarning[]) {
  let fullest: QuotaWarning | null = null;
  for (const each of windows) {
    const isTold = each.reached.length > 0 || each.percent >= FULL;
    if (isTold && (fullest === null || each.percent > fullest.percent)) fullest = each;
  }
  if (fullest !== null) return { quota_warning: true, message: messageOf(fullest) };
  const hasSome =
    windows.length > 0 ||
    (subscription !== null &&
      grantsQuota(subscription) &&
      subscription.terms.included.some(({ amount }) => amount === 'unlimited'));
  return { quota_warning: false, message: hasSome ? 'Your quota is sufficient.' : 'You have no quota.' };
}

function messageOf({ window, percent }: QuotaWarning): string {
  const { granted, unit, model, end } = window;
  const what = `${granted} ${unit}${model === '*' ? '' : ` of ${model}`}`;
  const until = new Date(end).toISOString();
  return percent >= FULL
    ? `Your quota of ${what} until ${until} is used up.`
    : `You have used ${percent}% of your quota of ${what} until ${until}.`;
}
