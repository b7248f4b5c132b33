/** The Postgres store while connections break and the server goes away: nothing lost, nothing twice, no wrong word. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { test } from 'tap';
import { keyed, newStream, someEvents, someStream, wholeStream, written } from './contract/fixtures.ts';
import { type Append, type AppendResult, type EventStore, StoreUnavailable } from './port.ts';
import { createPostgresStore } from './postgres.ts';
import { type HeldLock, holdAppendLock } from './testing/hold-append-lock.ts';
import { startPostgres } from './testing/postgres.ts';
import { tcpProxy } from './testing/tcp-proxy.ts';

const postgres = await startPostgres();
let namespaces = 0;
const newNamespace = () => `outage${++namespaces}`;
const open = (namespace: string) => createPostgresStore({ connectionString: postgres.url, namespace });

/** The outcome that a failed append says; fails where it succeeds. */
async function outcomeOf(append: Promise<AppendResult>): Promise<string> {
  try {
    return `answered ${(await append).status}`;
  } catch (error) {
    if (error instanceof StoreUnavailable) return error.outcome;
    throw error;
  }
}

/** Repeats the identical append until it is answered, as a caller must after an unknown outcome (rule 6). */
async function persistently(store: EventStore, append: Append, heard?: (outcome: string) => void) {
  for (;;) {
    try {
      return await store.append(append);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      heard?.(error.outcome);
      await pause(5);
    }
  }
}

const signal = (lock: HeldLock, name: 'pg_terminate_backend' | 'pg_cancel_backend', pid: number) =>
  lock.client.query(`select ${name}($1)`, [pid]);

test('a connection that is killed with a group in flight leaves every append of it unknown', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  const lock = await holdAppendLock(postgres.url, namespace);
  const appends = Array.from({ length: 5 }, () => ({
    stream: someStream(),
    expected: -1,
    events: someEvents(2),
  }));
  const outcomes = Promise.all(appends.map((append) => outcomeOf(store.append(append))));
  await signal(lock, 'pg_terminate_backend', await lock.waiter());
  t.same(await outcomes, Array(5).fill('unknown'));
  await lock.release();
  for (const append of appends) {
    t.equal((await store.append(append)).status, 'appended', 'the store has connected again by itself');
    t.equal(await store.head(append.stream), 1);
  }
  await store.close();
});

test('a group that the server cancelled is unwritten', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  const lock = await holdAppendLock(postgres.url, namespace);
  const append = { stream: someStream(), expected: -1, events: someEvents(1) };
  const outcome = outcomeOf(store.append(append));
  await signal(lock, 'pg_cancel_backend', await lock.waiter());
  t.equal(await outcome, 'unwritten');
  await lock.release();
  t.equal(await store.head(append.stream), -1);
  await written(store, append);
  await store.close();
});

test('under load with connections being killed every event is written exactly once', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  let writing = true;
  const killer = (async () => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    while (writing) {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`,
        [`${namespace}_events:append`],
      );
      await pause(15);
    }
    await client.end();
  })();
  const heard: string[] = [];
  const streams = Array.from({ length: 32 }, () => someStream());
  await Promise.all(
    streams.map(async (stream) => {
      for (let n = 0; n < 30; n++) {
        const append = { stream, expected: 2 * n - 1, events: [keyed(`a${n}`), keyed(`b${n}`)] };
        const answer = await persistently(store, append, (outcome) => heard.push(outcome));
        if (answer.status !== 'appended') t.fail(`append ${n} of ${stream}: ${answer.status}`);
      }
    }),
  );
  writing = false;
  await killer;
  t.ok(heard.length > 0, `${heard.length} appends were interrupted`);
  for (const stream of streams) {
    const keys = (await wholeStream(store, stream)).map((event) => event.key);
    t.same(keys, Array.from({ length: 30 }, (_, n) => [`a${n}`, `b${n}`]).flat());
  }
  await store.close();
});

for (const how of ['cut', 'never answered'] as const) {
  test(`an append whose answer is ${how} is unknown, and its identical retry finds it written`, async (t) => {
    const url = new URL(postgres.url);
    const proxy = await tcpProxy(Number(url.port), url.hostname);
    url.port = String(proxy.port);
    const namespace = newNamespace();
    const direct = await open(namespace);
    const store = await createPostgresStore({ connectionString: url.href, namespace, answerMsMax: 500 });
    await newStream(store, someEvents(1));
    const append = { stream: someStream(), expected: -1, events: [keyed('once')] };
    proxy.mute();
    const outcome = outcomeOf(store.append(append));
    while ((await direct.head(append.stream)) < 0) await pause(5);
    if (how === 'cut') proxy.cut();
    t.equal(await outcome, 'unknown');
    proxy.unmute();
    const [stored] = await wholeStream(direct, append.stream);
    t.same(
      await store.append(append),
      { status: 'appended', position: stored?.position },
      'answered as at first',
    );
    t.equal(await direct.head(append.stream), 0);
    await Promise.all([store.close(), direct.close()]);
    await proxy.close();
  });
}

test('a store is not opened on a server that is not there', async (t) => {
  const proxy = await tcpProxy(1);
  await proxy.close();
  const refused = createPostgresStore({
    connectionString: `postgresql://postgres@127.0.0.1:${proxy.port}/postgres`,
  });
  t.equal(await outcomeOf(refused.then(() => ({ status: 'appended', position: 0n }))), 'unwritten');
});

const { server } = postgres;
const skip = server ? false : 'LEDGER_TEST_POSTGRES_URL names a server that is not ours to stop';

for (const how of ['fast', 'crash'] as const) {
  test(`a server that goes away (${how}) under load and comes back loses nothing acknowledged`, {
    skip,
  }, async (t) => {
    const store = await open(newNamespace());
    const streams = Array.from({ length: 16 }, () => someStream());
    const heard = new Set<string>();
    const rings = new Set<() => void>();
    const stop = store.watch(() => rings.forEach((ring) => void ring()));
    let running = true;
    const writers = Promise.all(
      streams.map(async (stream) => {
        let n = 0;
        for (; running; n++) {
          const append = { stream, expected: n - 1, events: [keyed(`k${n}`)] };
          const answer = await persistently(store, append, (outcome) => heard.add(outcome));
          if (answer.status !== 'appended') t.fail(`append ${n} of ${stream}: ${answer.status}`);
        }
        return n;
      }),
    );
    await pause(50);
    await server?.halt(how);
    const down = { stream: someStream(), expected: -1, events: someEvents(1) };
    let outcome = await outcomeOf(store.append(down));
    while (outcome === 'unknown') outcome = await outcomeOf(store.append(down));
    t.equal(outcome, 'unwritten', 'with the connection known to be gone, certainly nothing is written');
    await t.rejects(store.head(down.stream), /not available/);
    await server?.start();
    await persistently(store, down);
    running = false;
    const counts = await writers;
    t.ok(heard.size > 0, `writers heard: ${[...heard]}`);
    for (const [index, stream] of streams.entries()) {
      const keys = (await wholeStream(store, stream)).map((event) => event.key);
      t.same(
        keys,
        Array.from({ length: counts[index] ?? 0 }, (_, n) => `k${n}`),
      );
    }
    const rung = Promise.withResolvers<void>();
    rings.add(rung.resolve);
    await newStream(store, someEvents(1));
    await rung.promise;
    stop();
    await store.close();
  });
}

test('a store can be closed while the server is away', { skip }, async (t) => {
  const store = await open(newNamespace());
  const stop = store.watch(() => undefined);
  await server?.halt('fast');
  const append = outcomeOf(store.append({ stream: someStream(), expected: -1, events: someEvents(1) }));
  await store.close();
  t.match(await append, /unwritten|unknown/);
  stop();
});

test('the server is removed', () => postgres.stop());
