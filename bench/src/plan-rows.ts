/** Row 9: authorize where the plan has a say in it: quotas, caps, limits, and a hold. */
import { call, type Ledger, topUp } from './ledger.ts';
import { interleave, runRequests, type Side } from './measure.ts';
import { accountOf, MODEL } from './requests.ts';
import { compare, type Result } from './results.ts';
import { type Bench, bareRoute, groupsOf, jobOf, WALLETS, warmUp } from './rows.ts';

/** The first of the wallets, beside those of the other rows. */
export const PLAN_WALLET = 5_000;
const AT_ONCE = 32;
const ENOUGH = '1000000000';

/** Nothing runs out while it is measured: what is measured is that all of it is looked at. */
const PLAN = {
  name: 'Bench',
  price: { credits: '100' },
  interval: 'month',
  included: [
    { unit: 'calls', model: '*', amount: ENOUGH, per: 'day' },
    { unit: 'tokens', model: MODEL, amount: ENOUGH, per: 'period' },
  ],
  caps: [
    { unit: 'calls', model: '*', amount: ENOUGH, per: 'day' },
    { unit: 'tokens', model: '*', amount: ENOUGH, per: 'month' },
  ],
  overage: 'credits',
  overage_multiplier: '1.5',
  allowed_models: [MODEL],
  rate_limit_per_minute: 100_000_000,
  max_concurrent_requests: 100_000,
  priority: 'high',
};

export async function planRow(bench: Bench): Promise<Result[]> {
  const { plan, ledger, generator } = bench;
  plan.tell('subscribing wallets to a plan');
  await subscribeAll(ledger);
  const side = (name: string, kind: 'authorize' | 'hold'): Side => ({
    name,
    run: () => runRequests(generator, jobOf(bench, kind, { firstWallet: PLAN_WALLET }), groupsOf(bench)),
  });
  const advice = side('authorize with a plan', 'authorize');
  const hold = side('authorize with a plan and a hold', 'hold');
  const bare = bareRoute(bench);
  plan.tell('authorize with a plan, warming up');
  await warmUp([advice, hold]);
  const measured = await interleave({ advice, bare, hold }, plan.rounds, plan.tell);
  const yardstick = [bare.name, measured.bare] as const;
  return [
    compare({ row: 9, ours: [advice.name, measured.advice], yardstick, aim: 0.45 }),
    // A hold is durable before it is answered, like a charge. None of them ends while it is measured: that is another event.
    compare({ row: 9, ours: [hold.name, measured.hold], yardstick, aim: 0.3 }),
  ];
}

export async function subscribeAll(ledger: Ledger): Promise<void> {
  await call(ledger, 'PUT', '/v1/plans/bench', PLAN);
  let next = PLAN_WALLET;
  const worker = async (): Promise<void> => {
    while (next < PLAN_WALLET + WALLETS) {
      const id = accountOf(next++);
      await call(ledger, 'POST', '/v1/accounts', { id });
      await topUp(ledger, id, 'first');
      const subscription = { plan: 'bench', pay: 'credits', reference: 'first' };
      await call(ledger, 'POST', `/v1/accounts/${id}/subscription`, subscription);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
