import fc from 'fast-check';
import { test } from 'tap';
import { formatCredits } from '../../amount.ts';
import type { PlanTerms } from '../../plans/terms.ts';
import { accept, DAY, given, later, type Past, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import { BASIC, cancel, changePlan, publish, resume, subscribe } from '../../testing/subscription-orders.ts';
import { nextCharge } from './next-charge.ts';

function customer(credits: string, plans: Readonly<Record<string, PlanTerms>>): Past {
  const past = given();
  for (const [id, terms] of Object.entries(plans)) publish(past, id, terms, 0);
  if (credits !== '0') accept(past, order.topUp('t1', credits));
  return past;
}

/** As `2026-02-01: 100`. */
function told(past: Past): string {
  const { subscription } = past.wallet;
  if (subscription === null) return 'no subscription';
  const next = nextCharge(subscription.now, subscription.terms, past.plans);
  return next === null ? 'nothing' : `${next.at.slice(0, 10)}: ${formatCredits(next.credits)}`;
}

test('it is the price of the next period, at its beginning, and nothing where there is none', async (t) => {
  const past = customer('1000', { basic: BASIC, pro: { ...BASIC, price: { credits: '300' } } });
  accept(past, subscribe('basic'));
  t.equal(told(past), '2026-02-01: 100');
  accept(past, changePlan('pro', 'period_end'));
  t.equal(told(past), '2026-02-01: 300', 'that of the plan it will be');
  accept(past, cancel('period_end'));
  t.equal(told(past), 'nothing');
  accept(past, resume);
  t.equal(told(past), '2026-02-01: 100');
  accept(past, cancel('now', 'x2'));
  t.equal(told(past), 'nothing', 'it has ended');
});

test('what has been announced for then is told', async (t) => {
  const past = customer('1000', { basic: BASIC });
  accept(past, subscribe('basic'));
  publish(past, 'basic', { ...BASIC, price: { credits: '150' } }, past.now + 30 * DAY);
  t.equal(told(past), '2026-02-01: 150');
  publish(past, 'basic', { ...BASIC, price: { credits: '170' } }, past.now + 40 * DAY);
  t.equal(told(past), '2026-02-01: 150', 'not what comes later');
});

test('a trial that ends in mid-month is followed by a part of the calendar month', async (t) => {
  const terms: PlanTerms = { ...BASIC, anchor: 'calendar', trial_days: 16 };
  const past = customer('1000', { basic: terms });
  accept(past, subscribe('basic', { trial: true }));
  t.equal(told(past), '2026-01-17: 49', '15 of 31 days, up to the next credit');
});

test('a period that waits for its credits is told from its beginning, and one that is paid outside is not', async (t) => {
  const grace = { days: 5, quota: 'none' } as const;
  const dollars: PlanTerms = { ...BASIC, price: { amount: '29', currency: 'USD' }, grace };
  const past = customer('150', { basic: { ...BASIC, grace } });
  accept(past, subscribe('basic'));
  later(past, 32 * DAY);
  accept(past, order.carryOutDues);
  t.equal(told(past), '2026-02-01: 100');
  const outside = customer('0', { dollars });
  accept(outside, subscribe('dollars', { pay: 'external' }));
  t.equal(told(outside), 'nothing');
});

test('what is told is what is charged', async () => {
  const plan = fc.record({
    credits: fc.integer({ min: 0, max: 400 }),
    interval: fc.constantFrom('week' as const, 'month' as const, 'year' as const),
    anchor: fc.constantFrom('subscription' as const, 'calendar' as const),
    trial_days: fc.integer({ min: 0, max: 40 }),
  });
  const property = fc.asyncProperty(
    plan,
    plan,
    fc.record({ trial: fc.boolean(), change: fc.boolean(), announced: fc.option(fc.nat(500)) }),
    fc.nat(40 * 24),
    async (one, other, { trial, change, announced }, hours) => {
      const termsOf = ({ credits, ...rest }: typeof one): PlanTerms => ({
        ...BASIC,
        ...rest,
        price: { credits: String(credits) },
      });
      const past = customer('100000', { one: termsOf(one), other: termsOf(other) });
      later(past, hours * 3_600_000);
      if (when(past, subscribe('one', { trial })).status !== 'recorded') return;
      if (change) when(past, changePlan('other', 'period_end'));
      const { subscription, totals } = past.wallet;
      if (subscription === null) throw new Error('there is none');
      const end = Date.parse(subscription.now.period_end);
      if (announced !== null)
        publish(past, 'one', { ...termsOf(one), price: { credits: String(announced) } }, end);
      const next = nextCharge(subscription.now, subscription.terms, past.plans);
      const before = totals.consumed;
      past.now = end;
      when(past, order.carryOutDues);
      const charged = past.wallet.totals.consumed - before;
      if (next?.credits !== charged || Date.parse(next.at) !== end)
        throw new Error(`told ${next?.credits} at ${next?.at}, charged ${charged}`);
    },
  );
  await fc.assert(property, { numRuns: 150 });
});
