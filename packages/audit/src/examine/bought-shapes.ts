/** What events of subscriptions, quotas, purchases, coupons, referrals and topping up must carry. */
import {
  amount,
  type Carried,
  count,
  flag,
  having,
  listOf,
  type Members,
  money,
  moving,
  nullable,
  oneOf,
  optional,
  telling,
  text,
  time,
  whole,
} from './fits.ts';

const terms = having({
  name: text,
  included: listOf(having({ unit: text, model: text, amount: text, per: text })),
  overage: oneOf('credits', 'refuse'),
});
const picture = having({
  ...{ id: text, plan: text, plan_version: whole, pay: oneOf('credits', 'external'), auto_renew: flag },
  status: oneOf('trialing', 'active', 'past_due', 'canceled', 'lapsed'),
  ...{ time_zone: text, anchor: text, anchor_at: time, period_start: time, period_end: time },
  ...{ period_credits: amount, period_paid: flag, trial_end: nullable(time), grace_ends_at: nullable(time) },
  grace_quota: optional(oneOf('none', 'provisional', 'full')),
  ...{ cancel_at: nullable(time), ended_at: nullable(time), pending_plan: nullable(text) },
  next_grants: listOf(nullable(time)),
  paid_from: listOf(having({ lot: nullable(text), credits: amount })),
});
const lines = listOf(having({ description: text, credits: amount }));

const SUBSCRIBED: Members = { subscription: picture, terms: optional(terms), effective_at: optional(time) };
const POTS: Members = {
  pots: nullable(having({ currency: text, lines: listOf(amount) })),
  paid_from: optional(listOf(money)),
};

const purchase = having({
  ...{ id: text, package: having({ id: text, version: whole }), credits: amount, bonus: amount },
  ...{
    price: money,
    discount: money,
    total: money,
    coupon: nullable(having({ code: text, version: whole })),
  },
  auto_top_up: optional(text),
});
const PAID: Members = { payment: money };
const ENTRY: Members = { from: text, revision: whole };

export const BOUGHT: readonly (readonly [type: string, carried: Carried])[] = [
  ['SubscriptionStarted', moving({ ...SUBSCRIBED, terms, reference: text }, POTS)],
  ['SubscriptionRenewed', moving(SUBSCRIBED, POTS)],
  ['SubscriptionPastDue', moving({ ...SUBSCRIBED, reason: text }, POTS)],
  ['SubscriptionChanged', moving({ ...SUBSCRIBED, change: text, lines, reference: text }, POTS)],
  [
    'SubscriptionEnded',
    moving({ ...SUBSCRIBED, effective_at: time, lines, reference: optional(text) }, POTS),
  ],
  [
    'SubscriptionPaymentRecorded',
    moving(
      {
        ...{ ...SUBSCRIBED, subscription: optional(picture), period_start: time, reference: text },
        ...{ result: oneOf('paid', 'failed'), applied: flag },
        reason: optional(oneOf('not_the_period', 'paid_already', 'amount_differs', 'canceled', 'too_late')),
      },
      { ...POTS, received: nullable(money) },
    ),
  ],
  ['QuotaGranted', moving({ ...SUBSCRIBED, effective_at: time }, POTS)],
  ['QuotaExpanded', moving({ reason: text, reference: text })],
  ['PurchaseOpened', telling({ purchase, paid: optional(having({ lot: text })) })],
  ['PurchasePaid', moving({ purchase, credits: amount, lot: text, reference: text }, PAID)],
  [
    'PurchaseClosed',
    telling({ purchase: text, by: oneOf('paid', 'canceled'), lot: optional(text), coupon: optional(text) }),
  ],
  ['PurchasePaymentUnapplied', moving({ purchase: text, reason: text, reference: text }, PAID)],
  [
    'CouponApplied',
    moving({ code: text, version: whole, effect: oneOf('granted', 'saved'), credits: optional(amount) }),
  ],
  ['CouponForgotten', telling({ code: text })],
  ['ReferralLinked', telling({ referred_by: text })],
  [
    'ReferralAccrued',
    telling({
      ...{ ...ENTRY, reason: text, credits: amount, of_credits: amount, percent: amount },
      ...{ available_at: time, withheld: optional(amount) },
    }),
  ],
  ['ReferralGranted', moving({ ...ENTRY, credits: amount, lot: text, effective_at: time })],
  [
    'ReferralClawedBack',
    moving({
      ...{ ...ENTRY, credits: amount, owed: amount, lot: optional(having({ lot: text, credits: amount })) },
      pending: listOf(having({ ...ENTRY, credits: amount })),
    }),
  ],
  ['AlertsSet', telling({ enabled: flag, thresholds: listOf(having({ on: text })) })],
  [
    'AlertRaised',
    telling({
      ...{
        alert: oneOf('quota', 'balance', 'daily_spend'),
        key: text,
        threshold: amount,
        effective_at: time,
      },
      ...{ granted: optional(count), used: optional(count), held: optional(count) },
      ...{ period_start: optional(time), period_end: optional(time) },
      ...{ available: optional(amount), spent: optional(amount) },
    }),
  ],
  ['AlertsRearmed', telling({ alert: text, thresholds: listOf(amount), effective_at: time })],
  ['SpendDayBegan', telling({ day: text, starts_at: time, ends_at: time, since: whole, spent: amount })],
  [
    'AutoTopUpSet',
    telling({ enabled: flag, threshold: amount, amount: money, cool_off_seconds: whole, daily_cap: whole }),
  ],
  [
    'AutoTopUpRequested',
    telling({ id: text, amount: money, credits: amount, threshold: amount, day: text, requested_at: time }),
  ],
  [
    'AutoTopUpResolved',
    telling({
      ...{ id: text, result: oneOf('paid', 'declined', 'unapplied'), reference: text },
      paid: optional(having({ purchase, lot: text })),
    }),
  ],
];
