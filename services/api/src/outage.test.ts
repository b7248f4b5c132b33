/** The store or PostgreSQL away: 503 with Retry-After, nothing half-done, and everything goes on by itself. */
import { StoreUnavailable } from '@tallystick/event-store';
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let appends: 'here' | 'away' | 'answerless' | 'rejecting' = 'here';
const ledger = await startTestLedger({
  runnerLimits: { unknownMs: 50 },
  wrap: (store) => ({
    ...store,
    async append(append) {
      if (appends === 'away') throw new StoreUnavailable('unwritten', 'secret-host:2113 refused');
      if (appends === 'rejecting' && append.stream === 'wallet-heavy') {
        return { status: 'rejected', reason: 'secret-host:2113 finds it too large' };
      }
      const result = await store.append(append);
      if (appends === 'answerless') throw new StoreUnavailable('unknown', 'secret-host:2113 went silent');
      return result;
    },
  }),
});
t.teardown(() => ledger.stop());
const { call } = ledger;
const prices = { calls: { credits: '1', per: 1 } };
await call('PUT', '/v1/price-books/default', { models: { m: { prices } } });
await call('POST', '/v1/accounts', { id: 'acme' });
await call('POST', '/v1/accounts/acme/top-ups', { credits: '100', source: 'test', reference: 'first' });
const usage = (id: string) => ({ id, account: 'acme', model: 'm', usage: { calls: 1 } });

t.test('a store that is away is 503, and nothing was done', async (t) => {
  appends = 'away';
  for (const body of [usage('u1'), [usage('u1'), usage('u2')]]) {
    const refused = await call('POST', '/v1/usage', body);
    t.equal(refused.status, 503);
    t.equal(refused.body.code, 'store_unavailable');
    t.ok(refused.headers['retry-after']);
    t.notMatch(refused.text, /secret-host/);
  }
  appends = 'here';
  t.equal((await call('POST', '/v1/usage', usage('u1'))).status, 201);
});

t.test(
  'an array of which one fate is unknown is 503 as a whole; sent again whole, each charge exists once',
  async (t) => {
    appends = 'answerless';
    const items = [usage('u3'), usage('u4')];
    const refused = await call('POST', '/v1/usage', items);
    t.equal(refused.status, 503);
    t.match(refused.body, { code: 'outcome_unknown', detail: 'send it again whole' });
    appends = 'here';
    const { status, body } = await call('POST', '/v1/usage', items);
    t.equal(status, 200);
    t.match(body.results, [
      { id: 'u3', status: 'charged', replayed: true, balance: { available: '98' } },
      { id: 'u4', status: 'charged', replayed: true, balance: { available: '97' } },
    ]);
  },
);

t.test('what the store can never take is a 500 of its item alone, and nobody waits for it', async (t) => {
  await call('POST', '/v1/accounts', { id: 'heavy' });
  appends = 'rejecting';
  t.teardown(() => {
    appends = 'here';
  });
  const heavy = { ...usage('r1'), account: 'heavy', mode: 'record' };
  const single = await call('POST', '/v1/usage', heavy);
  t.match(single, { status: 500, body: { code: 'append_rejected', request_id: String } });
  t.notMatch(single.text, /secret-host/);
  const { status, body } = await call('POST', '/v1/usage', [heavy, usage('r2')]);
  t.equal(status, 200);
  t.match(body.results, [
    { id: 'r1', status: 'refused', problem: { code: 'append_rejected' } },
    { id: 'r2', status: 'charged' },
  ]);
});

const { server } = ledger.postgres;
const skip = server === null && 'the server of LEDGER_TEST_POSTGRES_URL is not ours to stop';
t.test(
  'the read models are away and the store is not: charging goes on, reads are 503 and come back',
  { skip },
  async (t) => {
    if (server === null) return;
    await server.halt('crash');
    t.equal((await call('POST', '/v1/usage', usage('u5'))).status, 201);
    for (const url of [
      '/v1/accounts/acme/balance',
      '/v1/accounts/acme/lots',
      '/v1/accounts',
      '/v1/trial-balance',
    ]) {
      const refused = await call('GET', url);
      t.equal(refused.status, 503, url);
      t.equal(refused.body.code, 'reads_unavailable');
      t.ok(refused.headers['retry-after']);
    }
    t.equal((await call('GET', '/health/ready', undefined, null)).status, 503);
    await server.start();
    await ledger.projector.caughtUp();
    const { status, body } = await call('GET', '/v1/accounts/acme/balance');
    t.equal(status, 200);
    t.equal(body.available, '95');
    t.equal((await call('GET', '/health/ready', undefined, null)).status, 200);
  },
);

t.test('what nobody foresaw is a 500 with a request id and not a word more', async (t) => {
  const { find } = ledger.runner;
  ledger.runner.find = () => Promise.reject(new TypeError('secret internals'));
  t.teardown(() => {
    ledger.runner.find = find;
  });
  const failed = await call('POST', '/v1/usage', usage('u5'));
  t.equal(failed.status, 500);
  t.same(Object.keys(failed.body).sort(), ['code', 'request_id', 'status', 'title', 'type']);
  t.equal(failed.body.request_id, failed.headers['x-request-id']);
});

t.test('a clock that is far off makes the process not ready', async (t) => {
  const off = await startTestLedger({ now: () => Date.now() + 3_000 });
  t.teardown(() => off.stop());
  const { status, body } = await off.call('GET', '/health/ready', undefined, null);
  t.equal(status, 503);
  t.match(body, {
    status: 'not_ready',
    checks: { clock: { ok: false }, store: { ok: true }, catalogue: { ok: true } },
  });
});

t.test('a process that has not come up whole is not ready, though it listens', async (t) => {
  let started = false;
  const starting = await startTestLedger({ isStarted: () => started });
  t.teardown(() => starting.stop());
  const ready = () => starting.call('GET', '/health/ready', undefined, null);
  t.match(await ready(), { status: 503, body: { checks: { start: { ok: false } } } });
  started = true;
  t.match(await ready(), { status: 200, body: { status: 'ready' } });
});
