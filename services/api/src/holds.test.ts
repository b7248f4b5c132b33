import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let now = Date.parse('2026-03-01T12:00:00Z');
const ledger = await startTestLedger({ now: () => now });
t.teardown(() => ledger.stop());
const { call } = ledger;

const prices = { input_tokens: { credits: '1', per: 1 } };
await call('PUT', '/v1/price-books/default', {
  effective_from: '2026-01-01T00:00:00Z',
  models: { m: { prices } },
});

async function accountWith(id: string, credits: string): Promise<void> {
  await call('POST', '/v1/accounts', { id });
  await call('POST', `/v1/accounts/${id}/top-ups`, { credits, source: 'test', reference: 'first' });
}
const authorize = (account: string, tokens: number, hold?: { id: string; expires_in: number }) =>
  call('POST', '/v1/authorize', { account, model: 'm', estimate: { input_tokens: tokens }, hold });

t.test('authorize without a hold is advice and changes nothing', async (t) => {
  await accountWith('acme', '100');
  const yes = await authorize('acme', 40);
  t.equal(yes.status, 200);
  t.same(yes.body, { allowed: true, credits: '40', available: '100', reasons: [] });
  t.same((await authorize('acme', 101)).body, {
    allowed: false,
    credits: '101',
    available: '100',
    reasons: ['insufficient_credits'],
  });
  const unknown = await call('POST', '/v1/authorize', {
    account: 'acme',
    model: 'x',
    estimate: { input_tokens: 1 },
  });
  t.same(unknown.body, { allowed: false, credits: null, available: '100', reasons: ['no_price'] });
  t.equal((await authorize('nobody', 1)).status, 404);
});

t.test('a hold reserves, and the same hold again answers the same', async (t) => {
  await accountWith('held', '100');
  const first = await authorize('held', 40, { id: 'h1', expires_in: 60 });
  t.match(first.body, {
    allowed: true,
    credits: '40',
    available: '60',
    hold: { id: 'h1', credits: '40', expires_at: '2026-03-01T12:01:00.000Z' },
  });
  const again = await authorize('held', 40, { id: 'h1', expires_in: 60 });
  t.match(first.body.position, /^\d+$/);
  const read = await call('GET', `/v1/accounts/held/holds/h1?min_position=${first.body.position}`);
  t.equal(read.status, 200, 'the position is that of the hold');
  t.equal(again.text, first.text);
  t.equal(again.headers['idempotent-replayed'], 'true');
  t.equal((await authorize('held', 41, { id: 'h1', expires_in: 60 })).body.code, 'idempotency_conflict');
  const no = await authorize('held', 61, { id: 'h2', expires_in: 60 });
  t.same(no.body, { allowed: false, credits: '61', available: '60', reasons: ['insufficient_credits'] });
  t.match((await call('GET', '/v1/accounts/held/holds/h1')).body, {
    id: 'h1',
    status: 'open',
    credits: '40',
  });
  t.equal((await call('GET', '/v1/accounts/held/holds/h2')).status, 404, 'a refused hold is none');
  t.match((await call('GET', '/v1/accounts/held/balance')).body, { available: '60', held: '40' });
});

t.test('settling twice, and posting the settled call as usage, are one charge', async (t) => {
  await accountWith('once', '100');
  await authorize('once', 40, { id: 'h1', expires_in: 60 });
  const body = { usage: { input_tokens: 30 } };
  const settled = await call('POST', '/v1/accounts/once/holds/h1/settle', body);
  t.equal(settled.status, 201);
  t.match(settled.body, {
    id: 'h1',
    status: 'charged',
    credits: '30',
    balance: { available: '70', held: '0' },
  });
  const again = await call('POST', '/v1/accounts/once/holds/h1/settle', body);
  t.equal(again.status, 200);
  t.equal(again.text, settled.text);
  for (const hold of [undefined, 'h1']) {
    const posted = await call('POST', '/v1/usage', { id: 'h1', account: 'once', model: 'm', ...body, hold });
    t.equal(posted.status, 200);
    t.equal(posted.text, settled.text);
  }
  const other = await call('POST', '/v1/accounts/once/holds/h1/settle', { usage: { input_tokens: 31 } });
  t.equal(other.body.code, 'idempotency_conflict');
  t.equal((await call('POST', '/v1/accounts/once/holds/h1/void')).body.code, 'hold_closed');
});

t.test('a usage that names its hold settles it, and settling it then is the same charge', async (t) => {
  await accountWith('named', '100');
  await authorize('named', 40, { id: 'h1', expires_in: 60 });
  const usage = { usage: { input_tokens: 30 } };
  const posted = await call('POST', '/v1/usage', {
    id: 'call-7',
    account: 'named',
    model: 'm',
    ...usage,
    hold: 'h1',
  });
  t.match(posted.body, { id: 'call-7', credits: '30', balance: { available: '70', held: '0' } });
  const settled = await call('POST', '/v1/accounts/named/holds/h1/settle', usage);
  t.equal(settled.status, 200);
  t.equal(settled.text, posted.text);
});

t.test(
  'settling more than was held takes the rest, into debt rather than lose a call that has run',
  async (t) => {
    await accountWith('over', '50');
    await authorize('over', 40, { id: 'h1', expires_in: 60 });
    const settled = await call('POST', '/v1/accounts/over/holds/h1/settle', { usage: { input_tokens: 80 } });
    t.match(settled.body, { credits: '80', balance: { available: '-30', held: '0' } });
    t.match((await call('GET', '/v1/accounts/over/lots?open=true')).body, { data: [] });
  },
);

t.test('void lets go, once', async (t) => {
  await accountWith('none', '50');
  await authorize('none', 40, { id: 'h1', expires_in: 60 });
  const first = await call('POST', '/v1/accounts/none/holds/h1/void');
  t.match(first.body, { id: 'h1', status: 'voided', balance: { available: '50', held: '0' } });
  const again = await call('POST', '/v1/accounts/none/holds/h1/void', {});
  t.equal(again.text, first.text);
  t.equal(again.headers['idempotent-replayed'], 'true');
  const late = await call('POST', '/v1/accounts/none/holds/h1/settle', { usage: { input_tokens: 1 } });
  t.equal(late.status, 409);
  t.match(late.body, { code: 'hold_closed', status: 409, hold_status: 'voided' });
  t.equal((await call('POST', '/v1/accounts/none/holds/h9/void')).body.code, 'hold_not_found');
});

t.test('extend sets totals, so twice is once', async (t) => {
  await accountWith('long', '100');
  await authorize('long', 10, { id: 'h1', expires_in: 60 });
  const more = { estimate: { input_tokens: 25 }, expires_in: 120 };
  const first = await call('POST', '/v1/accounts/long/holds/h1/extend', more);
  t.match(first.body, {
    hold: { id: 'h1', credits: '25', expires_at: '2026-03-01T12:02:00.000Z' },
    balance: { available: '75', held: '25' },
  });
  const again = await call('POST', '/v1/accounts/long/holds/h1/extend', more);
  t.same(again.body.hold, first.body.hold);
  t.same(again.body.balance, first.body.balance);
  const broke = await call('POST', '/v1/accounts/long/holds/h1/extend', { estimate: { input_tokens: 101 } });
  t.equal(broke.status, 402);
  t.equal((await call('POST', '/v1/accounts/long/holds/h1/extend', {})).status, 400);
  t.equal((await call('POST', '/v1/accounts/long/holds/nope/extend', more)).status, 404);
});

t.test(
  'a call that ends after its hold is charged all the same, and void changes nothing then',
  async (t) => {
    await accountWith('late', '100');
    await authorize('late', 40, { id: 'h1', expires_in: 60 });
    await authorize('late', 10, { id: 'h2', expires_in: 60 });
    now += 61_000;
    t.match((await call('GET', '/v1/accounts/late/holds/h1')).body, { status: 'expired', credits: '0' });
    t.match(
      (await authorize('late', 100)).body,
      { allowed: true, available: '100' },
      'advice knows what is due',
    );
    t.match((await call('POST', '/v1/accounts/late/holds/h2/void')).body, { id: 'h2', status: 'expired' });
    const settled = await call('POST', '/v1/accounts/late/holds/h1/settle', { usage: { input_tokens: 40 } });
    t.equal(settled.status, 201);
    t.match(settled.body, { credits: '40', late: true, balance: { available: '60', held: '0' } });
  },
);
