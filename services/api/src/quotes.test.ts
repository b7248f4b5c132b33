import fc from 'fast-check';
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call } = ledger;
await call('PUT', '/v1/price-books/default', {
  credit_value: { amount: '0.003', currency: 'USD' },
  models: {
    m: {
      round_to: '0.01',
      prices: {
        input_tokens: {
          cost: { amount: '2.5', currency: 'USD' },
          per: 1_000_000,
          markup: '0.2',
          demand_factor: '1.5',
        },
        output_tokens: { credits: '7', per: 1_000 },
        video_seconds: {
          steps: [
            { up_to: 5, credits: '50' },
            { up_to: 10.5, credits: '90' },
          ],
        },
      },
    },
  },
});
await call('PUT', '/v1/price-books/vip', {
  models: { m: { prices: { output_tokens: { credits: '1', per: 1_000 } } } },
});

t.test('a quote says the price and why, with the numbers', async (t) => {
  const usage = { input_tokens: 1_000, output_tokens: 500, video_seconds: 10.5 };
  const { status, body } = await call('POST', '/v1/quotes', { model: 'm', usage });
  t.equal(status, 200);
  t.same(body, {
    credits: '95',
    lines: [
      {
        dimension: 'input_tokens',
        quantity: 1_000,
        price: { credits: '1500', per: 1_000_000 },
        credits_exact: '1.5',
      },
      {
        dimension: 'output_tokens',
        quantity: 500,
        price: { credits: '7', per: 1_000 },
        credits_exact: '3.5',
      },
      {
        dimension: 'video_seconds',
        quantity: 10.5,
        price: { credits: '90', up_to: 10.5 },
        credits_exact: '90',
      },
    ],
    rounding: { exact: '95', round_to: '0.01', rule: 'up' },
    price_book: { name: 'default', version: 1 },
  });
});

t.test("an account's own price book is used", async (t) => {
  await call('POST', '/v1/accounts', { id: 'vip-1', price_book: 'vip' });
  const { body } = await call('POST', '/v1/quotes', {
    model: 'm',
    usage: { output_tokens: 1_001 },
    account: 'vip-1',
  });
  t.match(body, { credits: '2', price_book: { name: 'vip' }, rounding: { exact: '1.001', round_to: '1' } });
});

t.test('what has no price has no quote', async (t) => {
  const missing = [
    [
      { model: 'x', usage: { calls: 1 } },
      { reason: 'no_model', missing: 'x' },
    ],
    [
      { model: 'm', usage: { calls: 1 } },
      { reason: 'no_dimension', missing: 'calls' },
    ],
    [
      { model: 'm', usage: { video_seconds: 11 } },
      { reason: 'no_step', missing: 'video_seconds' },
    ],
  ] as const;
  for (const [body, facts] of missing) {
    const answer = await call('POST', '/v1/quotes', body);
    t.equal(answer.status, 422);
    t.match(answer.body, { code: 'no_price', ...facts });
  }
});

t.test('what is quoted is what is charged', async () => {
  await call('POST', '/v1/accounts', { id: 'acme' });
  let count = 0;
  const quantity = fc.nat({ max: 100_000 });
  await fc.assert(
    fc.asyncProperty(quantity, quantity, async (input_tokens, output_tokens) => {
      const usage = { input_tokens, output_tokens };
      const quote = await call('POST', '/v1/quotes', { model: 'm', usage, account: 'acme' });
      const item = { id: `u${count++}`, account: 'acme', model: 'm', usage, mode: 'record' };
      const charge = await call('POST', '/v1/usage', item);
      return quote.body.credits === charge.body.credits;
    }),
    { numRuns: 50 },
  );
});
