/** A subscription as its subscriber sees it: in credits only, whatever it is paid in (P8). */
import {
  type BillLine,
  formatCredits,
  type NewQuota,
  nextCharge,
  type Plans,
  parseCredits,
  type Subscription,
} from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import { QuotaPart } from './answers.ts';
import { Decimal, orNull } from './schemas.ts';

const instantOf = (description: string) => orNull(Type.String({ description }));

export const SubscriptionAnswer = Type.Object({
  id: Type.String({ description: 'Unique in its account.' }),
  plan: Type.String({ description: 'Its id.' }),
  plan_version: Type.Integer({ description: 'Whose terms were bought; they hold until it renews.' }),
  status: Type.Union(
    [
      Type.Literal('trialing'),
      Type.Literal('active'),
      Type.Literal('past_due'),
      Type.Literal('canceled'),
      Type.Literal('lapsed'),
    ],
    {
      description:
        '`past_due`: a period has begun unpaid. `lapsed`: nobody paid, or it was not to renew. `canceled`: it was ended.',
    },
  ),
  current_period_start: Type.String({ description: 'What a payment from outside names as `period_start`.' }),
  current_period_end: Type.String({ description: 'When it renews, or ends.' }),
  pay: Type.Union([Type.Literal('credits'), Type.Literal('external')], {
    description: '`credits`: out of the account. `external`: finance says of each period that it is paid.',
  }),
  auto_renew: Type.Boolean({ description: 'False: it lapses with the period.' }),
  trial_end: instantOf('When the trial ends, or did; null: it had none.'),
  cancel_at: instantOf('When it will end, by its subscriber; null: nobody has canceled it.'),
  ended_at: instantOf('Null: it is in force.'),
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
  grace_ends_at: instantOf('Of a `past_due` one: it lapses then, unless it is paid.'),
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
    pay: now.pay,
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
  charged: Type.String({ description: 'Credits that it takes.' }),
  credited: Type.String({ description: 'Credits that it gives back.' }),
  lines: Type.Array(Type.Object({ description: Type.String(), credits: Decimal }), {
    description: 'What `charged` and `credited` are the sums of.',
  }),
  quota: Type.Array(QuotaPart, { description: 'What is granted at once, beside what there is.' }),
  subscription: SubscriptionAnswer,
});
export type BillAnswer = Static<typeof BillAnswer>;

export function billAnswer(
  lines: readonly BillLine[],
  granted: readonly NewQuota[],
  subscription: Subscription,
  plans: Plans,
): BillAnswer {
  const steps = lines.map(({ credits }) => parseCredits(credits));
  const sum = (of: readonly bigint[]): bigint => of.reduce((total, credits) => total + credits, 0n);
  return {
    charged: formatCredits(sum(steps.filter((credits) => credits > 0n))),
    credited: formatCredits(-sum(steps.filter((credits) => credits < 0n))),
    lines: lines.map(({ description, credits }) => ({ description, credits })),
    quota: granted.map(({ unit, model, quantity: amount }) => ({ unit, model, amount })),
    subscription: subscriptionAnswer(subscription, plans),
  };
}
