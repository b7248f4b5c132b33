import { createMeter } from '@tallystick/connect';
import { openReads, readsSchema } from '@tallystick/projections';
import pg from 'pg';
import t from 'tap';
import { readLedger } from './ledger-metrics.ts';
import { startTestLedger } from './testing/ledger.ts';

t.jobs = 1;

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call, projector } = ledger;

/** Every sample of the ledger's own by its name and labels. */
const samplesOf = (text: string): Map<string, number> =>
  new Map(
    [...text.matchAll(/^(tallystick_\S+) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
  );

/** Asked for the first time, because answers are kept for a while. */
async function readBooks(): Promise<Map<string, number>> {
  const pool = new pg.Pool({ connectionString: ledger.postgres.url, max: 1 });
  pool.on('error', () => undefined);
  const meter = createMeter();
  readLedger(meter, openReads(pool, readsSchema('test')));
  const text = await meter.text();
  await pool.end();
  return samplesOf(text);
}
const item = (id: string, model = 'call'): object => ({ id, account: 'acme', model, usage: { calls: 1 } });

t.test('refusals are counted by code: of requests, of items of an array, and of holds', async (t) => {
  const book = { models: { call: { prices: { calls: { credits: '1', per: 1 } } } } };
  await call('PUT', '/v1/price-books/default', book);
  await call('POST', '/v1/accounts', { id: 'acme' });
  await call('POST', '/v1/accounts/acme/top-ups', { credits: '2', source: 'test', reference: 'first' });
  await call('GET', '/v1/accounts/nobody');
  await call('GET', '/v1/nowhere');
  await call('POST', '/v1/usage', [item('a'), { ...item('b'), mode: 'charge', usage: { calls: 5 } }, {}]);
  const hold = { account: 'acme', model: 'call', estimate: { calls: 9 }, hold: { id: 'h0', expires_in: 60 } };
  const { body } = await call('POST', '/v1/authorize', hold);
  t.equal(body.allowed, false);
  const now = samplesOf((await call('GET', '/metrics')).text);
  t.equal(now.get('tallystick_refusals_total{code="account_not_found"}'), 1);
  t.equal(now.get('tallystick_refusals_total{code="not_found"}'), 1);
  t.equal(now.get('tallystick_refusals_total{code="insufficient_credits"}'), 2);
  t.equal(now.get('tallystick_refusals_total{code="malformed_request"}'), 1);
});

t.test('the books: what may be spent, what is held, what is owed, what waits for a price', async (t) => {
  const hold = { account: 'acme', model: 'call', estimate: { calls: 1 }, hold: { id: 'h1', expires_in: 60 } };
  await call('POST', '/v1/authorize', hold);
  await call('POST', '/v1/accounts', { id: 'owing' });
  await call('POST', '/v1/usage', { ...item('c'), account: 'owing', mode: 'record', usage: { calls: 3 } });
  await call('POST', '/v1/usage', { ...item('d', 'unknown'), mode: 'record' });
  await projector.caughtUp();
  t.same(Object.fromEntries(await readBooks()), {
    tallystick_available_credits: 0,
    tallystick_held_credits: 1,
    tallystick_debt_credits: 3,
    tallystick_holds_open: 1,
    tallystick_unpriced_usages: 1,
  });
});

t.test('while the database is away the books are left out, and the rest is told', async (t) => {
  const { server } = ledger.postgres;
  if (server === null) {
    t.pass('the server that LEDGER_TEST_POSTGRES_URL names is not ours to stop', { skip: 'not our server' });
    return;
  }
  await server.halt('crash');
  t.same([...(await readBooks())], []);
  const { status, text } = await call('GET', '/metrics');
  t.equal(status, 200);
  t.match(text, /^tallystick_runner_appends_total [1-9]/m);
  await server.start();
});
