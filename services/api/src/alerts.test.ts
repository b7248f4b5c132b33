/** Warnings over HTTP: what is wanted, where to, and what was told. */
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let now = Date.parse('2026-01-01T12:00:00Z');
const ledger = await startTestLedger({
  now: () => now,
  runnerLimits: { clockAheadMs: Number.MAX_SAFE_INTEGER },
});
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;

await call('PUT', '/v1/price-books/default', {
  models: { m: { prices: { calls: { credits: '1', per: 1 } } } },
});
await call('PUT', '/v1/plans/ten', {
  name: 'Ten calls',
  price: { credits: '0' },
  interval: 'month',
  included: [{ unit: 'calls', model: '*', amount: '10', per: 'period' }],
  overage: 'credits',
});

async function accountWith(id: string, credits: string): Promise<string> {
  await call('POST', '/v1/accounts', { id });
  await call('POST', `/v1/accounts/${id}/top-ups`, { credits, source: 'test', reference: 'first' });
  return `/v1/accounts/${id}`;
}
let calls = 0;
async function use(account: string, quantity: number): Promise<void> {
  calls += 1;
  const body = { id: `u${calls}`, account, model: 'm', usage: { calls: quantity } };
  const { status } = await call('POST', '/v1/usage', body);
  if (status !== 201) throw new Error(`usage was answered ${status}`);
}
const all = {
  thresholds: [
    { on: 'daily_spend', credits: '50.0' },
    { on: 'quota', percent: 100 },
    { on: 'balance', credits: '100' },
    { on: 'quota', percent: 50 },
  ],
};

t.test('until they are set, 80 % of every quota is told', async (t) => {
  const url = await accountWith('nobody', '100');
  t.same((await call('GET', `${url}/alerts`)).body, {
    enabled: true,
    thresholds: [{ on: 'quota', percent: 80 }],
    by_default: true,
    email: null,
    raised: [],
  });
  t.same((await call('GET', `${url}/alerts/raised`)).body, { data: [], next_cursor: null });
  await call('POST', `${url}/subscription`, { plan: 'ten', pay: 'credits', reference: 's1' });
  await use('nobody', 8);
  t.same((await call('GET', `${url}/alerts`)).body.raised, [
    {
      alert: 'quota',
      threshold: '80',
      key: 'quota:80:sub-2:period:calls:*:2026-01-01T12:00:00.000Z:2026-02-01T12:00:00.000Z:10',
      unit: 'calls',
      model: '*',
      granted: '10',
      used: '8',
      held: '0',
      period_start: '2026-01-01T12:00:00.000Z',
      period_end: '2026-02-01T12:00:00.000Z',
      effective_at: '2026-01-01T12:00:00.000Z',
      raised_at: '2026-01-01T12:00:00.000Z',
    },
  ]);
});

t.test('what is set is what is told, in one way of writing', async (t) => {
  const url = await accountWith('watcher', '150');
  const { status, body } = await call('PUT', `${url}/alerts`, { ...all, email: 'owner@example.com' });
  t.equal(status, 200);
  const settings = {
    enabled: true,
    thresholds: [
      { on: 'balance', credits: '100' },
      { on: 'daily_spend', credits: '50' },
      { on: 'quota', percent: 50 },
      { on: 'quota', percent: 100 },
    ],
    by_default: false,
    email: 'owner@example.com',
    raised: [],
  };
  t.same(body, settings);
  t.same((await call('PUT', `${url}/alerts`, all)).body, settings, 'the address stays as it was');
  t.same((await call('GET', `${url}/alerts`)).body, settings);
  await use('watcher', 51);
  now += 24 * 3_600_000;
  await use('watcher', 51);
  const { data, next_cursor } = (await call('GET', `${url}/alerts/raised?page_size=2`)).body;
  t.match(data, [
    { alert: 'daily_spend', threshold: '50', spent: '51', day: '2026-01-02' },
    { alert: 'daily_spend', threshold: '50', spent: '51', day: '2026-01-01' },
  ]);
  const rest = (await call('GET', `${url}/alerts/raised?page_size=2&cursor=${next_cursor}`)).body;
  t.match(rest, { data: [{ alert: 'balance', threshold: '100', available: '99' }], next_cursor: null });
  t.match((await call('GET', `${url}/alerts`)).body.raised.length, 3);
});

t.test('the address is in no event of the wallet, and goes when it is taken away', async (t) => {
  const url = await accountWith('private', '1');
  await call('PATCH', url, { name: 'Private Inc.' });
  await call('PUT', `${url}/alerts`, { thresholds: [], email: 'hidden@example.com' });
  const chain = await ledger.store.readStream('wallet-private', { from: 0, limit: 100 });
  t.notMatch(JSON.stringify(chain.map(({ data, meta }) => [data, meta])), 'hidden@example.com');
  t.equal((await call('PATCH', url, { name: 'Other Inc.' })).body.name, 'Other Inc.');
  t.equal((await call('GET', `${url}/alerts`)).body.email, 'hidden@example.com');
  const { body } = await call('PUT', `${url}/alerts`, { thresholds: [], email: null });
  t.equal(body.email, null);
  t.equal((await call('GET', url)).body.name, 'Other Inc.');
});

t.test('turned off nothing is told', async (t) => {
  const url = await accountWith('quiet', '150');
  await call('PUT', `${url}/alerts`, { ...all, enabled: false });
  await use('quiet', 100);
  t.match((await call('GET', `${url}/alerts`)).body, { enabled: false, raised: [] });
});

t.test('what makes no sense is refused, and names its field', async (t) => {
  const url = await accountWith('odd', '1');
  const rows: readonly (readonly [body: unknown, status: number, field: string])[] = [
    [{}, 400, 'thresholds'],
    [{ thresholds: [{ on: 'weather', credits: '1' }] }, 400, 'thresholds.0'],
    [{ thresholds: [{ on: 'balance', percent: 5 }] }, 400, 'thresholds.0'],
    [{ thresholds: [{ on: 'balance', credits: '-1' }] }, 422, 'thresholds.0.credits'],
    [{ thresholds: [{ on: 'balance', credits: '1e3' }] }, 422, 'thresholds.0.credits'],
    [
      {
        thresholds: [
          { on: 'balance', credits: '1' },
          { on: 'balance', credits: '1.0' },
        ],
      },
      422,
      'thresholds.1',
    ],
    [{ thresholds: [], email: 'nobody' }, 422, 'email'],
    [{ thresholds: [], email: 'a@b.c\r\nBcc: d@e.f' }, 422, 'email'],
    [{ thresholds: [], email: 7 }, 400, 'email'],
  ];
  for (const [sent, status, field] of rows) {
    const answer = await call('PUT', `${url}/alerts`, sent);
    t.equal(answer.status, status, JSON.stringify(sent));
    t.match(JSON.stringify(answer.body.errors), field);
  }
  for (const percent of [0, 101, 1.5])
    t.ok((await call('PUT', `${url}/alerts`, { thresholds: [{ on: 'quota', percent }] })).status >= 400);
  t.equal((await call('GET', `${url}/alerts`)).body.by_default, true, 'and nothing was set');
});

t.test('an owner sets and reads its own, and nobody else does', async (t) => {
  const url = await accountWith('owned', '1');
  await accountWith('other', '1');
  const manage = await newKey(['manage'], 'owned');
  const read = await newKey(['read'], 'owned');
  t.equal((await call('PUT', `${url}/alerts`, all, manage)).status, 200);
  t.equal((await call('GET', `${url}/alerts`, undefined, read)).status, 200);
  t.equal((await call('GET', `${url}/alerts/raised`, undefined, read)).status, 200);
  t.equal((await call('PUT', `${url}/alerts`, all, read)).status, 403);
  for (const path of ['alerts', 'alerts/raised'])
    t.ok((await call('GET', `/v1/accounts/other/${path}`, undefined, read)).status >= 403);
  t.ok((await call('PUT', '/v1/accounts/other/alerts', all, manage)).status >= 403);
});

t.test('an account that there is not has no warnings', async (t) => {
  t.equal((await call('PUT', '/v1/accounts/missing/alerts', { ...all, email: 'a@b.c' })).status, 404);
  t.equal((await call('GET', '/v1/accounts/missing/alerts')).status, 404);
  t.equal((await call('GET', '/v1/accounts/missing/alerts/raised')).status, 404);
  t.same(await ledger.store.readStream('profile-missing', { from: 0, limit: 1 }), []);
});
