/** Histories of subscribers from a seed: the same seed, the same history. Commands may be refused; what is recorded counts. */
import type { PlanTerms, WalletCommand } from '@tallystick/domain';
import { charge, type Plain, type TestLedger, topUp } from '@tallystick/projections/testing';
import {
  cancel,
  changePlan,
  DAY,
  expand,
  HOUR,
  HYBRID,
  hold,
  LARGE,
  publishPlans,
  STOPPED,
  settle,
  subscribe,
  talk,
} from './subscribed.ts';

type Command = Plain<WalletCommand>;
type Roll = (bound: number) => number;

/** Numbers below `bound`, from a seed (mulberry32). */
function dice(seed: number): Roll {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const PLANS = ['hybrid', 'large', 'measured', 'stopped', 'tiny', 'calendar', 'free'] as const;
/** By the week, with everything of the period: no trial or change can begin in the middle of a window. */
const TINY: PlanTerms = {
  name: 'Tiny',
  price: { credits: '3' },
  interval: 'week',
  anchor: 'subscription',
  grace: { days: 2, quota: 'full' },
  included: [
    { unit: 'tokens', model: 'talk', amount: '700', per: 'period', counted_dimensions: ['output_tokens'] },
  ],
  overage: 'credits',
  overage_prices: { talk: { output_tokens: { credits: '7', per: 1000 } } },
};

/** By the calendar: its first period and its first windows are parts, and windows outlast periods. */
const CALENDAR: PlanTerms = {
  name: 'Calendar',
  price: { credits: '12' },
  interval: 'month',
  anchor: 'calendar',
  trial_days: 3,
  grace: { days: 4, quota: 'provisional' },
  included: [
    { unit: 'calls', model: '*', amount: '5', per: 'day' },
    { unit: 'tokens', model: 'talk', amount: '500', per: 'week' },
    { unit: 'calls', model: 'plain', amount: '31', per: 'period' },
    { unit: 'calls', model: 'extra', amount: 'unlimited', per: 'period' },
  ],
  overage: 'refuse',
  refund_on_cancel: true,
};

export async function subscribeAtRandom(
  ledger: TestLedger,
  {
    seed,
    steps,
    accounts = 3,
  }: { readonly seed: number; readonly steps: number; readonly accounts?: number },
): Promise<readonly string[]> {
  const roll = dice(seed);
  publishPlans(ledger);
  ledger.publishPlan('tiny', TINY);
  ledger.publishPlan('calendar', CALENDAR);
  const names = Array.from({ length: accounts }, (_, n) => `random-${n}`);
  const holds: string[] = [];
  for (const [n, name] of names.entries()) await ledger.open(name, n === 0 ? '40' : '0');
  for (let step = 0; step < steps; step += 1) {
    const name = names[roll(names.length)] ?? '';
    const { state, revision } = await ledger.wallet(name);
    const period = Date.parse(state.subscription?.now.period_start ?? '2026-01-01');
    await ledger.run(name, ...happenings(ledger, roll, `${seed}-${step}`, { period, revision, holds }));
    if (roll(3) === 0) ledger.advance(roll(roll(6) === 0 ? 20 * DAY : 2 * DAY));
    if (step === Math.floor(steps / 2)) {
      ledger.publishPlan('hybrid', { ...HYBRID, price: { credits: '20' } });
      ledger.publishPlan('stopped', { ...STOPPED, overage_multiplier: '2' });
      ledger.publishPlan('large', { ...LARGE, trial_days: 7 });
    }
  }
  return names;
}

interface Known {
  readonly period: number;
  readonly revision: number;
  readonly holds: string[];
}

function happenings(
  ledger: TestLedger,
  roll: Roll,
  id: string,
  { period, revision, holds }: Known,
): Command[] {
  const plan = PLANS[roll(PLANS.length)] ?? 'tiny';
  const when = roll(2) === 0 ? 'now' : 'period_end';
  const some = holds[holds.length - 1 - roll(Math.min(5, holds.length || 1))] ?? 'none';
  const model = ['plain', 'maker/costly', 'extra'][roll(3)] ?? 'plain';
  const mode = roll(4) === 0 ? 'record' : 'charge';
  switch (roll(16)) {
    case 0: {
      const paid = { amount: `${roll(90)}.37`, currency: roll(2) === 0 ? 'EUR' : 'USD' };
      const expiresAt = roll(3) === 0 ? ledger.now() + roll(40 * DAY) + 1 : null;
      return [topUp(id, 20 + roll(90), { paid, expiresAt })];
    }
    case 1:
      return [
        subscribe(plan, {
          reference: id,
          pay: plan === 'stopped' ? 'external' : 'credits',
          autoRenew: roll(4) > 0,
          trial: roll(3) === 0,
        }),
      ];
    case 2:
      return [changePlan(plan, when, id)];
    case 3:
      return roll(3) === 0 ? [cancel(when, id)] : [{ type: 'ResumeSubscription' }];
    case 4: {
      const paid = { amount: '9.99', currency: 'USD' };
      const result = roll(4) === 0 ? 'failed' : 'paid';
      return [{ type: 'RecordSubscriptionPayment', periodStart: period, result, paid, reference: id }];
    }
    case 5:
      return [
        expand(
          roll(2) === 0 ? 'calls' : 'tokens',
          roll(2) === 0 ? '*' : 'talk',
          BigInt(1 + roll(300)),
          ledger.now() + 1 + roll(9 * DAY),
        ),
      ];
    case 6:
    case 7:
      holds.push(id);
      return [hold(id, model, { calls: 1 + roll(9) }, 1 + roll(2 * DAY))];
    case 8:
      holds.push(id);
      return [hold(id, 'talk', { output_tokens: 1 + roll(900) }, 1 + roll(6 * HOUR))];
    case 9:
      return [
        settle(
          some,
          roll(2) === 0 ? { calls: 1 + roll(9) } : { input_tokens: roll(50), output_tokens: roll(900) },
        ),
      ];
    case 10:
      return [{ type: 'VoidHold', hold: some }];
    case 11:
      return [
        {
          type: 'ExtendHold',
          hold: some,
          estimate: { calls: 1 + roll(15) },
          expiresInMs: roll(2) === 0 ? null : DAY,
        },
      ];
    case 12:
      return [
        { type: 'ReverseEntry', revision: roll(revision + 1), reason: 'a mistake', allowDebt: roll(2) === 0 },
      ];
    case 13:
      return [talk(id, roll(400), roll(500), { mode })];
    case 14:
      return [{ type: 'CarryOutDues' }];
    default:
      return [charge(id, 1 + roll(25), { model, mode }), charge(`${id}-b`, 1, { model })];
  }
}
