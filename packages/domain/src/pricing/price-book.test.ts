import { test } from 'tap';
import { STANDARD } from '../testing/books.ts';
import { compileBook, type PriceBookContent } from './price-book.ts';

test('a book with every way to say a price compiles', async (t) => {
  const compiled = compileBook(STANDARD);
  t.ok(compiled.ok);
});

const USD = { amount: '0.01', currency: 'USD' };
const cost = { cost: { amount: '0.03', currency: 'USD' }, markup: '0.5' };

/** A book with one model of one dimension, so that each case shows only what is wrong. */
const book = (dimension: string, price: object, rest: object = { credit_value: USD }, model: object = {}) =>
  ({ ...rest, models: { m: { ...model, prices: { [dimension]: price } } } }) as PriceBookContent;

const faults: readonly [what: string, content: PriceBookContent, field: string, rule: RegExp][] = [
  ['no `per`', book('calls', { credits: '1' }), 'models.m.prices.calls.per', /whole number from 1/],
  ['`per` 0', book('calls', { credits: '1', per: 0 }), 'models.m.prices.calls.per', /whole number from 1/],
  ['`per` 1.5', book('calls', { credits: '1', per: 1.5 }), 'models.m.prices.calls.per', /whole number/],
  [
    '`per` 1e9+1',
    book('calls', { credits: '1', per: 1e9 + 1 }),
    'models.m.prices.calls.per',
    /to 1000000000/,
  ],
  [
    'a negative price',
    book('calls', { credits: '-1', per: 1 }),
    'models.m.prices.calls.credits',
    /not negative/,
  ],
  [
    'an exponent',
    book('calls', { credits: '1e3', per: 1 }),
    'models.m.prices.calls.credits',
    /decimal string/,
  ],
  [
    '19 decimals',
    book('calls', { credits: `0.${'1'.repeat(19)}`, per: 1 }),
    'models.m.prices.calls.credits',
    /18/,
  ],
  [
    'an unknown dimension',
    book('toString', { credits: '1', per: 1 }),
    'models.m.prices.toString',
    /not a dimension/,
  ],
  [
    'neither credits nor cost',
    book('calls', { per: 1 }),
    'models.m.prices.calls',
    /either credits or a cost/,
  ],
  [
    'both credits and cost',
    book('calls', { credits: '1', ...cost, per: 1 }),
    'models.m.prices.calls',
    /either credits or a cost/,
  ],
  ['a cost without credit_value', book('calls', { ...cost, per: 1 }, {}), 'credit_value', /needed/],
  [
    'a cost in another currency than credit_value (rule 24)',
    book('calls', { ...cost, per: 1 }, { credit_value: { amount: '0.01', currency: 'EUR' } }),
    'models.m.prices.calls.cost.currency',
    /credit_value \(EUR\)/,
  ],
  [
    'credit_value 0',
    book('calls', { credits: '1', per: 1 }, { credit_value: { amount: '0.00', currency: 'USD' } }),
    'credit_value.amount',
    /more than 0/,
  ],
  [
    'a currency in small letters',
    book('calls', { credits: '1', per: 1 }, { credit_value: { amount: '1', currency: 'usd' } }),
    'credit_value.currency',
    /three capital letters/,
  ],
  [
    'a negative markup',
    book('calls', { ...cost, markup: '-0.2', per: 1 }),
    'models.m.prices.calls.markup',
    /not negative/,
  ],
  [
    'a demand factor that is no number',
    book('calls', { ...cost, demand_factor: 'high', per: 1 }),
    'models.m.prices.calls.demand_factor',
    /decimal string/,
  ],
  [
    'round_to 0',
    book('calls', { credits: '1', per: 1 }, {}, { round_to: '0' }),
    'models.m.round_to',
    /above 0/,
  ],
  [
    'round_to finer than a credit goes',
    book('calls', { credits: '1', per: 1 }, {}, { round_to: '0.0000001' }),
    'models.m.round_to',
    /at most 6 decimals/,
  ],
  [
    'steps for tokens',
    book('input_tokens', { steps: [{ up_to: 1, credits: '1' }] }),
    'models.m.prices.input_tokens.steps',
    /video_seconds only/,
  ],
  ['no steps', book('video_seconds', { steps: [] }), 'models.m.prices.video_seconds.steps', /not be empty/],
  [
    'steps that do not grow',
    book('video_seconds', {
      steps: [
        { up_to: 10, credits: '1' },
        { up_to: 10, credits: '2' },
      ],
    }),
    'models.m.prices.video_seconds.steps.1.up_to',
    /grow/,
  ],
  [
    'a step with 4 decimals',
    book('video_seconds', { steps: [{ up_to: 1.2345, credits: '1' }] }),
    'models.m.prices.video_seconds.steps.0.up_to',
    /3 decimals/,
  ],
];
for (const [what, content, field, rule] of faults) {
  test(`${what} refuses publication, and names the field and the rule`, async (t) => {
    const compiled = compileBook(content);
    if (compiled.ok) throw new Error('it compiled');
    t.equal(compiled.fault.field, field);
    t.match(compiled.fault.rule, rule);
  });
}
