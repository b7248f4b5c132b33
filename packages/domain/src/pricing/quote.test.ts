import fc from 'fast-check';
import { test } from 'tap';
import { formatCredits } from '../amount.ts';
import { bookVersion, STANDARD, standardBooks } from '../testing/books.ts';
import type { Usage } from '../usage.ts';
import type { PriceBookContent } from './price-book.ts';
import { priceUsage } from './quote.ts';

const priced = (model: string, usage: Usage, content: PriceBookContent = STANDARD) => {
  const outcome = priceUsage(bookVersion('default', 1, 0, content), model, usage);
  if (outcome.status === 'unpriced') throw new Error(`${outcome.reason} ${outcome.missing}`);
  return outcome;
};
const credits = (model: string, usage: Usage): string => formatCredits(priced(model, usage).credits);

test('7.5 credits are charged as 8 (P4)', async (t) => {
  const outcome = priced('gpt-4', { input_tokens: 1000, output_tokens: 500 });
  t.equal(formatCredits(outcome.credits), '8');
  t.same(outcome.facts, {
    exact: '7.5',
    round_to: '1',
    lines: [
      { dimension: 'input_tokens', quantity: 1000, exact: '5', price: { credits: '5', per: 1000 } },
      { dimension: 'output_tokens', quantity: 500, exact: '2.5', price: { credits: '5', per: 1000 } },
    ],
  });
});

test('a charge is rounded once, not line by line', async (t) => {
  // 0.5 + 0.5: two roundings would make it 2.
  t.equal(credits('gpt-4', { input_tokens: 100, output_tokens: 100 }), '1');
});

test('credits = cost x (1 + markup) x demand factor / credit value, and the cost is known beside it (P3, P9)', async (t) => {
  const outcome = priced('claude', { input_tokens: 1000 });
  t.equal(outcome.facts.exact, '5.4');
  t.equal(formatCredits(outcome.credits), '6');
  t.same(outcome.cost, { amount: '0.03', currency: 'USD' });
  t.equal(outcome.supplier, 'anthropic');
  t.match(
    outcome.facts.lines[0]?.price,
    { markup: '0.5', demand_factor: '1.2' },
    'the price as published, so nothing is priced again',
  );
});

test('a price in credits has no cost', async (t) => {
  const outcome = priced('gpt-4', { input_tokens: 1 });
  t.equal(outcome.cost, null);
});

test('a video costs what the first step that is long enough costs (P1)', async (t) => {
  const steps: readonly [number, string][] = [
    [0.001, '10'],
    [10, '10'],
    [10.001, '15'],
    [15, '15'],
    [15.5, '25'],
    [25, '25'],
  ];
  for (const [video_seconds, expected] of steps)
    t.equal(credits('sora', { video_seconds }), expected, `${video_seconds} s`);
});

test('a fraction that does not end is exact until it is rounded', async (t) => {
  const outcome = priced('fine', { characters: 22 });
  t.equal(outcome.facts.exact, '22/3');
  t.equal(formatCredits(outcome.credits), '7.333334');
  t.equal(credits('fine', { characters: 3 }), '1');
});

test('our cost is rounded to the nearest step, ties to even', async (t) => {
  const tiny = (amount: string): PriceBookContent => ({
    credit_value: { amount: '1', currency: 'USD' },
    models: { m: { prices: { calls: { cost: { amount, currency: 'USD' }, per: 1, markup: '0' } } } },
  });
  t.equal(priced('m', { calls: 1 }, tiny('0.0000000005')).cost?.amount, '0');
  t.equal(priced('m', { calls: 1 }, tiny('0.0000000015')).cost?.amount, '0.000000002');
  t.equal(priced('m', { calls: 2 }, tiny('0.0000000015')).cost?.amount, '0.000000003');
});

test('price "0" is a price', async (t) => {
  t.equal(credits('free', { calls: 3 }), '0');
});

const unpriced: readonly [string, Usage, string, string][] = [
  ['unheard-of', { calls: 1 }, 'no_model', 'unheard-of'],
  ['toString', { calls: 1 }, 'no_model', 'toString'],
  ['gpt-4', { input_tokens: 10, images: 1 }, 'no_dimension', 'images'],
  ['sora', { video_seconds: 25.001 }, 'no_step', 'video_seconds'],
  ['fine', { calls: 1_000_000_001 }, 'out_of_range', 'fine'],
];
for (const [model, usage, reason, missing] of unpriced) {
  test(`${model} ${JSON.stringify(usage)} is ${reason}: never zero, never a part of it (P10)`, async (t) => {
    t.same(priceUsage(bookVersion('default', 1, 0, STANDARD), model, usage), {
      status: 'unpriced',
      reason,
      missing,
    });
  });
}

test('a cost beyond what an amount may be is a mistake in the book, not a charge', async (t) => {
  const content: PriceBookContent = {
    credit_value: { amount: '999999999999', currency: 'USD' },
    models: {
      m: { prices: { calls: { cost: { amount: '2000000000', currency: 'USD' }, per: 1, markup: '0' } } },
    },
  };
  t.match(priceUsage(bookVersion('default', 1, 0, content), 'm', { calls: 1 }), { reason: 'out_of_range' });
});

test('what was not used needs no price', async (t) => {
  t.equal(credits('gpt-4', { input_tokens: 1000, images: 0 }), '5');
});

test('no book, no price', async (t) => {
  t.same(standardBooks.price('vip', 0, 'gpt-4', { input_tokens: 1 }), {
    status: 'unpriced',
    reason: 'no_price_book',
    missing: 'vip',
  });
});

test('a charge is never below the exact sum, and less than one step above it', async () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (input_tokens, output_tokens) => {
      const { credits: charged } = priced('gpt-4', { input_tokens, output_tokens });
      // 5 credits for 1,000 tokens: 5,000 steps of 10^-6 for each.
      const exact = BigInt(input_tokens + output_tokens) * 5_000n;
      return charged >= exact && charged - exact < 1_000_000n && charged % 1_000_000n === 0n;
    }),
  );
});
