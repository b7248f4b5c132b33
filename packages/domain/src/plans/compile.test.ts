import fc from 'fast-check';
import { test } from 'tap';
import { AMOUNT_MAX } from '../amount.ts';
import type { Dimension } from '../usage.ts';
import { compiledTerms, compilePlan } from './compile.ts';
import { type IncludedLine, type PlanTerms, TOKEN_DIMENSIONS } from './terms.ts';

const PLAN: PlanTerms = {
  name: 'Basic',
  price: { amount: '9.99', currency: 'USD' },
  interval: 'month',
  anchor: 'subscription',
  included: [{ unit: 'tokens', model: '*', amount: '100000', per: 'period' }],
  overage: 'credits',
};
const CALLS: IncludedLine = { unit: 'calls', model: '*', amount: '10', per: 'day' };

function compiled(more: Partial<PlanTerms>) {
  const result = compilePlan({ ...PLAN, ...more });
  if (!result.ok) throw new Error(`${result.fault.field} ${result.fault.rule}`);
  return result.plan;
}

test('amounts, models and factors are read once', async (t) => {
  const plan = compiled({
    included: [{ ...CALLS, amount: 'unlimited' }, ...PLAN.included],
    caps: [{ unit: 'calls', model: 'gpt-4', amount: '7', per: 'day' }],
    allowed_models: ['gpt-4', 'openai/gpt-4o'],
    overage_multiplier: '1.5',
  });
  t.same(plan.price, { unit: 'USD', amount: 9_990_000_000n });
  t.match(plan.included[0], { unit: 'calls', model: '*', amount: null, per: 'day', counted: new Set() });
  t.match(plan.included[1], { amount: 100_000n, counted: new Set(TOKEN_DIMENSIONS) });
  t.same(plan.caps, [{ unit: 'calls', model: 'gpt-4', amount: 7n, per: 'day' }]);
  t.same(plan.allowedModels, new Set(['gpt-4', 'openai/gpt-4o']));
  t.same(plan.overageMultiplier, { n: 3n, d: 2n });
});

test('what the terms leave out is no limit, factor one, no price of its own', async (t) => {
  const plan = compiled({});
  t.equal(plan.allowedModels, null);
  t.same(plan.overageMultiplier, { n: 1n, d: 1n });
  t.equal(plan.overagePrices.size, 0);
  t.same(plan.caps, []);
});

test('an overage price is that of a thousandth of a unit, in smallest steps of a credit', async (t) => {
  const { overagePrices } = compiled({
    overage_prices: {
      '*': { input_tokens: { credits: '0.002', per: 1 } },
      'gpt-4': { calls: { credits: '1', per: 3 } },
    },
  });
  // 0.002 credits are 2,000 steps: 2 for a thousandth.
  t.same(overagePrices.get('*')?.get('input_tokens')?.credits, { n: 2n, d: 1n });
  t.same(overagePrices.get('gpt-4')?.get('calls')?.credits, { n: 1_000n, d: 3n });
  t.same(overagePrices.get('gpt-4')?.get('calls')?.published, { credits: '1', per: 3 });
});

test('a million tokens at an overage price cost what the price says, whatever it is', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 1_000_000_000 }),
    fc.integer({ min: 1, max: 1_000_000 }),
    (micros, per) => {
      const credits = `${Math.floor(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, '0')}`;
      const { overagePrices } = compiled({
        overage_prices: { m: { output_tokens: { credits, per } } },
      });
      const price = overagePrices.get('m')?.get('output_tokens')?.credits ?? { n: 0n, d: 1n };
      // n/d steps for a thousandth; a million tokens are 10^9 thousandths.
      return price.n * 1_000_000_000n * BigInt(per) === price.d * BigInt(micros) * 1_000_000n;
    },
  );
  t.doesNotThrow(() => fc.assert(property));
});

const tooMany = (count: number): readonly IncludedLine[] =>
  Array.from({ length: count }, (_, index) => ({ ...CALLS, model: `m${index}` }));
const dimensions = (...names: string[]): readonly Dimension[] => names as Dimension[];

const BAD: readonly [field: string, more: object][] = [
  ['price.credits', { price: { credits: '-1' } }],
  ['price.credits', { price: { credits: '0.0000001' } }],
  ['price.amount', { price: { amount: '1e3', currency: 'USD' } }],
  ['price.amount', { price: { amount: String(AMOUNT_MAX + 1n), currency: 'USD' } }],
  ['price.currency', { price: { amount: '1', currency: 'usd' } }],
  ['interval', { interval: 'day' }],
  ['anchor', { anchor: 'moon' }],
  ['trial_days', { trial_days: 3_651 }],
  ['trial_days', { trial_days: 1.5 }],
  ['trial_days', { trial_days: -1 }],
  ['grace.days', { grace: { days: 366, quota: 'none' } }],
  ['grace.quota', { grace: { days: 3, quota: 'half' } }],
  ['included.0.unit', { included: [{ ...CALLS, unit: 'images' }] }],
  ['included.0.per', { included: [{ ...CALLS, per: 'year' }] }],
  ['included.0.model', { included: [{ ...CALLS, model: '' }] }],
  ['included.0.model', { included: [{ ...CALLS, model: 'a\0' }] }],
  ['included.0.amount', { included: [{ ...CALLS, amount: '1.5' }] }],
  ['included.0.amount', { included: [{ ...CALLS, amount: '-1' }] }],
  ['included.0.amount', { included: [{ ...CALLS, amount: '01' }] }],
  ['included.0.amount', { included: [{ ...CALLS, amount: '1'.repeat(13) }] }],
  ['included.1', { included: [CALLS, { ...CALLS, amount: '11' }] }],
  ['included.0.counted_dimensions', { included: [{ ...CALLS, counted_dimensions: ['input_tokens'] }] }],
  [
    'included.0.counted_dimensions',
    { included: [{ ...CALLS, unit: 'tokens', counted_dimensions: dimensions('images') }] },
  ],
  ['included.0.counted_dimensions', { included: [{ ...CALLS, unit: 'tokens', counted_dimensions: [] }] }],
  [
    'included.0.counted_dimensions',
    {
      included: [
        { ...CALLS, unit: 'tokens', counted_dimensions: dimensions('input_tokens', 'input_tokens') },
      ],
    },
  ],
  ['included', { included: tooMany(101) }],
  ['caps', { caps: tooMany(101) }],
  ['caps.0.amount', { caps: [{ ...CALLS, amount: 'unlimited' }] }],
  ['caps.1', { caps: [CALLS, CALLS] }],
  ['overage', { overage: 'free' }],
  ['overage_multiplier', { overage_multiplier: '0' }],
  ['overage_multiplier', { overage_multiplier: '-1' }],
  ['overage_prices.m', { overage_prices: { m: {} } }],
  ['overage_prices.m.tokens', { overage_prices: { m: { tokens: { credits: '1', per: 1 } } } }],
  ['overage_prices.m.calls.per', { overage_prices: { m: { calls: { credits: '1', per: 0 } } } }],
  ['overage_prices.m.calls.per', { overage_prices: { m: { calls: { credits: '1', per: 0.5 } } } }],
  ['overage_prices.m.calls.credits', { overage_prices: { m: { calls: { credits: '', per: 1 } } } }],
  ['price_book', { price_book: 'a b' }],
  ['allowed_models.1', { allowed_models: ['m', '\ud800'] }],
  ['allowed_models', { allowed_models: Array.from({ length: 501 }, (_, index) => `m${index}`) }],
  ['features', { features: Array.from({ length: 101 }, () => 'f') }],
  ['rate_limit_per_minute', { rate_limit_per_minute: 0 }],
  ['max_concurrent_requests', { max_concurrent_requests: 1.5 }],
  ['default_plan', { default_plan: true }],
  ['default_plan', { default_plan: true, price: { amount: '0', currency: 'USD' } }],
  ['body', { features: Array.from({ length: 100 }, () => '\u{1f9fe}'.repeat(200)) }],
];
for (const [index, [field, more]] of BAD.entries()) {
  test(`${index}: a fault in ${field} is named with the rule`, async (t) => {
    const result = compilePlan({ ...PLAN, ...more } as PlanTerms);
    t.match(result, { ok: false, fault: { field, rule: /.{5}/ } });
  });
}

test('at their bounds the terms are still good', async (t) => {
  const models = Array.from({ length: 500 }, (_, index) => `m${index}`);
  t.ok(compiled({ allowed_models: models, included: tooMany(100), caps: tooMany(100) }));
  t.ok(compiled({ trial_days: 3_650, grace: { days: 365, quota: 'full' } }));
  t.ok(compiled({ price: { credits: '0' }, default_plan: true }));
});

test('terms are compiled once per copy, and such as cannot have been published are a bug', async (t) => {
  const terms = { ...PLAN };
  t.equal(compiledTerms(terms), compiledTerms(terms));
  t.not(compiledTerms(terms), compiledTerms({ ...PLAN }));
  t.throws(() => compiledTerms({ ...PLAN, overage_multiplier: 'x' }), /overage_multiplier/);
});
