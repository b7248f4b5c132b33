/**
 * Random lives of a subscriber. After every command all invariants of a wallet are checked (testing/invariants.ts): entries
 * balance, quotas are whole, deferred revenue is the money that lots, quotas and pots hold, the texts fold to the state.
 */
import fc from 'fast-check';
import { test } from 'tap';
import type { PlanTerms } from '../../plans/terms.ts';
import { DAY, given, later, type Past, START, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import {
  cancel,
  changePlan,
  expandQuota,
  payment,
  publish,
  resume,
  subscribe,
} from '../../testing/subscription-orders.ts';
import type { WalletCommand } from '../commands.ts';
import type { QuotaMovement } from '../quota/events.ts';

const PLANS: Readonly<Record<string, PlanTerms>> = {
  small: {
    name: 'Small',
    price: { credits: '31' },
    interval: 'month',
    anchor: 'subscription',
    trial_days: 5,
    grace: { days: 4, quota: 'provisional' },
    included: [
      { unit: 'calls', model: '*', amount: '40', per: 'period' },
      { unit: 'calls', model: 'fine', amount: '3', per: 'day' },
    ],
    caps: [{ unit: 'calls', model: '*', amount: '9', per: 'day' }],
    overage: 'credits',
    overage_multiplier: '1.7',
    refund_on_cancel: true,
  },
  big: {
    name: 'Big',
    price: { credits: '93' },
    interval: 'month',
    anchor: 'subscription',
    grace: { days: 2, quota: 'full' },
    included: [
      { unit: 'calls', model: '*', amount: '400', per: 'period' },
      { unit: 'tokens', model: 'gpt-4', amount: '1000', per: 'week' },
    ],
    overage: 'refuse',
  },
  calendar: {
    name: 'Calendar',
    price: { credits: '60' },
    interval: 'month',
    anchor: 'calendar',
    included: [
      { unit: 'calls', model: '*', amount: '31', per: 'month' },
      { unit: 'tokens', model: '*', amount: 'unlimited', per: 'period' },
    ],
    overage: 'credits',
  },
  dollars: {
    name: 'Dollars',
    price: { amount: '10', currency: 'EUR' },
    interval: 'week',
    anchor: 'subscription',
    grace: { days: 1, quota: 'none' },
    included: [{ unit: 'calls', model: '*', amount: '7', per: 'day' }],
    overage: 'credits',
  },
};

type Step = (past: Past, n: number) => WalletCommand;
const plan = fc.constantFrom(...Object.keys(PLANS));
const whenever = fc.constantFrom<'now' | 'period_end'>('now', 'period_end');
const calls = fc.integer({ min: 1, max: 6 });
const steps = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.integer({ min: 5, max: 90 }).map(
      (credits): Step =>
        (_, n) =>
          order.topUp(`t${n}`, `${credits}`, { paid: `${credits / 100}` }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 20 }).map(
      (days): Step =>
        (past, n) =>
          order.grant(`g${n}`, '17', { expiresAt: past.now + days * DAY }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(plan, fc.boolean(), fc.boolean()).map(
      ([id, trial, outside]): Step =>
        (_, n) =>
          subscribe(id, { trial, pay: outside ? 'external' : 'credits', reference: `s${n}` }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(plan, whenever).map(
      ([id, at]): Step =>
        (_, n) =>
          changePlan(id, at, `c${n}`),
    ),
  },
  {
    weight: 1,
    arbitrary: whenever.map(
      (at): Step =>
        (_, n) =>
          cancel(at, `x${n}`),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>(() => resume) },
  {
    weight: 2,
    arbitrary: fc.constant<Step>((past, n) =>
      payment(Date.parse(past.wallet.subscription?.now.period_start ?? '2026-01-01'), `p${n}`, {
        amount: '10',
        currency: 'EUR',
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 9 }).map(
      (amount): Step =>
        (past, n) =>
          expandQuota(BigInt(amount), past.now + 2 * DAY, { reference: `e${n}` }),
    ),
  },
  {
    weight: 5,
    arbitrary: calls.map(
      (count): Step =>
        (_, n) =>
          order.charge(`u${n}`, count),
    ),
  },
  {
    weight: 2,
    arbitrary: calls.map(
      (count): Step =>
        (_, n) =>
          order.record(`r${n}`, { input_tokens: count * 100 }, { model: 'gpt-4' }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(calls, fc.integer({ min: 60, max: 200_000 })).map(
      ([count, seconds]): Step =>
        (_, n) =>
          order.hold(`h${n}`, count, seconds),
    ),
  },
  {
    weight: 2,
    arbitrary: calls.map(
      (count): Step =>
        (past) =>
          order.settle([...past.wallet.holds.keys()][0] ?? 'none', count),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>((past) => order.voidHold([...past.wallet.holds.keys()][0] ?? 'none')),
  },
  {
    weight: 1,
    arbitrary: calls.map(
      (count): Step =>
        (past) =>
          order.extend([...past.wallet.holds.keys()][0] ?? 'none', count + 2, 90_000),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>((past) =>
      order.reverse(past.events.findLast(({ type }) => type === 'UsageCharged')?.revision ?? 0),
    ),
  },
  { weight: 3, arbitrary: fc.constant<Step>(() => order.carryOutDues) },
);
const pauses = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 7_200_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 * DAY }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 70 * DAY }) },
);
const lives = fc.array(fc.tuple(pauses, steps), { minLength: 5, maxLength: 40 });

function live(life: readonly (readonly [number, Step])[]): Past {
  const past = given();
  for (const [id, terms] of Object.entries(PLANS)) publish(past, id, terms, 0);
  life.forEach(([pause, step], n) => {
    later(past, pause);
    when(past, step(past, n));
  });
  return past;
}

test('whatever a subscriber does, and however late, the books are in order', async (t) => {
  fc.assert(
    fc.property(lives, (life) => {
      const past = live(life);
      t.ok(past.events.length > 0);
    }),
    { numRuns: 150 },
  );
});

test('a window of a line is granted once, and no period twice', async (t) => {
  fc.assert(
    fc.property(lives, (life) => {
      const past = live(life);
      const windowOf = new Map<string, string>();
      const used = new Map<string, bigint>();
      for (const event of past.events) {
        const { quotas } = event.data as { quotas?: QuotaMovement };
        for (const { quota, origin, expires_at } of quotas?.granted ?? [])
          if (origin.kind === 'plan' && origin.extra !== true)
            windowOf.set(quota, `${origin.subscription} line ${origin.line} until ${expires_at}`);
        for (const { quota, from, to, quantity } of quotas?.moves ?? []) {
          const window = windowOf.get(quota);
          if (window === undefined) continue;
          const sign = to === 'used' ? 1n : from === 'used' ? -1n : 0n;
          used.set(window, (used.get(window) ?? 0n) + sign * BigInt(quantity));
        }
      }
      const most = Math.max(
        ...Object.values(PLANS).flatMap(({ included }) => included.map(({ amount }) => Number(amount) || 0)),
      );
      for (const [window, sum] of used) t.ok(sum <= BigInt(most), `${window}: ${sum}`);
      const periods = past.events.flatMap((event) =>
        event.type === 'SubscriptionRenewed' || event.type === 'SubscriptionStarted'
          ? [`${event.data.subscription.id} ${event.data.subscription.period_start}`]
          : [],
      );
      t.equal(new Set(periods).size, periods.length, 'a period is paid once');
    }),
    { numRuns: 100 },
  );
});

test('it makes no difference how often and how late somebody looks', async (t) => {
  const looks = fc.array(fc.integer({ min: 1, max: 90 * DAY }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.constantFrom('small', 'big', 'calendar'), looks, (id, instants) => {
      const end = START + 95 * DAY;
      const lives = [instants, []].map((at) => {
        const past = given(order.topUp('t1', '250', { paid: '2.5' }));
        for (const [name, terms] of Object.entries(PLANS)) publish(past, name, terms, 0);
        when(past, subscribe(id));
        for (const instant of [...at].sort((a, b) => a - b)) {
          past.now = Math.max(past.now, START + instant);
          when(past, order.carryOutDues);
        }
        past.now = end;
        when(past, order.carryOutDues);
        return past;
      });
      const [often, once] = lives.map(({ wallet }) => ({
        totals: wallet.totals,
        free: wallet.quotas
          .filter(({ expiresAt }) => expiresAt > end)
          .map(({ unit, model, free, expiresAt }) => ({ unit, model, free, expiresAt })),
        period: wallet.subscription?.now.period_start,
        status: wallet.subscription?.now.status,
      }));
      t.same(often, once);
    }),
    { numRuns: 60 },
  );
});
