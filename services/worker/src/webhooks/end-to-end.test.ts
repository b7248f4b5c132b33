import { answer, startReceiver } from '@tallystick/webhooks/testing';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { verifyLedger } from '../../../../packages/audit/src/index.ts';
import { startTestLedger } from '../../../api/src/testing/ledger.ts';
import { startWebhooks } from './start.ts';

// The whole way, on the events of a real PostgreSQL: made by the API, told by the worker, read in the log.
const ledger = await startTestLedger({ events: 'postgres', epoch: 3 });
const receiver = await startReceiver();
const { call, store, runner, pool } = ledger;
const errors: unknown[] = [];
const stop = await startWebhooks({
  ledger: { store, pool, genesis: { store_id: 'test', test_clock: false, epoch: 3 } },
  namespace: 'test',
  runner,
  settings: { allowPrivate: true, secretKeys: [], timeoutMs: 2_000, keepDays: 30 },
  onError: (error) => errors.push(error),
});
t.teardown(async () => {
  await stop();
  await receiver.stop();
  await ledger.stop();
});

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 10));
}

t.test('what happens is told within the second, signed, and can be told again', async (t) => {
  await call('POST', '/v1/accounts', { id: 'acme' });
  const topUp = (reference: string) =>
    call('POST', '/v1/accounts/acme/top-ups', {
      credits: '100',
      source: 'bank',
      reference,
      paid: { amount: '9.99', currency: 'USD' },
    });
  await topUp('before');
  const { body: endpoint } = await call('POST', '/v1/webhook-endpoints', {
    url: receiver.url,
    events: ['TopUp', 'AccountFrozen'],
    scope: 'owner',
    account: 'acme',
  });
  // When something happens
  const startedAt = performance.now();
  const { body: made } = await topUp('first');
  await until(() => receiver.received.length === 1);
  const tookMs = performance.now() - startedAt;
  t.ok(tookMs < 2_000, `${tookMs} ms`);
  // Then it is told, and verifies by what the library and the secret say
  const [one] = receiver.received;
  const headers = one?.headers as Record<string, string>;
  const said = new Webhook(endpoint.secret).verify(one?.body ?? '', headers);
  t.match(said, {
    type: 'TopUp',
    data: {
      account: 'acme',
      entry_id: made.entry_id,
      position: made.position,
      credits: '100',
      reference: 'first',
      after: { available: '200', held: '0' },
    },
  });
  t.notMatch(one?.body, /USD|9\.99/);
  const log = async () => (await call('GET', `/v1/webhook-deliveries?endpoint=${endpoint.id}`)).body.data;
  await until(async () => (await log())[0]?.status === 'delivered');
  t.match(await log(), [{ entry_id: made.entry_id, position: made.position, attempts: 1 }]);

  // And again, under the same id, from a position before the endpoint was made
  const replay = await call('POST', `/v1/webhook-endpoints/${endpoint.id}/replay`, { from: '0' });
  t.equal(replay.status, 202);
  await until(() => receiver.received.length === 3);
  const told = receiver.received.map((received) => JSON.parse(received.body).data.reference);
  t.same(told.toSorted(), ['before', 'first', 'first']);
  t.equal(new Set(receiver.received.map((received) => received.headers['webhook-id'])).size, 2);
});

t.test('a receiver that is gone is left alone, until somebody says otherwise', async (t) => {
  receiver.received.length = 0;
  const { body: endpoint } = await call('POST', '/v1/webhook-endpoints', {
    url: receiver.url,
    events: ['AccountFrozen'],
    scope: 'owner',
  });
  receiver.behave = answer(410);
  await call('POST', '/v1/accounts/acme/freeze', { reason: 'test', reference: 'f1' });
  const shown = async () => (await call('GET', `/v1/webhook-endpoints/${endpoint.id}`)).body;
  await until(async () => !(await shown()).active);
  t.equal((await shown()).paused, 'gone');
  receiver.behave = answer(204);
  await call('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { active: true });
  await call('POST', '/v1/accounts/acme/freeze', { reason: 'test', reference: 'f2' });
  await until(() => receiver.received.some(({ body }) => body.includes('"f2"')));
  t.match(await shown(), { active: true, paused: null });
});

t.test('nothing has failed on the way, and the audit knows what happened to endpoints', async (t) => {
  await ledger.projector.caughtUp();
  t.equal(ledger.projector.state.status, 'running');
  t.same(errors, []);
  const { count, findings, streams } = await verifyLedger({ ...ledger, threads: 0 });
  t.same(findings, []);
  t.equal(count, 0);
  t.ok(streams >= 4, `${streams} streams`);
});
