/** Quotas over HTTP: what a plan includes is used first, shown to the last call, held, given more of, and never overspent. */
import { once } from 'node:events';
import { walletDecider } from '@tallystick/domain';
import t from 'tap';
import { startTestLedger, type TestLedger } from './testing/ledger.ts';

let now = Date.parse('2026-03-01T12:00:00Z');
const ledger = await startTestLedger({
  now: () => now,
  runnerLimits: { clockAheadMs: Number.MAX_SAFE_INTEGER },
});
t.teardown(() => ledger.stop());
const { call } = ledger;

const line = (unit: string, model: string, amount: string, per = 'period') => ({ unit, model, amount, per });
const plan = (included: object[], more: object = {}) => ({
  name: 'A plan',
  price: { credits: '10' },
  interval: 'month',
  included,
  overage: 'credits',
  ...more,
});
const BOOK = {
  effective_from: '2026-01-01T00:00:00Z',
  models: {
    m: { prices: { calls: { credits: '3', per: 1 } } },
    tokens: {
      prices: { input_tokens: { credits: '1', per: 10 }, output_tokens: { credits: '2', per: 10 } },
    },
  },
};
await call('PUT', '/v1/price-books/default', BOOK);
await call('PUT', '/v1/plans/calls', plan([line('calls', 'm', '5')]));
await call('PUT', '/v1/plans/stop', plan([line('calls', 'm', '2', 'day')], { overage: 'refuse' }));
await call('PUT', '/v1/plans/tokens', plan([line('tokens', '*', '100')]));
await call('PUT', '/v1/plans/mixed', plan([line('calls', 'm', 'unlimited'), line('tokens', 'tokens', '50')]));

async function subscribed(id: string, to: string, credits = '100', on: TestLedger = ledger): Promise<string> {
  await on.call('POST', '/v1/accounts', { id });
  await on.call('POST', `/v1/accounts/${id}/top-ups`, { credits, source: 'test', reference: 'first' });
  const { status, text } = await on.call('POST', `/v1/accounts/${id}/subscription`, {
    plan: to,
    pay: 'credits',
    reference: 's',
  });
  if (status !== 201) throw new Error(text);
  return `/v1/accounts/${id}`;
}
const use = (account: string, id: string, calls: number, more: object = {}) =>
  call('POST', '/v1/usage', { id, account, model: 'm', usage: { calls }, ...more });
const authorize = (account: string, calls: number, hold?: { id: string; expires_in: number }) =>
  call('POST', '/v1/authorize', { account, model: 'm', estimate: { calls }, hold });
const quotasOf = async (url: string, query = '') => (await call('GET', `${url}/quotas${query}`)).body.data;

t.test('a plan pays first, credits pay the rest, and the answer says which was which', async (t) => {
  const url = await subscribed('split', 'calls');
  t.match(await quotasOf(url), [
    {
      id: /^quota-\d+$/,
      unit: 'calls',
      model: 'm',
      granted: '5',
      used: '0',
      held: '0',
      remaining: '5',
      period_start: '2026-03-01T12:00:00.000Z',
      period_end: '2026-04-01T12:00:00.000Z',
      source: 'plan',
    },
  ]);
  const covered = await use('split', 'u1', 4);
  t.match(covered, {
    status: 201,
    body: { credits: '0', lots: [], quota: [{ unit: 'calls', model: 'm', amount: '4' }] },
  });
  const parted = await use('split', 'u2', 3);
  t.match(parted.body, { credits: '6', quota: [{ unit: 'calls', model: 'm', amount: '1' }] });
  t.equal((await use('split', 'u2', 3)).text, parted.text, 'told again it is the same');
  const beyond = await use('split', 'u3', 1);
  t.match(beyond.body, { credits: '3' });
  t.notOk('quota' in beyond.body, 'nothing came from a quota');
  t.match(await quotasOf(url), [{ granted: '5', used: '5', remaining: '0' }]);
  t.match((await call('GET', `${url}/balance`)).body, { available: '81' });
});

t.test('tokens are shared among the dimensions, and only the rest is priced', async (t) => {
  await subscribed('tokens', 'tokens');
  const usage = { input_tokens: 150, output_tokens: 50 };
  const { body } = await call('POST', '/v1/usage', { id: 'u', account: 'tokens', model: 'tokens', usage });
  // Of 200 tokens 100 are covered: 75 of the input, 25 of the output. The rest costs 7.5 + 5.
  t.match(body, { credits: '13', quota: [{ unit: 'tokens', model: '*', amount: '100' }] });
});

t.test('what has no limit is shown as that', async (t) => {
  const url = await subscribed('mixed', 'mixed');
  t.match((await use('mixed', 'u', 1_000)).body, {
    credits: '0',
    quota: [{ unit: 'calls', model: 'm', amount: '1000' }],
  });
  t.match(await quotasOf(url), [
    { id: null, model: 'm', granted: 'unlimited', used: null, held: null, remaining: 'unlimited' },
    { model: 'tokens', granted: '50', used: '0', remaining: '50' },
  ]);
});

t.test('a hard stop refuses, and what has run all the same is paid by the platform', async (t) => {
  const url = await subscribed('stopped', 'stop');
  await use('stopped', 'u1', 2);
  const refused = await use('stopped', 'u2', 1);
  t.match(refused, {
    status: 402,
    body: {
      code: 'quota_exhausted',
      unit: 'calls',
      model: 'm',
      resets_at: '2026-03-02T12:00:00.000Z',
    },
  });
  t.match((await authorize('stopped', 1)).body, {
    allowed: false,
    credits: null,
    reasons: ['quota_exhausted'],
    retry_after: 24 * 3_600,
  });
  t.match((await authorize('stopped', 1, { id: 'h', expires_in: 60 })).body, {
    allowed: false,
    reasons: ['quota_exhausted'],
  });
  const ran = await use('stopped', 'u2', 1, { mode: 'record' });
  t.match(ran, { status: 201, body: { credits: '0', violations: ['quota_exhausted'] } });
  t.match((await call('GET', `${url}/balance`)).body, { available: '90' });
});

t.test('where caps stand is read beside the quotas, and a refusal says which of them it was', async (t) => {
  const cap = (unit: string, model: string, amount: string, per: string) => ({ unit, model, amount, per });
  const caps = [cap('calls', 'm', '4', 'day'), cap('tokens', '*', '50', 'period')];
  await call('PUT', '/v1/plans/capped', plan([line('calls', 'm', '9')], { caps }));
  const url = await subscribed('capped', 'capped');
  const capsOf = async (on = url) => (await call('GET', `${on}/quotas`)).body.caps;
  const [ofDay, ofPeriod] = ['2026-03-02T12:00:00.000Z', '2026-04-01T12:00:00.000Z'];
  const counts = (used: string, held: string, tokens: string) => [
    { ...caps[0], used, held, resets_at: ofDay },
    { ...caps[1], used: '0', held: tokens, resets_at: ofPeriod },
  ];
  t.same(await capsOf(), counts('0', '0', '0'));
  await use('capped', 'u1', 1);
  await authorize('capped', 2, { id: 'h1', expires_in: 600 });
  t.same(await capsOf(), counts('1', '2', '1'), 'a call that has not run is one token at least');
  const reached = { unit: 'calls', model: 'm', amount: '4', resets_at: ofDay };
  t.match(await use('capped', 'u2', 2), { status: 402, body: { code: 'cap_reached', ...reached } });
  const no = { allowed: false, reasons: ['cap_reached'], cap: reached, retry_after: 24 * 3_600 };
  t.match((await authorize('capped', 2)).body, no);
  t.match((await authorize('capped', 2, { id: 'h2', expires_in: 600 })).body, no);
  t.notOk('cap' in (await authorize('capped', 1)).body);
  await call('POST', `${url}/holds/h1/settle`, { usage: { calls: 2 } });
  t.same(await capsOf(), counts('3', '0', '0'));
  const before = now;
  now += 24 * 3_600_000;
  t.match(await capsOf(), [{ used: '0', resets_at: '2026-03-03T12:00:00.000Z' }, { resets_at: ofPeriod }]);
  now = before;
  t.notOk('caps' in (await call('GET', `${url}/quotas?all=true`)).body);
  await call('POST', `${url}/subscription/cancel`, { when: 'now', reference: 'c' });
  t.same(await capsOf(), [], 'of the plan in force only');
});

t.test('a hold keeps its quota, and lets go of what the call did not need', async (t) => {
  const url = await subscribed('held', 'calls');
  const held = await authorize('held', 4, { id: 'h1', expires_in: 600 });
  t.match(held.body, {
    allowed: true,
    credits: '0',
    quota: [{ unit: 'calls', model: 'm', amount: '4' }],
    hold: { id: 'h1', credits: '0' },
  });
  t.match(await quotasOf(url), [{ used: '0', held: '4', remaining: '1' }]);
  const again = await authorize('held', 4, { id: 'h1', expires_in: 600 });
  t.equal(again.headers['idempotent-replayed'], 'true');
  t.same(again.body.quota, held.body.quota);
  const extended = await call('POST', `${url}/holds/h1/extend`, { estimate: { calls: 6 } });
  t.match(extended.body, {
    hold: { credits: '3' },
    quota: [{ unit: 'calls', model: 'm', amount: '5' }],
  });
  const same = await call('POST', `${url}/holds/h1/extend`, { estimate: { calls: 6 } });
  t.same(same.body.quota, extended.body.quota);
  const settled = await call('POST', `${url}/holds/h1/settle`, { usage: { calls: 2 } });
  t.match(settled.body, { credits: '0', quota: [{ unit: 'calls', model: 'm', amount: '2' }] });
  t.match(await quotasOf(url), [{ used: '2', held: '0', remaining: '3' }]);
  await authorize('held', 3, { id: 'h2', expires_in: 600 });
  await call('POST', `${url}/holds/h2/void`);
  t.match(await quotasOf(url), [{ used: '2', held: '0', remaining: '3' }]);
});

t.test('finance gives more for a time, once for each reference', async (t) => {
  const url = await subscribed('expanded', 'stop');
  const more = {
    unit: 'calls',
    model: 'm',
    amount: '10',
    expires_at: '2026-03-08T00:00:00Z',
    reason: 'a busy week',
    reference: 'r1',
  };
  const first = await call('POST', `${url}/quotas`, more);
  t.equal(first.status, 201);
  t.match(first.body, {
    entry_id: /^wallet-expanded:\d+$/,
    quota: { granted: '10', remaining: '10', period_end: '2026-03-08T00:00:00.000Z', source: 'expansion' },
  });
  const again = await call('POST', `${url}/quotas`, { ...more, expires_at: '2026-03-08T01:00:00+01:00' });
  t.equal(again.status, 200);
  t.equal(again.text, first.text);
  t.equal((await call('POST', `${url}/quotas`, { ...more, amount: '11' })).body.code, 'idempotency_conflict');
  for (const [field, value] of [
    ['amount', '0'],
    ['amount', '1.5'],
    ['amount', '-1'],
    ['amount', '1000000000000000'],
    ['expires_at', 'tomorrow'],
  ])
    t.match(await call('POST', `${url}/quotas`, { ...more, reference: 'r2', [field as string]: value }), {
      status: 422,
      body: { errors: [{ field }] },
    });
  t.match(
    await call('POST', `${url}/quotas`, { ...more, reference: 'r2', expires_at: '2026-01-01T00:00:00Z' }),
    {
      status: 422,
      body: { code: 'expires_in_past' },
    },
  );
  t.match((await use('expanded', 'u', 12)).body, { credits: '0' });
  t.match((await use('expanded', 'u2', 1)).body, { code: 'quota_exhausted' });
  t.match(await quotasOf(url), [
    { source: 'plan', remaining: '0' },
    { source: 'expansion', remaining: '0' },
  ]);
});

t.test('a new day is seen before it is written, and the days before stay in the list of all', async (t) => {
  const before = now;
  const url = await subscribed('daily', 'stop');
  await use('daily', 'u1', 1);
  now += 3 * 24 * 3_600_000;
  const { revision } = await ledger.runner.peek(walletDecider, 'daily');
  t.match(await quotasOf(url), [{ used: '0', remaining: '2', period_start: '2026-03-04T12:00:00.000Z' }]);
  t.equal((await ledger.runner.peek(walletDecider, 'daily')).revision, revision, 'nothing was recorded');
  t.match((await use('daily', 'u2', 2)).body, { credits: '0' });
  const all = await quotasOf(url, '?all=true');
  t.match(all, [
    { period_start: '2026-03-04T12:00:00.000Z', used: '2', remaining: '0' },
    { period_start: '2026-03-01T12:00:00.000Z', granted: '2', used: '1', remaining: '0' },
  ]);
  t.equal(all.length, 2, 'days on which nobody looked have no quota');
  const page = (await call('GET', `${url}/quotas?all=true&page_size=1`)).body;
  const rest = (await call('GET', `${url}/quotas?all=true&page_size=1&cursor=${page.next_cursor}`)).body;
  t.same([...page.data, ...rest.data], all);
  t.equal((await call('GET', `${url}/quotas?all=true&cursor=nonsense`)).status, 400);
  t.match(await call('GET', '/v1/accounts/nobody/quotas'), { status: 404 });
  t.match(await call('GET', '/v1/accounts/nobody/quotas?all=true'), { status: 404 });
  now = before;
});

t.test('the rows of quotas are those of the wallets, and the books balance in every unit', async (t) => {
  await ledger.projector.caughtUp();
  for (const account of ['split', 'held', 'expanded', 'daily']) {
    const { state } = await ledger.runner.peek(walletDecider, account);
    const { rows } = await ledger.pool.query(
      `select quota, free::text, pinned::text, used::text from ${ledger.schema}.quotas
       where account = $1 and quota = any($2) order by quota`,
      [account, state.quotas.map(({ id }) => id)],
    );
    const expected = state.quotas
      .map(({ id, free, pinned, used }) => ({
        quota: id,
        free: `${free}`,
        pinned: `${pinned}`,
        used: `${used}`,
      }))
      .sort((a, b) => (a.quota < b.quota ? -1 : 1));
    t.same(rows, expected, account);
    t.ok(expected.length > 0);
  }
  const { body: books } = await call('GET', '/v1/trial-balance');
  const { body: then } = await call('GET', `/v1/trial-balance?as_of=${books.position}`);
  t.same(then.units, books.units, 'and as of then they are the same');
  const units = books.units.map(({ unit, total }: { unit: string; total: string }) => [unit, total]);
  t.same(units, [
    ['credits', '0'],
    ['calls', '0'],
    ['tokens', '0'],
  ]);
});

t.test('of 200 that ask at once for the last unit of a quota one gets it', async (t) => {
  const real = await startTestLedger({ events: 'postgres' });
  t.teardown(() => real.stop());
  await real.call('PUT', '/v1/price-books/default', { models: BOOK.models });
  await real.call('PUT', '/v1/plans/last', plan([line('calls', 'm', '3')], { overage: 'refuse' }));
  const url = await subscribed('crowd', 'last', '100', real);
  await real.call('POST', '/v1/usage', { id: 'u', account: 'crowd', model: 'm', usage: { calls: 2 } });
  await real.app.listen({ port: 0, host: '127.0.0.1' });
  if (!real.app.server.listening) await once(real.app.server, 'listening');
  const address = real.app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/authorize`, {
        method: 'POST',
        headers: { authorization: `Bearer ${real.adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          account: 'crowd',
          model: 'm',
          estimate: { calls: 1 },
          hold: { id: `h${n}`, expires_in: 600 },
        }),
      });
      return (await response.json()) as { allowed: boolean; reasons: string[] };
    }),
  );
  t.equal(answers.filter(({ allowed }) => allowed).length, 1);
  t.equal(answers.filter(({ reasons }) => reasons.includes('quota_exhausted')).length, 199);
  t.match((await real.call('GET', `${url}/quotas`)).body.data, [{ used: '2', held: '1', remaining: '0' }]);
});
