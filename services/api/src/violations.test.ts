/** What a plan would have refused, and what came from quotas, is there to be read afterwards (billing rules 6, 9). */
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call } = ledger;

await call('PUT', '/v1/price-books/default', {
  effective_from: '2026-01-01T00:00:00Z',
  models: {
    m: { prices: { calls: { credits: '3', per: 1 } } },
    other: { prices: { calls: { credits: '7', per: 1 } } },
  },
});
await call('PUT', '/v1/plans/stop', {
  name: 'A plan',
  price: { credits: '10' },
  interval: 'month',
  included: [{ unit: 'calls', model: 'm', amount: '2', per: 'period' }],
  overage: 'refuse',
  allowed_models: ['m'],
});
for (const id of ['acme', 'globex', 'free']) {
  await call('POST', '/v1/accounts', { id });
  await call('POST', `/v1/accounts/${id}/top-ups`, { credits: '100', source: 'test', reference: 'first' });
  if (id === 'free') continue;
  const { status, text } = await call('POST', `/v1/accounts/${id}/subscription`, {
    plan: 'stop',
    pay: 'credits',
    reference: 's',
  });
  if (status !== 201) throw new Error(text);
}
const cost = { amount: '0.5', currency: 'USD' };
const record = (account: string, id: string, calls: number, model = 'm') =>
  call('POST', '/v1/usage', { id, account, model, usage: { calls }, mode: 'record', cost });

await record('acme', 'covered', 1);
await record('acme', 'beyond', 3);
await record('acme', 'elsewhere', 1, 'other');
await record('globex', 'beyond', 4);
const { body: last } = await record('free', 'plain', 1);
const at = `min_position=${last.position}`;

interface Shown {
  readonly account: string;
  readonly id: string;
  readonly violations?: string[];
}
const namesOf = (data: readonly Shown[]): string[] => data.map(({ account, id }) => `${account}/${id}`);

t.test('a usage shows what came from quotas, and what the plan would have refused', async (t) => {
  const { body } = await call('GET', `/v1/accounts/acme/usage?order=oldest&${at}`);
  t.match(body.data, [
    { id: 'covered', credits: '0', quota: [{ unit: 'calls', model: 'm', amount: '1' }] },
    {
      id: 'beyond',
      quota: [{ unit: 'calls', model: 'm', amount: '1' }],
      violations: ['quota_exhausted'],
    },
    { id: 'elsewhere', violations: ['model_not_allowed'] },
  ]);
  t.notOk('violations' in body.data[0]);
  t.notOk('quota' in body.data[2]);
  const { body: one } = await call('GET', '/v1/accounts/acme/usage/beyond');
  t.same(one, body.data[1], 'one by itself is the same');
  const plain = (await call('GET', '/v1/accounts/free/usage')).body.data[0];
  t.notOk('violations' in plain || 'quota' in plain);
});

t.test('an account lists its own violations, without our cost', async (t) => {
  const made = await call('POST', '/v1/api-keys', { name: 'own', scopes: ['read'], account: 'acme' });
  const { key } = made.body;
  const { status, body } = await call('GET', '/v1/accounts/acme/usage?violations=true', undefined, key);
  t.equal(status, 200);
  t.same(namesOf(body.data), ['acme/elsewhere', 'acme/beyond']);
  t.notMatch(JSON.stringify(body), /USD|cost|supplier/);
  t.equal((await call('GET', '/v1/accounts/globex/usage?violations=true', undefined, key)).status, 403);
  t.equal((await call('GET', '/v1/usage?violations=true', undefined, key)).status, 403);
  const all = await call('GET', '/v1/accounts/acme/usage?violations=false', undefined, key);
  t.equal(all.body.data.length, 3);
  const first = (await call('GET', '/v1/accounts/acme/usage?violations=true&page_size=1')).body;
  const next = `cursor=${first.next_cursor}`;
  const rest = (await call('GET', `/v1/accounts/acme/usage?violations=true&page_size=1&${next}`)).body;
  t.same(namesOf([...first.data, ...rest.data]), ['acme/elsewhere', 'acme/beyond']);
  t.equal(rest.next_cursor, null);
});

t.test('finance lists those of all accounts, oldest first, with what they cost', async (t) => {
  const made = await call('POST', '/v1/api-keys', { name: 'finance', scopes: ['finance'] });
  const { body } = await call('GET', '/v1/usage?violations=true&page_size=2', undefined, made.body.key);
  t.match(body.data, [{ cost }, { cost }]);
  const rest = await call('GET', `/v1/usage?violations=true&page_size=2&cursor=${body.next_cursor}`);
  t.same(namesOf([...body.data, ...rest.body.data]), ['acme/beyond', 'acme/elsewhere', 'globex/beyond']);
  t.equal(rest.body.next_cursor, null);
});

t.test('what is asked for of all accounts must be said', async (t) => {
  for (const query of ['', '?violations=false', '?status=unpriced&violations=true'])
    t.match(await call('GET', `/v1/usage${query}`), { status: 422, body: { errors: [{ field: 'status' }] } });
  t.match(await call('GET', '/v1/usage?status=unpriced'), { status: 200, body: { data: [] } });
  t.equal((await call('GET', '/v1/usage?violations=perhaps')).status, 400);
});

t.test('a hold shows what it has of quotas until it is settled', async (t) => {
  await call('POST', '/v1/accounts', { id: 'held' });
  await call('POST', '/v1/accounts/held/top-ups', { credits: '100', source: 'test', reference: 'first' });
  await call('POST', '/v1/accounts/held/subscription', { plan: 'stop', pay: 'credits', reference: 's' });
  const hold = { id: 'h', expires_in: 600 };
  const authorized = await call('POST', '/v1/authorize', {
    ...{ account: 'held', model: 'm', estimate: { calls: 2 }, hold },
  });
  const quota = [{ unit: 'calls', model: 'm', amount: '2' }];
  t.match(authorized.body, { allowed: true, quota });
  t.match((await call('GET', '/v1/accounts/held/holds/h')).body, { status: 'open', quota });
  t.match((await call('GET', '/v1/accounts/held/holds?open=true')).body.data, [{ id: 'h', quota }]);
  await call('POST', '/v1/accounts/held/holds/h/extend', { expires_in: 1_200 });
  t.match(
    (await call('GET', '/v1/accounts/held/holds/h')).body,
    { quota },
    'more time changes nothing of it',
  );
  await call('POST', '/v1/accounts/held/holds/h/settle', { usage: { calls: 1 } });
  const { body } = await call('GET', '/v1/accounts/held/holds/h');
  t.match(body, { status: 'settled', credits: '0' });
  t.notOk('quota' in body);
});
