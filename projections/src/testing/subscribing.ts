/** Plans that differ in what they include and how they are paid, and what happens to whoever subscribes to them. */
import type { PlanTerms, WalletCommand } from '@tallystick/domain';
import { CREDIT, type Plain, type TestLedger } from './ledger.ts';

type Command = Plain<WalletCommand>;
type Roll = (bound: number) => number;

const DAY = 24 * 3_600_000;

const plan = (credits: string, more: Partial<PlanTerms>): PlanTerms => ({
  name: 'A plan',
  price: { credits },
  interval: 'week',
  anchor: 'subscription',
  included: [],
  overage: 'credits',
  ...more,
});

const PLANS: Readonly<Record<string, PlanTerms>> = {
  small: plan('7', {
    included: [
      { unit: 'calls', model: 'plain', amount: '10', per: 'day' },
      { unit: 'calls', model: '*', amount: '20', per: 'period' },
    ],
    caps: [{ unit: 'calls', model: '*', amount: '60', per: 'day' }],
    trial_days: 2,
    grace: { days: 2, quota: 'full' },
    refund_on_cancel: true,
  }),
  large: plan('25', {
    included: [
      { unit: 'calls', model: 'plain', amount: '40', per: 'day' },
      { unit: 'calls', model: 'maker/costly', amount: 'unlimited', per: 'period' },
    ],
    grace: { days: 3, quota: 'provisional' },
  }),
  strict: plan('3', {
    interval: 'month',
    anchor: 'calendar',
    overage: 'refuse',
    included: [{ unit: 'calls', model: '*', amount: '15', per: 'week' }],
  }),
  outside: plan('0', {
    price: { amount: '9.99', currency: 'EUR' },
    included: [{ unit: 'calls', model: '*', amount: '30', per: 'period' }],
    grace: { days: 4, quota: 'none' },
  }),
};
const NAMES = Object.keys(PLANS);

export function publishPlans(ledger: TestLedger): void {
  for (const [id, terms] of Object.entries(PLANS)) ledger.publishPlan(id, terms);
}

/** @param periodStart of the subscription that there is, or was */
export function subscribing(ledger: TestLedger, roll: Roll, id: string, periodStart: number): Command[] {
  const some = NAMES[roll(NAMES.length)] ?? '';
  const when = roll(2) === 0 ? 'now' : 'period_end';
  switch (roll(9)) {
    case 0:
      return [{ type: 'ChangePlan', plan: some, when, reference: id }];
    case 1:
      return [{ type: 'CancelSubscription', when: roll(3) === 0 ? 'now' : 'period_end', reference: id }];
    case 2:
      return [{ type: 'ResumeSubscription' }];
    case 3:
      return [paying(id, periodStart, roll(3) === 0 ? 'failed' : 'paid')];
    case 4:
      return [
        {
          type: 'ExpandQuota',
          unit: 'calls',
          model: roll(2) === 0 ? '*' : 'plain',
          amount: BigInt(1 + roll(30)),
          expiresAt: ledger.now() + roll(6 * DAY) + 1,
          reason: 'more',
          reference: id,
        },
      ];
    case 5:
      return [
        {
          type: 'TopUpCredits',
          source: 'card',
          reference: id,
          credits: 60n * CREDIT,
          paid: { amount: '1.23', currency: 'EUR' },
          expiresAt: null,
          priority: 100,
        },
      ];
    default:
      return [
        {
          type: 'Subscribe',
          plan: some,
          autoRenew: roll(5) > 0,
          trial: roll(6) === 0,
          pay: some === 'outside' ? 'external' : 'credits',
          reference: id,
          timeZone: roll(2) === 0 ? 'Europe/Berlin' : null,
          startAt: roll(4) === 0 ? ledger.now() - roll(6 * DAY) : null,
        },
      ];
  }
}

function paying(reference: string, periodStart: number, result: 'paid' | 'failed'): Command {
  const paid = result === 'paid' ? { amount: '9.99', currency: 'EUR' } : null;
  return { type: 'RecordSubscriptionPayment', periodStart, result, paid, reference };
}
