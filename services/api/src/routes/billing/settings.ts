/**
 * `GET` and `PUT /v1/billing/settings`: an account's automatic top-up and its warnings, by the document's names.
 *
 *   auto_topup, auto_topup_threshold (credits), auto_topup_amount     as PUT /v1/accounts/{id}/auto-top-up
 *   enable_alerts, alert_threshold (available credits), billing_email  as PUT /v1/accounts/{id}/alerts
 *
 * - what is left out stays, and so does what these names cannot say: times between top-ups, warnings of quotas
 * - a number that is the one shown changes nothing: sending back what was read is always safe
 * - one threshold is shown, the highest; setting another one sets all those on the balance to it, and 0 to none
 * - the amount is in the currency that it was in, at first in the account's own, without one in US dollars
 */
import {
  type AlertTerms,
  type AutoTopUpTerms,
  DEFAULT_ALERTS,
  formatCredits,
  isMailAddress,
  MAIL_ADDRESS_MAX,
  parseCredits,
  type Wallet,
} from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import { setProfile } from '../../account-now.ts';
import type { Api, App } from '../../api.ts';
import { orderWallet } from '../../orders.ts';
import { creditsOf, type Faults, moneyOf, settle } from '../../parse.ts';
import { closed, found, orNull } from '../../schemas.ts';
import { walletNow } from '../../wallet-now.ts';
import { emailNow, inOrder } from '../alerts.ts';
import { COOL_OFF_SECONDS, DAILY_CAP, setAutoTopUp } from '../auto-top-up.ts';
import { AccountQuery, accountOf, ReadQuery } from './account.ts';
import { asNumber, decimalOf } from './as-number.ts';

const CURRENCY = 'USD';

const Settings = Type.Object({
  billing_email: orNull(Type.String({ description: 'Where warnings are mailed to.' })),
  auto_topup: Type.Boolean({
    description: 'False too after many were declined in a row; true again trusts it again.',
  }),
  auto_topup_threshold: Type.Number({ description: 'Credits.' }),
  auto_topup_amount: Type.Number({ description: "Money, in the account's currency." }),
  enable_alerts: Type.Boolean(),
  alert_threshold: Type.Number({ description: 'Credits; 0: no warning of the balance.' }),
});
type Settings = Static<typeof Settings>;
const Body = closed({
  billing_email: Type.Optional(orNull(Type.String({ maxLength: MAIL_ADDRESS_MAX }))),
  auto_topup: Type.Optional(Type.Boolean()),
  auto_topup_threshold: Type.Optional(Type.Number()),
  auto_topup_amount: Type.Optional(Type.Number()),
  enable_alerts: Type.Optional(Type.Boolean()),
  alert_threshold: Type.Optional(Type.Number()),
});
type Body = Static<typeof Body>;

export function settingsRoutes(app: App, api: Api): void {
  const tags = ['billing'];
  const response = found(Settings);

  app.get(
    '/v1/billing/settings',
    {
      config: { access: { scopes: ['read'], ownAccount: 'checked' } },
      schema: {
        tags,
        summary: "Read an account's automatic top-up and warnings",
        querystring: ReadQuery,
        response,
      },
    },
    ({ principal, query }) => settingsNow(api, accountOf(principal, query.account)),
  );

  app.put(
    '/v1/billing/settings',
    {
      config: { access: { scopes: ['usage', 'manage'], ownAccount: 'checked' } },
      schema: {
        tags,
        summary: "Set an account's automatic top-up and warnings; what is left out stays",
        querystring: closed(AccountQuery),
        body: Body,
        response,
      },
    },
    async (request) => {
      const account = accountOf(request.principal, request.query.account);
      const wallet = await walletNow(api, account);
      const { billing_email: email } = request.body;
      const faults: Faults = [];
      const topUp = topUpAfter(wallet, request.body, faults);
      const alerts = alertsAfter(wallet, request.body, faults);
      if (email != null && !isMailAddress(email))
        faults.push({ field: 'billing_email', rule: 'must be one address like owner@example.com' });
      settle(faults);
      // First what may still be refused: nobody may sell for that amount. The same call again does what a crash left out.
      if (topUp !== null) await setAutoTopUp(api, request, account, topUp);
      if (alerts !== null)
        await orderWallet(api, request, account, {
          type: 'SetAlerts',
          key: null,
          fingerprint: null,
          terms: alerts,
        });
      if (email !== undefined) await setProfile(api, request, account, { email });
      return settingsNow(api, account);
    },
  );
}

async function settingsNow(api: Api, account: string): Promise<Settings> {
  const wallet = await walletNow(api, account);
  return { billing_email: await emailNow(api, account), ...topUpOf(wallet), ...alertsOf(wallet) };
}

function topUpOf({ autoTopUp }: Readonly<Wallet>) {
  return {
    auto_topup: autoTopUp?.isOff === false && autoTopUp.terms.enabled,
    auto_topup_threshold: asNumber(autoTopUp?.terms.threshold ?? '0'),
    auto_topup_amount: asNumber(autoTopUp?.terms.amount.amount ?? '0'),
  };
}

/** What `asked` changes it to; null where it changes nothing. */
function topUpAfter(wallet: Readonly<Wallet>, asked: Body, faults: Faults): AutoTopUpTerms | null {
  const shown = topUpOf(wallet);
  const {
    auto_topup: enabled = shown.auto_topup,
    auto_topup_threshold: threshold = shown.auto_topup_threshold,
    auto_topup_amount: amount = shown.auto_topup_amount,
  } = asked;
  const isSameThreshold = threshold === shown.auto_topup_threshold;
  const isSameAmount = amount === shown.auto_topup_amount;
  if (enabled === shown.auto_topup && isSameThreshold && isSameAmount) return null;
  const before = wallet.autoTopUp?.terms ?? {
    threshold: '0',
    amount: { amount: '0', currency: wallet.currency ?? CURRENCY },
    cool_off_seconds: COOL_OFF_SECONDS,
    daily_cap: DAILY_CAP,
  };
  const credits = isSameThreshold
    ? before.threshold
    : formatCredits(creditsOf(decimalOf(threshold), 'auto_topup_threshold', 'not_negative', faults));
  const money = isSameAmount
    ? before.amount
    : moneyOf({ ...before.amount, amount: decimalOf(amount) }, 'auto_topup_amount', faults);
  if (amount === 0) faults.push({ field: 'auto_topup_amount', rule: 'must be more than 0' });
  return { ...before, enabled, threshold: credits, amount: money ?? before.amount };
}

function alertsOf({ alerts }: Readonly<Wallet>) {
  const { enabled, thresholds } = alerts.terms ?? DEFAULT_ALERTS;
  let highest = 0n;
  for (const each of thresholds) {
    if (each.on !== 'balance') continue;
    const credits = parseCredits(each.credits);
    if (credits > highest) highest = credits;
  }
  return { enable_alerts: enabled, alert_threshold: asNumber(formatCredits(highest)) };
}

/** What `asked` changes them to; null where it changes nothing. */
function alertsAfter(wallet: Readonly<Wallet>, asked: Body, faults: Faults): AlertTerms | null {
  const shown = alertsOf(wallet);
  const { enable_alerts: enabled = shown.enable_alerts, alert_threshold: threshold = shown.alert_threshold } =
    asked;
  const { thresholds } = wallet.alerts.terms ?? DEFAULT_ALERTS;
  if (threshold === shown.alert_threshold)
    return enabled === shown.enable_alerts ? null : { enabled, thresholds };
  const credits = formatCredits(creditsOf(decimalOf(threshold), 'alert_threshold', 'not_negative', faults));
  const others = thresholds.filter(({ on }) => on !== 'balance');
  return { enabled, thresholds: threshold === 0 ? others : inOrder([...others, { on: 'balance', credits }]) };
}
