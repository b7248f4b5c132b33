/** What a plan limits beside quotas, as authorize tells it: requests per minute, calls at once, caps, models, priority. */
import { startRedis } from '@tallystick/jobs/testing';
import t from 'tap';
import { createRateLimits } from './rate-limit.ts';
import { startTestLedger } from './testing/ledger.ts';

let now = Date.parse('2026-03-01T12:00:00Z');
const ledger = await startTestLedger({
  now: () => now,
  runnerLimits: { clockAheadMs: Number.MAX_SAFE_INTEGER },
});
t.teardown(() => ledger.stop());
const { call } = ledger;

const plan = (more: object) => ({
  name: 'A plan',
  price: { credits: '0' },
  interval: 'month',
  included: [],
  overage: 'credits',
  ...more,
});
const call1 = { prices: { calls: { credits: '1', per: 1 } } };
await call('PUT', '/v1/price-books/default', {
  effective_from: '2026-01-01T00:00:00Z',
  models: { m: call1, other: call1 },
});
await call('PUT', '/v1/plans/paced', plan({ rate_limit_per_minute: 3, priority: 'high' }));
await call('PUT', '/v1/plans/narrow', plan({ max_concurrent_requests: 2 }));
await call(
  'PUT',
  '/v1/plans/capped',
  plan({ caps: [{ unit: 'calls', model: '*', amount: '2', per: 'day' }] }),
);
await call('PUT', '/v1/plans/chosen', plan({ allowed_models: ['m'], priority: 'low' }));

async function subscribed(id: string, to: string | null): Promise<string> {
  await call('POST', '/v1/accounts', { id });
  await call('POST', `/v1/accounts/${id}/top-ups`, { credits: '100', source: 'test', reference: 'first' });
  if (to !== null)
    await call('POST', `/v1/accounts/${id}/subscription`, { plan: to, pay: 'credits', reference: 's' });
  return `/v1/accounts/${id}`;
}
const authorize = (account: string, hold?: string, more: object = {}) =>
  call('POST', '/v1/authorize', {
    account,
    model: 'm',
    estimate: { calls: 1 },
    ...(hold === undefined ? {} : { hold: { id: hold, expires_in: 600 } }),
    ...more,
  });
const remainingOf = async (account: string): Promise<number> =>
  (await authorize(account, undefined, { model: 'unheard-of' })).body.limits.requests_per_minute.remaining;

t.test('an account without a plan is told nothing of limits', async (t) => {
  await subscribed('free', null);
  t.same((await authorize('free')).body, { allowed: true, credits: '1', available: '100', reasons: [] });
  t.same(Object.keys((await authorize('free', 'h')).body), [
    'allowed',
    'credits',
    'available',
    'reasons',
    'hold',
    'position',
  ]);
});

t.test('requests per minute are counted, and told with every answer', async (t) => {
  const url = await subscribed('paced', 'paced');
  const first = await authorize('paced', 'h1');
  t.match(first.body, {
    allowed: true,
    priority: 'high',
    limits: { requests_per_minute: { limit: 3, remaining: 2, resets_at: String } },
  });
  t.match((await authorize('paced', 'h2')).body.limits.requests_per_minute, { remaining: 1 });
  t.match((await authorize('paced')).body, {
    allowed: true,
    limits: { requests_per_minute: { remaining: 0 } },
  });
  const refused = await authorize('paced', 'h3');
  t.match(refused, { status: 200, body: { allowed: false, reasons: ['rate_limited'], priority: 'high' } });
  t.ok(refused.body.retry_after >= 1 && refused.body.retry_after <= 60);
  t.notOk('hold' in refused.body);
  t.equal((await call('GET', `${url}/holds/h3`)).status, 404, 'nothing was held');
  t.match((await authorize('paced')).body, { allowed: false, reasons: ['rate_limited'] });
  const replayed = await authorize('paced', 'h1');
  t.match(
    replayed.body,
    { allowed: true, hold: first.body.hold },
    'a hold that was placed is answered as it was',
  );
  await call('POST', `${url}/holds/h2/settle`, { usage: { calls: 1 } });
  t.match(
    (await authorize('paced', 'h2')).body,
    { allowed: true, hold: { id: 'h2' } },
    'settled long ago or not',
  );
  t.equal(
    (await call('POST', '/v1/usage', { id: 'u', account: 'paced', model: 'm', usage: { calls: 1 } })).status,
    201,
  );
});

t.test('a repeat costs no point, and neither does what is refused for another reason', async (t) => {
  await subscribed('frugal', 'paced');
  await authorize('frugal', 'h1');
  for (let n = 0; n < 5; n++) {
    const replayed = await authorize('frugal', 'h1');
    t.match(replayed.body.limits.requests_per_minute, { remaining: 2 });
  }
  for (let n = 0; n < 5; n++) {
    t.match((await authorize('frugal', 'h9', { model: 'unheard-of' })).body, { reasons: ['no_price'] });
    t.match((await authorize('frugal', 'h9', { estimate: { calls: 1_000 } })).body, {
      reasons: ['insufficient_credits'],
      limits: { requests_per_minute: { remaining: 2 } },
    });
    t.match((await authorize('frugal', undefined, { estimate: { calls: 1_000 } })).body, {
      reasons: ['insufficient_credits'],
    });
    t.equal((await authorize('frugal', 'h1', { estimate: { calls: 2 } })).body.code, 'idempotency_conflict');
  }
  t.equal(await remainingOf('frugal'), 2);
});

t.test('of a burst no more come through than the plan allows', async (t) => {
  await subscribed('burst', 'paced');
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => authorize('burst', `h${n}`)));
  t.equal(answers.filter(({ body }) => body.allowed).length, 3);
  t.equal(answers.filter(({ body }) => body.reasons.includes('rate_limited')).length, 47);
  const { body: metrics } = await call('GET', '/metrics');
  t.match(String(metrics), /code="rate_limited"/);
});

t.test('so many calls at once, and the next when one has ended', async (t) => {
  const url = await subscribed('narrow', 'narrow');
  t.match((await authorize('narrow', 'h1')).body.limits, { concurrent: { limit: 2, open: 1 } });
  t.match((await authorize('narrow', 'h2')).body.limits, { concurrent: { limit: 2, open: 2 } });
  for (const hold of ['h3', undefined])
    t.match((await authorize('narrow', hold)).body, {
      allowed: false,
      reasons: ['too_many_concurrent'],
      limits: { concurrent: { limit: 2, open: 2 } },
      retry_after: 1,
    });
  t.match(
    (await authorize('narrow', 'h1')).body,
    { allowed: true },
    'the same hold again is no further call',
  );
  await call('POST', `${url}/holds/h1/settle`, { usage: { calls: 1 } });
  t.match((await authorize('narrow', 'h3')).body, { allowed: true, limits: { concurrent: { open: 2 } } });
});

t.test('a cap limits whoever pays, until its window ends', async (t) => {
  await subscribed('capped', 'capped');
  const use = (id: string) =>
    call('POST', '/v1/usage', { id, account: 'capped', model: 'm', usage: { calls: 1 } });
  await use('u1');
  t.match((await authorize('capped', 'h1')).body, { allowed: true });
  const { body } = await authorize('capped', 'h2');
  t.match(body, { allowed: false, reasons: ['cap_reached'], retry_after: 24 * 3_600 });
  t.match(await use('u2'), {
    status: 402,
    body: {
      code: 'cap_reached',
      unit: 'calls',
      model: '*',
      amount: '2',
      resets_at: '2026-03-02T12:00:00.000Z',
    },
  });
  now += 24 * 3_600_000;
  t.match(await use('u2'), { status: 201 });
  now -= 24 * 3_600_000;
});

t.test('only the models of the plan, and its priority with every answer', async (t) => {
  await subscribed('chosen', 'chosen');
  t.match((await authorize('chosen')).body, { allowed: true, priority: 'low' });
  for (const hold of ['h', undefined])
    t.match((await authorize('chosen', hold, { model: 'other' })).body, {
      allowed: false,
      reasons: ['model_not_allowed'],
      priority: 'low',
    });
  const usage = { id: 'u', account: 'chosen', model: 'other', usage: { calls: 1 } };
  t.match(await call('POST', '/v1/usage', usage), { status: 403, body: { code: 'model_not_allowed' } });
  t.match((await call('POST', '/v1/usage', { ...usage, mode: 'record' })).body, {
    credits: '1',
    violations: ['model_not_allowed'],
  });
  t.match((await call('POST', '/v1/usage', [{ ...usage, id: 'u2' }])).body.results, [
    { status: 'refused', problem: { code: 'model_not_allowed' } },
  ]);
});

const redis = await startRedis();
t.test(
  'two processes with one Redis let through what one would',
  { skip: typeof redis === 'string' && redis },
  async (t) => {
    if (typeof redis === 'string') return;
    t.teardown(() => redis.stop());
    const limits = () => createRateLimits({ redisUrl: redis.url, namespace: `test${Date.now()}` });
    const shared = limits();
    t.teardown(() => shared.close());
    const one = await startTestLedger({ rateLimits: shared });
    t.teardown(() => one.stop());
    await one.call('PUT', '/v1/price-books/default', { models: { m: call1 } });
    await one.call('PUT', '/v1/plans/paced', plan({ rate_limit_per_minute: 3 }));
    await one.call('POST', '/v1/accounts', { id: 'both' });
    await one.call('POST', '/v1/accounts/both/top-ups', { credits: '9', source: 'test', reference: 'f' });
    await one.call('POST', '/v1/accounts/both/subscription', {
      plan: 'paced',
      pay: 'credits',
      reference: 's',
    });
    const body = { account: 'both', model: 'm', estimate: { calls: 1 } };
    // What another process has taken counts here as well.
    await until(async () => (await shared.look('both', 3)).allowed);
    await shared.take('both', 3);
    await shared.take('both', 3);
    t.match((await one.call('POST', '/v1/authorize', body)).body, {
      allowed: true,
      limits: { requests_per_minute: { remaining: 0 } },
    });
    t.match((await one.call('POST', '/v1/authorize', body)).body, { reasons: ['rate_limited'] });
  },
);

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100 && !(await isSo()); tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
}
