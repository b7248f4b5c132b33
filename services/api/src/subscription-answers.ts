/** A subscription as its subscriber sees it: in credits only, whatever it is paid in (P8). */
import {
  type BillLine,
  formatCredits,
  nextCharge,
  type Plans,
  parseCredits,
  type Subscription,
} from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import { Decimal, orNull } from './schemas.ts';

const instant = orNull(Type.String());

export const SubscriptionAnswer = Type.Object({
  id: Type.String(),
  plan: Type.String(),
  plan_version: Type.Integer(),
  status: Type.Union([
    Type.Literal('trialing'),
    Type.Literal('active'),
    Type.Literal('past_due'),
    Type.Literal('canceled'),
    Type.Literal('lapsed'),
  ]),
  current_period_start: Type.String(),
  current_period_end: Type.String(),
  auto_renew: Type.Boolean(),
  trial_end: instant,
  cancel_at: instant,
  ended_at: instant,
  pending_change: orNull(
    Type.Object({ plan: Type.String(), at: Type.String() }, { description: 'Takes effect then.' }),
  ),
  next_charge: orNull(
    Type.Object(
      { at: Type.String(), credits: Decimal },
      {
        description:
          'By what is published now. Null where nothing more will be charged in credits: it ends, or is paid outside.',
      },
    ),
  ),
  grace_ends_at: instant,
});
export type SubscriptionAnswer = Static<typeof SubscriptionAnswer>;

export function subscriptionAnswer(now: Subscription, plans: Plans): SubscriptionAnswer {
  // Versions are never changed: what the subscriber has bought is what was published.
  const terms = plans.version(now.plan, now.plan_version)?.terms;
  const next = terms === undefined ? null : nextCharge(now, terms, plans);
  return {
    id: now.id,
    plan: now.plan,
    plan_version: now.plan_version,
    status: now.status,
    current_period_start: now.period_start,
    current_period_end: now.period_end,
    auto_renew: now.auto_renew,
    trial_end: now.trial_end,
    cancel_at: now.cancel_at,
    ended_at: now.ended_at,
    pending_change: now.pending_plan === null ? null : { plan: now.pending_plan, at: now.period_end },
    next_charge: next === null ? null : { at: next.at, credits: formatCredits(next.credits) },
    grace_ends_at: now.grace_ends_at,
  };
}

/** What a change comes to: the lines, and their sums. */
export const BillAnswer = Type.Object({
  charged: Decimal,
  credited: Decimal,
  lines: Type.Array(Type.Object({ description: Type.String(), credits: Decimal })),
  subscription: SubscriptionAnswer,
});
export type BillAnswer = Static<typeof BillAnswer>;

export function billAnswer(lines: readonly BillLine[], subscription: Subscription, plans: Plans): BillAnswer {
  const steps = lines.map(({ credits }) => parseCredits(credits));
  const sum = (of: readonly bigint[]): bigint => of.reduce((total, credits) => total + credits, 0n);
  return {
    charged: formatCredits(sum(steps.filter((credits) => credits > 0n))),
    credited: formatCredits(-sum(steps.filter((credits) => credits < 0n))),
    lines: lines.map(({ description, credits }) => ({ description, credits })),
    subscription: subscriptionAnswer(subscription, plans),
  };
}
