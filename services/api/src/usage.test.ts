import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call } = ledger;

const BOOK = {
  models: {
    'gpt-4o': { prices: { input_tokens: { credits: '1', per: 1 }, output_tokens: { credits: '2', per: 1 } } },
  },
};
await call('PUT', '/v1/price-books/default', BOOK);

async function accountWith(id: string, credits: string): Promise<void> {
  await call('POST', '/v1/accounts', { id });
  await call('POST', `/v1/accounts/${id}/top-ups`, { credits, source: 'test', reference: 'first' });
}
const used = (account: string, id: string, tokens = 10, more: object = {}) => ({
  id,
  account,
  model: 'gpt-4o',
  usage: { input_tokens: tokens },
  ...more,
});

t.test('a usage is charged once, and told again it is answered the same to the byte', async (t) => {
  await accountWith('acme', '100');
  const usage = { id: 'u1', account: 'acme', model: 'gpt-4o', usage: { input_tokens: 10, output_tokens: 5 } };
  const first = await call('POST', '/v1/usage', usage);
  t.equal(first.status, 201, first.text);
  t.match(first.body, {
    id: 'u1',
    entry_id: 'wallet-acme:2',
    status: 'charged',
    credits: '20',
    balance: { available: '80', held: '0' },
    lots: [{ credits: '20' }],
    position: /^\d+$/,
  });
  t.equal(first.headers['idempotent-replayed'], undefined);
  const second = await call('POST', '/v1/usage', {
    ...usage,
    usage: { output_tokens: 5, input_tokens: 10, images: 0 },
  });
  t.equal(second.status, 200);
  t.equal(second.headers['idempotent-replayed'], 'true');
  t.equal(second.text, first.text);
  const balance = await call('GET', '/v1/accounts/acme/balance');
  t.match(balance.body, { account: 'acme', available: '80', held: '0', granted: '100', consumed: '20' });
});

t.test(
  'a charge beyond the credits is a 402 that says what there is and what it takes, and burns no id',
  async (t) => {
    await accountWith('poor', '5');
    const refused = await call('POST', '/v1/usage', used('poor', 'u1'));
    t.equal(refused.status, 402);
    t.match(refused.body, { code: 'insufficient_credits', available: '5', required: '10' });
    await call('POST', '/v1/accounts/poor/top-ups', { credits: '5', source: 'test', reference: 'second' });
    t.equal((await call('POST', '/v1/usage', used('poor', 'u1'))).status, 201);
  },
);

t.test('a frozen account is charged only for what has run already', async (t) => {
  await accountWith('cold', '50');
  await call('POST', '/v1/accounts/cold/freeze', { reason: 'dispute', reference: 'f1' });
  const refused = await call('POST', '/v1/usage', used('cold', 'u1'));
  t.equal(refused.status, 403);
  t.match(refused.body, { code: 'account_frozen', reasons: ['dispute'] });
  const recorded = await call('POST', '/v1/usage', used('cold', 'u1', 60, { mode: 'record' }));
  t.equal(recorded.status, 201);
  t.match(recorded.body, { credits: '60', balance: { available: '-10' } });
});

t.test('usage without a price is parked, listed, and charged once there is one', async (t) => {
  await accountWith('early', '100');
  const usage = { id: 'u1', account: 'early', model: 'new-model', usage: { input_tokens: 3 } };
  const parked = await call('POST', '/v1/usage', usage);
  t.equal(parked.status, 202);
  t.match(parked.body, { id: 'u1', status: 'unpriced', reason: 'no_model' });
  t.equal((await call('POST', '/v1/usage', usage)).status, 202, 'still parked when it is told again');
  const listed = await call('GET', `/v1/usage?status=unpriced&min_position=${parked.body.position}`);
  t.match(listed.body.data, [{ id: 'u1', account: 'early', status: 'unpriced', credits: null }]);
  t.equal((await call('POST', '/v1/accounts/early/usage/u1/reprice')).body.code, 'no_price');
  const models = { ...BOOK.models, 'new-model': { prices: { input_tokens: { credits: '4', per: 1 } } } };
  t.match((await call('PUT', '/v1/price-books/default', { models })).body, { version: 2 });
  const charged = await call('POST', '/v1/accounts/early/usage/u1/reprice');
  t.equal(charged.status, 201);
  t.match(charged.body, { id: 'u1', status: 'charged', credits: '12', repriced: 'later_version' });
  const again = await call('POST', '/v1/usage', usage);
  t.equal(again.status, 200);
  t.match(again.body, { status: 'charged', credits: '12' }, 'its replay is answered as it was charged');
  const empty = await call('GET', `/v1/usage?status=unpriced&min_position=${charged.body.position}`);
  t.same(empty.body.data, []);
});

t.test('a charge that was taken back is told again as reversed', async (t) => {
  await accountWith('regret', '100');
  const charged = await call('POST', '/v1/usage', used('regret', 'u1'));
  const url = `/v1/accounts/regret/entries/${charged.body.entry_id}/reversal`;
  const reversal = await call('POST', url, { reason: 'model failed' });
  t.equal(reversal.status, 201);
  t.match(reversal.body, { reverses: charged.body.entry_id, credits: '10', balance: { available: '100' } });
  const again = await call('POST', '/v1/usage', used('regret', 'u1'));
  t.equal(again.status, 200);
  t.match(again.body, { credits: '10', reversed: true });
  const read = await call('GET', '/v1/accounts/regret/usage/u1');
  t.match(read.body, { reversed: true });
  const other = await call('POST', '/v1/accounts/acme/entries/wallet-regret:2/reversal', {
    reason: 'not mine',
  });
  t.equal(other.status, 404, 'an entry of another account is none');
});

t.test('each item of an array has a fate of its own, in order', async (t) => {
  await accountWith('many', '25');
  const items = [
    used('many', 'a'),
    used('many', 'b', -1),
    used('nobody', 'c'),
    { id: 'd' },
    used('many', 'e'),
    used('many', 'f'),
    7,
    { ...used('many', 'g'), model: 'unknown-model' },
    used('many', 'a'),
  ];
  const { status, body } = await call('POST', '/v1/usage', items);
  t.equal(status, 200);
  t.match(body.results, [
    { id: 'a', status: 'charged', balance: { available: '15' } },
    {
      id: 'b',
      status: 'refused',
      problem: { code: 'invalid_value', status: 422, errors: [{ field: 'usage.input_tokens' }] },
    },
    { id: 'c', status: 'refused', problem: { code: 'account_not_found' } },
    { id: 'd', status: 'refused', problem: { code: 'malformed_request', status: 400 } },
    { id: 'e', status: 'charged', balance: { available: '5' } },
    { id: 'f', status: 'refused', problem: { code: 'insufficient_credits', available: '5', required: '10' } },
    { id: '', status: 'refused', problem: { code: 'malformed_request' } },
    { id: 'g', status: 'unpriced' },
    { id: 'a', status: 'charged', replayed: true },
  ]);
  const again = await call('POST', '/v1/usage', items);
  const { replayed: _, ...charged } = again.body.results[0];
  t.same(charged, body.results[0], 'sent again whole, what was charged is told again');
  t.equal(again.body.results[4].replayed, true);
  t.match((await call('GET', '/v1/accounts/many/balance')).body, { available: '5', consumed: '20' });
});

t.test('an array may have 5,000 items and no more', async (t) => {
  await accountWith('bulk', '5000');
  const items = Array.from({ length: 5_001 }, (_, index) => used('bulk', `u${index}`, 1));
  t.equal((await call('POST', '/v1/usage', items)).status, 413);
  const { status, body } = await call('POST', '/v1/usage', items.slice(1));
  t.equal(status, 200);
  t.ok(body.results.every((item: { status: string }) => item.status === 'charged'));
  t.equal(body.results.at(-1).balance.available, '0');
});

t.test('an array is admitted whole or not at all', async (t) => {
  const small = await startTestLedger({ runnerLimits: { queue: 3 } });
  t.teardown(() => small.stop());
  await small.call('POST', '/v1/accounts', { id: 'acme' });
  const items = Array.from({ length: 4 }, (_, index) => used('acme', `u${index}`, 1, { mode: 'record' }));
  const full = await small.call('POST', '/v1/usage', items);
  t.equal(full.status, 429);
  t.equal(full.headers['retry-after'], '1');
  t.equal(full.body.code, 'queue_full');
  t.equal((await small.call('GET', '/v1/accounts/acme/balance')).body.consumed, '0');
});

t.test('positions carry the epoch of the store in their high digits', async (t) => {
  const later = await startTestLedger({ epoch: 2 });
  t.teardown(() => later.stop());
  const { call: ask } = later;
  await ask('POST', '/v1/accounts', { id: 'acme' });
  const topUp = { credits: '1', source: 'test', reference: 'first' };
  const { position } = (await ask('POST', '/v1/accounts/acme/top-ups', topUp)).body;
  t.match(position, /^2\d{18}$/);
  const balance = await ask('GET', `/v1/accounts/acme/balance?min_position=${position}`);
  t.match(balance.body.position, /^2\d{18}$/);
  t.equal(
    (await ask('GET', '/v1/accounts/acme/balance?min_position=17')).status,
    200,
    'an earlier epoch is all in here',
  );
  const behind = await ask('GET', `/v1/accounts/acme/balance?min_position=3${'0'.repeat(18)}`);
  t.equal(behind.status, 503);
  t.equal(behind.body.code, 'projection_behind');
  t.ok(behind.headers['retry-after']);
});
