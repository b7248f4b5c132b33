import { webhookEndpointDecider } from '@tallystick/domain';
import { createEventStoreDbStore, createMemoryStore } from '@tallystick/event-store';
import { startEventStoreDbStandIn } from '@tallystick/event-store/testing';
import {
  askForReplay,
  getDelivery,
  getEndpoint,
  insertEndpoint,
  migrateWebhooks,
  updateEndpoint,
} from '@tallystick/webhooks';
import t from 'tap';
import { moveOutbox, startOutbox } from './outbox.ts';
import { moveReplays } from './replays.ts';
import { sendDue } from './sender.ts';
import { breakingPool, startTold } from './testing/told.ts';

const told = await startTold();
t.teardown(() => told.stop());
const { store, webhooks, pool, now } = told;
const parts = { store, webhooks, now };
const NO_KEY = { key: null, fingerprint: null } as const;
// Nobody listens there: nothing in these tests is sent, but for one that says so.
const url = 'http://127.0.0.1:9/';
const entries = async (endpoint: string): Promise<(string | null)[]> =>
  (await told.deliveries(endpoint)).map(({ entry_id }) => entry_id);

t.test('an endpoint is told of exactly what follows the event that made it', async (t) => {
  await told.happen('a1');
  const early = await told.endpoint({ url });
  await told.happen('a1');
  const late = await told.endpoint({ url });
  await told.happen('a1');
  await told.outbox();
  t.same(await entries(early.id), ['wallet-a1:1', 'wallet-a1:2']);
  t.same(await entries(late.id), ['wallet-a1:2']);
  await told.outbox();
  t.equal((await entries(early.id)).length, 2, 'and once');
});

t.test(
  'it is told of the types and the account that it is for, and never of what is not offered',
  async (t) => {
    const all = await told.endpoint({ url });
    const some = await told.endpoint({ url, events: ['Expired', 'AccountFrozen'] });
    const own = await told.endpoint({ url, account: 'b2' });
    for (const account of ['b1', 'b2'])
      for (const type of ['TopUp', 'HoldPlaced', 'Expired', 'SomethingNew']) await told.happen(account, type);
    await told.outbox();
    t.same(await entries(all.id), ['wallet-b1:0', 'wallet-b1:2', 'wallet-b2:0', 'wallet-b2:2']);
    t.same(await entries(some.id), ['wallet-b1:2', 'wallet-b2:2']);
    t.same(await entries(own.id), ['wallet-b2:0', 'wallet-b2:2']);
  },
);

t.test('while an endpoint is paused nothing is queued for it; a change holds from then on', async (t) => {
  const { id } = await told.endpoint({ url, events: ['TopUp'] });
  await told.happen('c1');
  await told.change(id, { paused: 'by_hand' });
  await told.happen('c1');
  await told.change(id, { paused: null, events: ['Expired'] });
  await told.happen('c1');
  await told.happen('c1', 'Expired');
  await told.outbox();
  t.same(await entries(id), ['wallet-c1:0', 'wallet-c1:3']);
});

t.test('what the API has written already the outbox leaves as it is', async (t) => {
  // Given an endpoint whose row is there, and at a later revision than the outbox has read
  const { id } = await told.endpoint({ url });
  const { runner } = told.parts;
  const first = await runner.peek(webhookEndpointDecider, id);
  await insertEndpoint(pool, webhooks, first.state, { position: 1n, recordedAt: now() });
  await told.change(id, { scope: 'finance' });
  await told.change(id, { paused: 'by_hand' });
  const { state, revision } = await runner.peek(webhookEndpointDecider, id);
  await updateEndpoint(pool, webhooks, state, revision);
  // When the outbox comes past those events, or somebody writes an old state late
  await told.outbox();
  await updateEndpoint(pool, webhooks, first.state, 0);
  // Then the row is as the stream says
  t.match(await getEndpoint(webhooks, id), { scope: 'finance', paused: 'by_hand', active: false });
});

t.test('with an endpoint go its secrets, and what has not been sent is canceled', async (t) => {
  const { id } = await told.endpoint({ url });
  await told.happen('d1');
  await told.outbox();
  await told.command(id, { type: 'DeleteWebhookEndpoint', ...NO_KEY });
  await told.happen('d1');
  await told.outbox();
  t.match(await told.deliveries(id), [{ status: 'canceled', next_attempt_at: null }]);
  t.equal(await getEndpoint(webhooks, id), null);
  const { rows } = await pool.query(`select from ${webhooks.schema}.secrets where endpoint = $1`, [id]);
  t.equal(rows.length, 0);
});

t.test('of any number of outboxes at once each event is queued once', async (t) => {
  const { id } = await told.endpoint({ url, account: 'e1' });
  for (let n = 0; n < 50; n++) await told.happen('e1');
  await Promise.all(Array.from({ length: 8 }, () => moveOutbox(parts)));
  await told.outbox();
  t.equal(new Set(await entries(id)).size, 50);
  t.equal((await entries(id)).length, 50);
});

t.test(
  'an endpoint is told of nothing older than itself, also where the outbox is late and the row is there',
  async (t) => {
    await told.happen('m1');
    const { id } = await told.endpoint({ url, account: 'm1' });
    const { runner } = told.parts;
    const { state } = await runner.peek(webhookEndpointDecider, id);
    const [made] = await store.readStream(`webhook-${id}`, { from: 0, limit: 1 });
    await insertEndpoint(pool, webhooks, state, { position: made?.position ?? 0n, recordedAt: now() });
    await told.happen('m1');
    await told.outbox();
    t.same(await entries(id), ['wallet-m1:1']);
  },
);

t.test('while one outbox is at work another leaves it alone: the checkpoint never goes back', async (t) => {
  const { id } = await told.endpoint({ url, account: 'n1' });
  await told.happen('n1');
  const reading = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const slow = {
    ...store,
    readAll: async (options: Parameters<typeof store.readAll>[0]) => {
      const page = await store.readAll(options);
      reading.resolve();
      await goOn.promise;
      return page;
    },
  };
  const first = moveOutbox({ ...parts, store: slow });
  await reading.promise;
  await told.happen('n1');
  t.same(await moveOutbox(parts), { queued: 0, more: false });
  goOn.resolve();
  t.ok((await first).queued > 0);
  t.ok((await moveOutbox(parts)).queued > 0);
  t.same(await entries(id), ['wallet-n1:0', 'wallet-n1:1']);
});

t.test('killed between any two statements, the outbox has queued each event once in the end', async (t) => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at++) {
      const account = `f-${when}-${at}`;
      const { id } = await told.endpoint({ url, account });
      await told.happen(account);
      await told.happen(account);
      const breaking = breakingPool(pool, at, when);
      await moveOutbox({ ...parts, webhooks: { ...webhooks, pool: breaking.pool } }).catch(() => undefined);
      await told.outbox();
      t.same(await entries(id), [`wallet-${account}:0`, `wallet-${account}:1`], `killed ${when} ${at}`);
      if (breaking.count() < at) {
        t.ok(at > 8, `${at - 1} statements were tried`);
        break;
      }
    }
  }
});

t.test(
  'a replay from a position queues again what an endpoint is for, also from before it was made',
  async (t) => {
    await told.happen('g1');
    const from = await told.happen('g1');
    await told.happen('g1', 'HoldPlaced');
    await told.happen('g2');
    const { id } = await told.endpoint({ url, account: 'g1' });
    await told.happen('g1');
    await told.outbox();
    t.same(await entries(id), ['wallet-g1:3']);
    // What happens after it was asked for is queued as ever
    t.match(await askForReplay(webhooks, id, from, now()), { endpoint: id, from });
    await told.happen('g1');
    await told.outbox();
    t.same((await entries(id)).sort(), ['wallet-g1:1', 'wallet-g1:3', 'wallet-g1:4']);
    t.match(
      (await told.deliveries(id)).map(({ replays }) => replays),
      [0, 0, 0],
      'what waits anyway is not queued twice',
    );
  },
);

t.test('a replay sends again what has been sent or has failed, and keeps its log', async (t) => {
  const { id } = await told.endpoint({ url, account: 'h1' });
  await told.happen('h1');
  await told.outbox();
  await pool.query(
    `update ${webhooks.schema}.deliveries set status = 'failed', attempts = 10, next_attempt_at = null,
     finished_at = now(), log = '[{"at": "then"}]' where endpoint = $1`,
    [id],
  );
  await askForReplay(webhooks, id, 0n, now());
  await told.outbox();
  t.match(await told.deliveries(id), [
    { status: 'pending', attempts: 0, replays: 1, finished_at: null, log: [{ at: 'then' }] },
  ]);
});

t.test('killed between any two statements, a replay goes on where it was', async (t) => {
  const { id } = await told.endpoint({ url, account: 'i1' });
  await told.happen('i1');
  await told.outbox();
  for (let at = 1; at <= 8; at++) {
    await askForReplay(webhooks, id, 0n, now());
    const broken = { ...webhooks, pool: breakingPool(pool, at, 'after').pool };
    for (let more = true; more; )
      more = await moveReplays({ ...parts, webhooks: broken }).then(
        (moved) => moved.more,
        () => false,
      );
    await told.outbox();
    t.same(await entries(id), ['wallet-i1:0']);
  }
  const open = await pool.query(`select from ${webhooks.schema}.replays where finished_at is null`);
  t.equal(open.rows.length, 0);
});

t.test('a replay begins at a landmark before its position, not at the beginning of the store', async (t) => {
  const from = await told.happen('j1');
  await pool.query(`insert into ${webhooks.schema}.landmarks (position, cursor) values ($1, $2)`, [
    (from - 1n).toString(),
    (from - 1n).toString(),
  ]);
  const { id } = await told.endpoint({ url, account: 'j1' });
  await told.outbox();
  await askForReplay(webhooks, id, from, now());
  const { rows } = await pool.query(`select cursor from ${webhooks.schema}.replays where endpoint = $1`, [
    id,
  ]);
  t.same(rows, [{ cursor: (from - 1n).toString() }]);
  await told.outbox();
  t.same(await entries(id), ['wallet-j1:0']);
});

t.test(
  'an event of an endpoint that is not known stops the outbox, and nothing is passed over',
  async (t) => {
    const { id } = await told.endpoint({ url });
    await told.outbox();
    const checkpoint = async () =>
      (await pool.query(`select cursor from ${webhooks.schema}.checkpoint`)).rows[0]?.cursor;
    const before = await checkpoint();
    const foreign = {
      ...store,
      readAll: async (options: Parameters<typeof store.readAll>[0]) => {
        const page = await store.readAll(options);
        return {
          ...page,
          events: page.events.map((event) => ({ ...event, type: 'WebhookEndpointPolished' })),
        };
      },
    };
    await told.change(id, { scope: 'finance' });
    await t.rejects(moveOutbox({ ...parts, store: foreign }), /WebhookEndpointPolished/);
    t.equal(await checkpoint(), before);
    await told.outbox();
    t.not(await checkpoint(), before);
  },
);

t.test('a log that ends before what has been told of is refused', async (t) => {
  const errors: unknown[] = [];
  const outbox = startOutbox({
    store: createMemoryStore(),
    webhooks,
    now,
    onError: (error) => errors.push(error),
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await outbox.stop();
  t.match(errors, [{ name: 'ForeignWebhooks', message: /which the store does not have/ }]);
});

t.test('the tables of another store, or of a later version, are refused', async (t) => {
  await t.rejects(migrateWebhooks(pool, 'test_webhooks', 'store-2'), /those of the store store-1/);
  await t.resolves(migrateWebhooks(pool, 'test_webhooks', 'store-1'));
  await pool.query(`update ${webhooks.schema}.meta set version = version + 1`);
  await t.rejects(migrateWebhooks(pool, 'test_webhooks', 'store-1'), /of version 2/);
  await pool.query(`update ${webhooks.schema}.meta set version = version - 1`);
});

t.test('any number of processes may make the tables at once', async (t) => {
  await Promise.all(Array.from({ length: 5 }, () => migrateWebhooks(pool, 'other_webhooks', 'store-9')));
  const { rows } = await pool.query('select version, store_id from other_webhooks.meta');
  t.same(rows, [{ version: 1, store_id: 'store-9' }]);
});

t.test('an outbox that runs queues by itself, and tells so', async (t) => {
  const { id } = await told.endpoint({ url, account: 'k1' });
  const queued = Promise.withResolvers<void>();
  const outbox = startOutbox({ ...parts, onQueued: queued.resolve });
  await told.happen('k1');
  await queued.promise;
  await outbox.stop();
  t.same(await entries(id), ['wallet-k1:0']);
  await told.happen('k1');
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal((await entries(id)).length, 1, 'stopped is stopped');
});

t.test('what has been queued is sent though the endpoint is asked for something else since', async (t) => {
  const { id } = await told.endpoint({ url, account: 'l1' });
  await told.happen('l1');
  await told.outbox();
  await told.change(id, { events: ['Expired'] });
  await told.outbox();
  await sendDue(told.parts);
  const [delivery] = await told.deliveries(id);
  t.match(delivery, { attempts: 1, status: 'pending', log: [{ status: null, fault: 'no_connection' }] });
  t.same(await getDelivery(webhooks, delivery?.id ?? ''), delivery);
  t.equal(await getDelivery(webhooks, 'whd_0'), null);
  t.equal(await getDelivery(webhooks, 'nonsense'), null);
});

t.test('on EventStoreDB it is the same: what follows, once, and replays', async (t) => {
  const standIn = await startEventStoreDbStandIn();
  t.teardown(() => standIn.stop());
  const esdb = createEventStoreDbStore({ connectionString: standIn.url, namespace: 'test' });
  const there = await startTold({ store: esdb });
  t.teardown(() => there.stop());
  const told = async (endpoint: string) =>
    (await there.deliveries(endpoint)).map(({ entry_id }) => entry_id).toSorted();
  await there.happen('a1');
  const from = await there.happen('a1');
  const { id } = await there.endpoint({ url, account: 'a1' });
  await there.happen('a1');
  await there.happen('b1');
  await there.outbox();
  t.same(await told(id), ['wallet-a1:2']);
  // A cursor of the outbox is a landmark for replays
  await there.happen('a1');
  await there.outbox();
  await askForReplay(there.webhooks, id, from, there.now());
  await there.outbox();
  t.same(await told(id), ['wallet-a1:1', 'wallet-a1:2', 'wallet-a1:3']);
  const late = await there.happen('a1');
  await there.outbox();
  await there.pool.query(
    `insert into ${there.webhooks.schema}.landmarks select position, cursor from ${there.webhooks.schema}.checkpoint
     on conflict do nothing`,
  );
  await there.happen('a1');
  await there.outbox();
  await there.pool.query(`delete from ${there.webhooks.schema}.deliveries`);
  await askForReplay(there.webhooks, id, late + 1n, there.now());
  await there.outbox();
  t.same(await told(id), ['wallet-a1:5']);
});
