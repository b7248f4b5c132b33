/** What is asked before a call runs: it counts as one token at least, as it counts as one call, or a stop in tokens stops nothing. */
import { test } from 'tap';
import type { PlanTerms } from '../../plans/terms.ts';
import { PriceBooks } from '../../pricing/price-books.ts';
import { bookVersion, STANDARD } from '../../testing/books.ts';
import { customer, join, name } from '../../testing/customer.ts';
import { accept, cataloguesOf, type Past, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import { balance, word } from '../../testing/sight.ts';
import { BASIC } from '../../testing/subscription-orders.ts';
import type { Usage } from '../../usage.ts';
import { adviseWallet } from '../authorize.ts';
import type { WalletEventOf } from '../events.ts';

const TOKENS = { unit: 'tokens', model: '*', per: 'period' } as const;
const STOPPED: PlanTerms = { ...BASIC, overage: 'refuse', included: [{ ...TOKENS, amount: '100' }] };
const OUTPUT: PlanTerms = {
  ...STOPPED,
  included: [{ ...TOKENS, amount: '100', counted_dimensions: ['output_tokens'] }],
};
const NAMELESS: readonly Usage[] = [{}, { input_tokens: 0 }, { calls: 1 }, { calls: 3, output_tokens: 0 }];

/** Of a model that talks, and draws. */
const DRAWS = {
  prices: {
    calls: { credits: '0', per: 1 },
    images: { credits: '2', per: 1 },
    input_tokens: { credits: '5', per: 1000 },
    output_tokens: { credits: '5', per: 1000 },
  },
};
const books = new PriceBooks().with(
  bookVersion('default', 1, 0, { ...STANDARD, models: { ...STANDARD.models, draws: DRAWS } }),
);

function subscriber(plan: PlanTerms): Past {
  const past = { ...customer('10000', { plan }), books, freshBooks: books };
  join(past, 'plan');
  return past;
}

const hold = (estimate: Usage, id = name()) => order.hold(id, estimate, 60, 'draws');
const charge = (usage: Usage) => order.charge(name(), usage, { model: 'draws' });
const reasons = (past: Past, estimate: Usage): readonly string[] =>
  adviseWallet(past.wallet, { model: 'draws', estimate }, past.now, cataloguesOf(past)).reasons;
const left = ({ wallet }: Past): string =>
  wallet.quotas.map(({ free, pinned }) => `${free}, ${pinned} held`).join('; ');

test('a token that no estimate names covers no call: where calls are used up, nothing passes', async (t) => {
  const calls = { unit: 'calls', model: '*', amount: '3', per: 'period' } as const;
  for (const amount of ['25', 'unlimited']) {
    const past = subscriber({ ...STOPPED, included: [calls, { ...TOKENS, model: 'draws', amount }] });
    accept(past, charge({ calls: 3 }));
    for (const estimate of [{}, { calls: 1 }]) {
      t.equal(word(when(past, hold(estimate))), 'quota_exhausted', amount);
      t.same(reasons(past, estimate), ['quota_exhausted']);
    }
    accept(past, hold({ output_tokens: 1 }));
  }
});

test('with nothing left, a hard stop in tokens refuses whatever estimate names none of them, and advice says so', async (t) => {
  const past = subscriber(STOPPED);
  accept(past, charge({ output_tokens: 100 }));
  for (const estimate of NAMELESS) {
    t.equal(word(when(past, hold(estimate))), 'quota_exhausted');
    t.same(reasons(past, estimate), ['quota_exhausted']);
  }
  const some = subscriber(OUTPUT);
  accept(some, charge({ output_tokens: 100 }));
  for (const estimate of [...NAMELESS, { input_tokens: 100 }])
    t.equal(word(when(some, hold(estimate))), 'quota_exhausted');
});

test('with some left it pins one, and what is settled uses what there is', async (t) => {
  for (const estimate of NAMELESS) {
    const past = subscriber(STOPPED);
    const [placed] = accept(past, hold(estimate, 'h1'));
    t.match(placed?.data, { credits: '0', covered: [{ unit: 'tokens', quantity: '1' }] });
    t.equal(left(past), '99, 1 held');
    const [settled] = accept(past, order.settle('h1', { output_tokens: 40 }));
    t.match(settled?.data, { credits: '0', covered: [{ quantity: '40' }], violations: undefined });
    t.equal(left(past), '60, 0 held');
  }
  const some = subscriber(OUTPUT);
  const [placed] = accept(some, hold({ input_tokens: 2000 }));
  t.match(placed?.data, { credits: '10', covered: [{ quantity: '1', usage: { output_tokens: 1 } }] });
});

test('so many holds at once as there are tokens', async (t) => {
  const past = subscriber({ ...STOPPED, included: [{ ...TOKENS, amount: '2' }] });
  accept(past, hold({}));
  accept(past, hold({ calls: 1 }));
  t.equal(word(when(past, hold({}))), 'quota_exhausted');
});

test('of several lines one token is enough that counts for all of them', async (t) => {
  const past = subscriber({
    ...STOPPED,
    included: [
      { ...TOKENS, amount: '10' },
      { ...TOKENS, model: 'draws', amount: '1', counted_dimensions: ['output_tokens'] },
    ],
  });
  accept(past, hold({}));
  t.equal(left(past), '10, 0 held; 0, 1 held');
  accept(past, hold({}));
  t.equal(left(past), '9, 1 held; 0, 1 held');
});

test('a call of a quota in calls is wholly covered, and needs no token', async (t) => {
  const past = subscriber({
    ...STOPPED,
    included: [
      { unit: 'calls', model: '*', amount: '1', per: 'period' },
      { ...TOKENS, amount: '5' },
    ],
  });
  const [placed] = accept(past, hold({ calls: 1 }));
  const { covered = [] } = (placed as WalletEventOf<'HoldPlaced'>).data;
  t.strictSame(
    covered.map(({ usage }) => usage),
    [{ calls: 1 }],
  );
  t.equal(left(past), '0, 1 held; 5, 0 held');
});

test('beyond a plan that does not stop, one token that no quota has costs nothing', async (t) => {
  const past = subscriber({ ...STOPPED, overage: 'credits' });
  accept(past, charge({ output_tokens: 100 }));
  t.match(accept(past, hold({}))[0]?.data, { credits: '0', covered: undefined });
});

test('a call of another kind pins no token, and what it uses of them beyond the stop is the customer’s', async (t) => {
  for (const estimate of [{ images: 1 }, { images: 1, calls: 1, input_tokens: 0 }]) {
    const past = subscriber(STOPPED);
    accept(past, hold(estimate, 'h1'));
    t.equal(left(past), '100, 0 held');
    accept(past, charge({ output_tokens: 100 }));
    t.same(reasons(past, estimate), [], 'nor is it stopped');
    const [settled] = accept(past, order.settle('h1', { images: 1, output_tokens: 1_000_000 }));
    t.match(settled?.data, { credits: '5002', violations: undefined });
  }
});

test('one that names tokens beside is a call of tokens, and what is beyond the stop is ours', async (t) => {
  const past = subscriber(STOPPED);
  accept(past, hold({ images: 1, input_tokens: 100 }, 'h1'));
  t.equal(word(when(past, hold({ images: 1, input_tokens: 1 }))), 'quota_exhausted');
  const [settled] = accept(past, order.settle('h1', { images: 1, output_tokens: 1_000_000 }));
  t.match(settled?.data, { credits: '0', violations: ['quota_exhausted'] });
});

test('extending a hold asks like placing it', async (t) => {
  const past = subscriber(STOPPED);
  accept(past, hold({ images: 1 }, 'h1'));
  accept(past, charge({ output_tokens: 100 }));
  t.equal(word(when(past, order.extend('h1', {}))), 'quota_exhausted');
  t.equal(word(when(past, order.extend('h1', { images: 2 }))), 'recorded');
});

test('a cap in tokens that is full refuses them too, and counts one of each', async (t) => {
  const caps = [{ unit: 'tokens', model: '*', amount: '2', per: 'day' }] as const;
  for (const estimate of NAMELESS) {
    const past = subscriber({ ...STOPPED, overage: 'credits', caps });
    accept(past, hold(estimate, 'h1'));
    accept(past, hold(estimate));
    t.equal(word(when(past, hold(estimate))), 'cap_reached');
    t.same(reasons(past, estimate), ['cap_reached']);
    t.equal(word(when(past, hold({ images: 1 }))), 'recorded', 'another kind is none of its business');
    const [settled] = accept(past, order.settle('h1', { images: 1 }));
    t.match(settled?.data, { caps: undefined, violations: undefined });
    t.equal(word(when(past, hold(estimate))), 'recorded', 'what was held is free again');
  }
});

test('what has run counts as what it was', async (t) => {
  const past = subscriber({ ...STOPPED, caps: [{ unit: 'tokens', model: '*', amount: '1', per: 'day' }] });
  accept(past, charge({ output_tokens: 1 }));
  const before = balance(past);
  t.equal(word(when(past, charge({ calls: 1 }))), 'recorded');
  t.equal(word(when(past, order.record(name(), { calls: 1 }, { model: 'draws' }))), 'recorded');
  t.equal(balance(past), before);
});
