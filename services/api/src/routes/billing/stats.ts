/**
 * `GET /v1/billing/stats`: what a user has spent and has left (A1).
 * - costs are credits, never what a call costs us (P8): what usage took, and what plans took that are paid in credits,
 *   less what came back. A month's is of what was recorded in it, in the account's time zone; it may be negative
 * - tokens are those of the month's charged usage, whoever paid for it, quota or credits
 * - the three `tokens_*` are of all quotas in tokens that are open now, expansions too; what calls under way have
 *   reserved is neither used nor remaining. No quota in tokens is 0; without limit is null
 */
import {
  formatCredits,
  grantsQuota,
  isInForce,
  parseCredits,
  type Wallet,
  windowAt,
} from '@tallystick/domain';
import { readSpent } from '@tallystick/projections';
import { Type } from 'typebox';
import type { Api, App } from '../../api.ts';
import { reading } from '../../reads.ts';
import { found, orNull } from '../../schemas.ts';
import { walletNow } from '../../wallet-now.ts';
import { accountOf, ReadQuery } from './account.ts';
import { asNumber } from './as-number.ts';

const Stats = Type.Object({
  current_month_cost: Type.Number({ description: 'Credits.' }),
  current_month_tokens: Type.Number(),
  subscription_plan: orNull(Type.String({ description: 'Its id; null without one.' })),
  tokens_quota: orNull(Type.Number({ description: '0 without any; null without limit.' })),
  tokens_used: Type.Number({ description: 'Of quotas that count.' }),
  tokens_remaining: orNull(Type.Number({ description: '0 without any; null without limit.' })),
  total_cost: Type.Number({ description: 'Credits, ever.' }),
});

export function statsRoute(app: App, api: Api): void {
  app.get(
    '/v1/billing/stats',
    {
      config: { access: { scopes: ['read'], ownAccount: 'checked' } },
      schema: {
        tags: ['billing'],
        summary: 'Read what an account has spent this month and ever, and what is left of its quota',
        querystring: ReadQuery,
        response: found(Stats),
      },
    },
    async ({ principal, query }) => {
      const account = accountOf(principal, query.account);
      const wallet = await walletNow(api, account);
      return {
        ...(await costsOf(api, account, wallet.timeZone, query.min_position)),
        subscription_plan: isInForce(wallet.subscription) ? wallet.subscription.now.plan : null,
        ...tokensOf(wallet, api.now()),
      };
    },
  );
}

async function costsOf(api: Api, account: string, zone: string, minPosition: string | undefined) {
  const now = api.now();
  const { start } = windowAt({ zone, anchor: 'calendar', anchorAt: now }, 'month', now);
  const [balance, spent] = await reading(api, { account, minPosition }, () =>
    Promise.all([api.reads.balances.read(account, now), readSpent(api.reads.queries, account, start)]),
  );
  // The balance knows what has fallen due and is not written yet; written, it will be of this month.
  const ever = balance === null ? spent.ever : parseCredits(balance.view.consumed);
  return {
    current_month_cost: asNumber(formatCredits(ever - (spent.ever - spent.since))),
    current_month_tokens: asNumber(spent.tokens),
    total_cost: asNumber(formatCredits(ever)),
  };
}

function tokensOf({ quotas, subscription }: Readonly<Wallet>, now: number) {
  let [granted, used, free] = [0n, 0n, 0n];
  for (const quota of quotas) {
    if (quota.unit !== 'tokens' || quota.startsAt > now || quota.expiresAt <= now) continue;
    granted += quota.quantity;
    used += quota.used;
    free += quota.free;
  }
  const isUnlimited =
    subscription !== null &&
    grantsQuota(subscription) &&
    subscription.terms.included.some(({ unit, amount }) => unit === 'tokens' && amount === 'unlimited');
  return {
    tokens_quota: isUnlimited ? null : asNumber(granted),
    tokens_used: asNumber(used),
    tokens_remaining: isUnlimited ? null : asNumber(free),
  };
}
