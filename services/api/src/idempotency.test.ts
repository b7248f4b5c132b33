import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call } = ledger;
const prices = { input_tokens: { credits: '1', per: 1 } };
await call('PUT', '/v1/price-books/default', {
  effective_from: '2025-01-01T00:00:00Z',
  models: { m: { prices } },
});
await call('POST', '/v1/accounts', { id: 'acme' });
await call('POST', '/v1/accounts/acme/top-ups', { credits: '1000', source: 'test', reference: 'first' });
const hold = (id: string) => ({
  account: 'acme',
  model: 'm',
  estimate: { input_tokens: 5 },
  hold: { id, expires_in: 60 },
});
await call('POST', '/v1/authorize', hold('settled'));
await call('POST', '/v1/authorize', hold('voided'));
const { body: spent } = await call('POST', '/v1/usage', {
  id: 'spent',
  account: 'acme',
  model: 'm',
  usage: { input_tokens: 9 },
});

interface Case {
  readonly what: string;
  readonly url: string;
  readonly body: object | undefined;
  /** The same, said otherwise. */
  readonly alike?: object;
  /** Another body under the same id; null where the body has nothing else in it. */
  readonly other: object | null;
  readonly first?: number;
}
const topUp = { credits: '5', paid: { amount: '0.5', currency: 'EUR' }, source: 'stripe', reference: 'r1' };
const at = '2026-01-31T12:00:00Z';
const CASES: readonly Case[] = [
  {
    what: 'a top-up',
    url: '/v1/accounts/acme/top-ups',
    body: topUp,
    alike: { ...topUp, credits: '5.000', paid: { amount: '0.50', currency: 'EUR' }, priority: 100 },
    other: { ...topUp, paid: { amount: '0.6', currency: 'EUR' } },
  },
  {
    what: 'a grant',
    url: '/v1/accounts/acme/grants',
    body: { credits: '5', kind: 'welcome', reference: 'r1', expires_at: '2099-01-31T12:00:00Z' },
    alike: { credits: '5.0', kind: 'welcome', reference: 'r1', expires_at: '2099-01-31T13:00:00+01:00' },
    other: { credits: '5', kind: 'welcome', reference: 'r1' },
  },
  {
    what: 'an adjustment',
    url: '/v1/accounts/acme/adjustments',
    body: { credits: '-2.5', reason: 'mistake', reference: 'r1' },
    alike: { credits: '-2.50', reason: 'mistake', reference: 'r1' },
    other: { credits: '2.5', reason: 'mistake', reference: 'r1' },
  },
  {
    what: 'a usage',
    url: '/v1/usage',
    body: { id: 'u1', account: 'acme', model: 'm', usage: { input_tokens: 3 }, occurred_at: at },
    alike: {
      id: 'u1',
      account: 'acme',
      model: 'm',
      usage: { input_tokens: 3, images: 0 },
      occurred_at: '2026-01-31T13:00:00.000+01:00',
      mode: 'record',
      metadata: { try: 2 },
    },
    other: { id: 'u1', account: 'acme', model: 'm', usage: { input_tokens: 4 }, occurred_at: at },
  },
  {
    what: 'a usage of a source, which is another than that without',
    url: '/v1/usage',
    body: { id: 'u1', account: 'acme', model: 'm', usage: { input_tokens: 7 }, source: 'gateway-2' },
    other: { id: 'u1', account: 'acme', model: 'm2', usage: { input_tokens: 7 }, source: 'gateway-2' },
  },
  {
    what: 'a hold',
    url: '/v1/authorize',
    body: hold('h1'),
    other: { ...hold('h1'), model: 'x' },
    first: 200,
  },
  {
    what: 'a settle',
    url: '/v1/accounts/acme/holds/settled/settle',
    body: { usage: { input_tokens: 4 }, cost: { amount: '1', currency: 'USD' } },
    alike: { usage: { input_tokens: 4 }, cost: { amount: '1.00', currency: 'USD' } },
    other: { usage: { input_tokens: 4 }, cost: { amount: '2', currency: 'USD' } },
  },
  { what: 'a void', url: '/v1/accounts/acme/holds/voided/void', body: undefined, other: null, first: 200 },
  {
    what: 'a reversal',
    url: `/v1/accounts/acme/entries/${spent.entry_id}/reversal`,
    body: { reason: 'bad answer' },
    alike: { reason: 'bad answer', allow_debt: false },
    other: { reason: 'another' },
  },
];

for (const { what, url, body, alike, other, first = 201 } of CASES) {
  t.test(
    `${what} that is told again is answered the same to the byte; with another body it is refused`,
    async (t) => {
      const told = await call('POST', url, body);
      t.equal(told.status, first, told.text);
      t.equal(told.headers['idempotent-replayed'], undefined);
      // Something comes between: the answer must be the one of then.
      await call('POST', '/v1/accounts/acme/grants', {
        credits: '1',
        kind: 'between',
        reference: what.replaceAll(/\W/g, ''),
      });
      const { events } = ledger.runner.counts;
      for (const again of [body, alike ?? body]) {
        const repeated = await call('POST', url, again);
        t.equal(repeated.status, 200, repeated.text);
        t.equal(repeated.headers['idempotent-replayed'], 'true');
        t.equal(repeated.text, told.text);
      }
      if (other !== null) {
        const refused = await call('POST', url, other);
        t.equal(refused.status, 422, refused.text);
        t.equal(refused.body.code, 'idempotency_conflict');
      }
      t.equal(ledger.runner.counts.events, events, 'and nothing more is recorded');
    },
  );
}

t.test('an account is opened once; the same again is 200, with other content 409', async (t) => {
  const body = { id: 'again', name: 'Again', overdraft_limit: '5', metadata: { crm: 7 } };
  const told = await call('POST', '/v1/accounts', body);
  t.equal(told.status, 201);
  const repeated = await call('POST', '/v1/accounts', { ...body, overdraft_limit: '5.0', time_zone: 'UTC' });
  t.equal(repeated.status, 200);
  t.equal(repeated.text, told.text);
  for (const other of [
    { overdraft_limit: '6' },
    { name: 'Other' },
    { metadata: {} },
    { time_zone: 'Europe/Berlin' },
  ]) {
    const refused = await call('POST', '/v1/accounts', { ...body, ...other });
    t.equal(refused.status, 409, JSON.stringify(other));
    t.equal(refused.body.code, 'account_exists');
  }
  await call('PATCH', '/v1/accounts/again', { name: 'Renamed' });
  t.equal(
    (await call('POST', '/v1/accounts', body)).status,
    200,
    'what it has become since is not what was asked',
  );
  t.match((await call('GET', '/v1/accounts/again')).body, { name: 'Renamed', overdraft_limit: '5' });
});

t.test('an account that a crash left without its profile gets it by the same call', async (t) => {
  const whole = { id: 'torn', name: 'Torn' };
  const readStream = ledger.store.readStream;
  await call('POST', '/v1/accounts', whole);
  // As if the second append had never been made.
  ledger.store.readStream = async (stream, options) =>
    stream === 'profile-torn' && options.limit === 1 ? [] : readStream(stream, options);
  t.teardown(() => {
    ledger.store.readStream = readStream;
  });
  const repeated = await call('POST', '/v1/accounts', whole);
  t.equal(repeated.status, 200);
  t.match(repeated.body, whole);
});

t.test('the same price book again is the same version; A, B, A makes three', async (t) => {
  const a = { models: { m: { prices: { calls: { credits: '1', per: 1 } } } } };
  const b = { models: { m: { prices: { calls: { credits: '2', per: 1 } } } } };
  const put = async (body: object) => {
    const { status, body: answer } = await call('PUT', '/v1/price-books/abc', body);
    return [status, answer.version];
  };
  t.same(await put(a), [201, 1]);
  t.same(await put(a), [200, 1]);
  t.same(await put(b), [201, 2]);
  t.same(await put(a), [201, 3]);
  t.match((await call('GET', '/v1/price-books/abc?version=2')).body, { version: 2, ...b });
  t.match((await call('GET', '/v1/price-books/abc')).body, { version: 3, ...a });
});
