import assert from 'node:assert/strict';
import fc from 'fast-check';
import pg from 'pg';
import { test } from 'tap';
import {
  keyed,
  newStream,
  pageToEnd,
  someEvent,
  someEvents,
  someStream,
  written,
} from './contract/fixtures.ts';
import { eventStoreContract } from './contract.ts';
import { createMemoryStore } from './memory.ts';
import {
  type Append,
  type AppendResult,
  type NewEvent,
  type RecordedEvent,
  StoreUnavailable,
} from './port.ts';
import { createPostgresStore } from './postgres.ts';
import { keysTwiceIn } from './rejection.ts';
import { holdAppendLock } from './testing/hold-append-lock.ts';
import { startPostgres } from './testing/postgres.ts';

const postgres = await startPostgres();
let namespaces = 0;
const newNamespace = () => `test${++namespaces}`;
const open = (namespace: string, url = postgres.url) =>
  createPostgresStore({ connectionString: url, namespace });

async function query(text: string, values: unknown[] = []): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

test('the Postgres store keeps the contract', (t) => eventStoreContract(t, () => open(newNamespace())));

test('processes that start at once share one schema, and an empty store has no cursor', async (t) => {
  const namespace = newNamespace();
  const stores = await Promise.all(Array.from({ length: 8 }, () => open(namespace)));
  for (const store of stores) {
    t.same(await store.readAll({ after: null, limit: 5 }), {
      events: [],
      cursor: null,
      position: 0n,
      atEnd: true,
    });
    t.equal((await store.readAll({ after: null, limit: 5, categories: ['a'] })).cursor, null);
  }
  await Promise.all(stores.map((store) => newStream(store, someEvents(1))));
  for (const store of stores) {
    // A page may end where what this process wrote itself ends; the reader goes on from there.
    const all = await pageToEnd(store, { after: null, limit: 50 });
    t.equal(all.events.length, 8);
  }
  await Promise.all(stores.map((store) => store.close()));
});

test('namespaces of one database do not see each other', async (t) => {
  const one = await open(newNamespace());
  const two = await open(newNamespace());
  const stream = await newStream(one, someEvents(1));
  t.equal(await two.head(stream), -1);
  t.equal((await two.readAll({ after: null, limit: 5 })).events.length, 0);
  await Promise.all([one.close(), two.close()]);
});

test('a namespace that is no plain name is refused', async (t) => {
  await t.rejects(open('a; drop schema public'), /not a namespace/);
});

test('any sequence of appends is answered as the in-memory store answers it', async (t) => {
  const store = await open(newNamespace());
  const ids = Array.from({ length: 4 }, () => crypto.randomUUID());
  const event: fc.Arbitrary<NewEvent> = fc
    .record({ id: fc.constantFrom(...ids), key: fc.constantFrom(null, null, 'a', 'b', 'c') })
    .map((parts) => someEvent(parts));
  const append = fc.record({
    stream: fc.constantFrom('wallet-1', 'wallet-2', 'book-1'),
    expected: fc.integer({ min: -1, max: 4 }),
    events: fc.array(event, { minLength: 1, maxLength: 3 }),
  });
  /** Those of one list are sent at once: they meet in one group. */
  const groups = fc.array(fc.array(append, { minLength: 1, maxLength: 4 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(groups, async (groups) => {
      const model = createMemoryStore();
      const run = crypto.randomUUID();
      const base = (await pageToEnd(store, { after: null, limit: 1000 })).position;
      for (const group of groups) {
        const appends: Append[] = group.map((one) => ({ ...one, stream: `${one.stream}${run}` }));
        const answers = await Promise.all(appends.map((one) => store.append(one)));
        const expected: AppendResult[] = [];
        for (const one of inGroupOrder(appends)) expected[appends.indexOf(one)] = await model.append(one);
        assert.deepEqual(
          answers.map((answer) =>
            answer.status === 'appended' ? { ...answer, position: answer.position - base } : answer,
          ),
          expected,
        );
      }
      const stored = await pageToEnd(store, { after: base === 0n ? null : String(base), limit: 3 });
      assert.deepEqual(
        stored.events.map((one) => ({ ...one, position: one.position - base })),
        (await pageToEnd(model, { after: null, limit: 100 })).events,
      );
    }),
    { numRuns: 100 },
  );
  t.pass();
  await store.close();
});

/**
 * The n-th group takes the n-th append of each stream that has one, the streams in the order of their first. Those
 * that are refused before they are sent stand in no line.
 */
function inGroupOrder(appends: readonly Append[]): Append[] {
  const [refused, sent] = [true, false].map((twice) =>
    appends.filter(({ events }) => keysTwiceIn(events).length > 0 === twice),
  );
  const lines = [...Map.groupBy(sent ?? [], (append) => append.stream).values()];
  const groups = Math.max(0, ...lines.map((line) => line.length));
  const inTurn = Array.from({ length: groups }, (_, n) => lines.flatMap((line) => line.slice(n, n + 1)));
  return [...(refused ?? []), ...inTurn.flat()];
}

test('two processes write at once, and a reader sees every position from the first to the last', async (t) => {
  const namespace = newNamespace();
  const [one, two, reader] = await Promise.all([open(namespace), open(namespace), open(namespace)]);
  let writing = true;
  const writers = Promise.all(
    [one, two].flatMap((store) =>
      Array.from({ length: 16 }, async () => {
        const stream = someStream();
        for (let n = 0; n < 25; n++)
          await written(store, { stream, expected: n - 1, events: [keyed(`k${n}`)] });
      }),
    ),
  ).finally(() => {
    writing = false;
  });
  const seen: RecordedEvent[] = [];
  let after: string | null = null;
  for (let last = false; !last; ) {
    last = !writing;
    const read: { events: RecordedEvent[]; cursor: string | null } = await pageToEnd(reader, {
      after,
      limit: 11,
    });
    seen.push(...read.events);
    after = read.cursor;
  }
  await writers;
  t.equal(seen.length, 2 * 16 * 25);
  t.ok(
    seen.every((event, index) => event.position === BigInt(index + 1)),
    'positions 1, 2, 3, … in order',
  );
  await Promise.all([one.close(), two.close(), reader.close()]);
});

for (const isolation of ['read committed', 'repeatable read']) {
  const url = new URL(postgres.url);
  url.searchParams.set('options', `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`);

  test(`an append that waited for the lock sees what was written meanwhile (rule 4; ${isolation})`, async (t) => {
    const namespace = newNamespace();
    const store = await open(namespace, url.href);
    const moved = await newStream(store, [someEvent()]);
    for (const [expected, answer] of [
      [0, { status: 'conflict', actual: 1 }],
      [2, { status: 'appended', position: 4n }],
    ] as const) {
      const lock = await holdAppendLock(postgres.url, namespace);
      const waiting = store.append({ stream: moved, expected, events: [keyed('waited')] });
      await lock.waiter();
      await lock.client.query(
        `insert into ${namespace}_events.events (position, stream, revision, id, type, data, meta)
         select max(position) + 1, $1, max(revision) + 1, gen_random_uuid(), 'A', '{}', '{}'
         from ${namespace}_events.events where stream = $1`,
        [moved],
      );
      await lock.release();
      t.same(await waiting, answer, `expected ${expected}`);
    }
    await store.close();
  });
}

test('a group in which Postgres refuses a value is written but for that append (rule 5)', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  await query(`
    create function ${namespace}_events.refuse() returns trigger language plpgsql as
      $$ begin raise exception 'poison' using errcode = '22023'; end $$;
    create trigger refuse before insert on ${namespace}_events.events
      for each row when (new.type = 'Poison') execute function ${namespace}_events.refuse()`);
  const appends = Array.from({ length: 20 }, (_, n) => ({
    stream: someStream(),
    expected: -1,
    events: [someEvent(), someEvent(n === 7 ? { type: 'Poison' } : {})],
  }));
  const answers = await Promise.all(appends.map((append) => store.append(append)));
  t.same(answers[7], { status: 'rejected', reason: 'poison' });
  t.equal(answers.filter((answer) => answer.status === 'appended').length, 19);
  t.equal(await store.head(appends[7]?.stream ?? ''), -1);
  t.same(await store.append(appends[3] ?? fail()), answers[3], 'and each was written once');
  await store.close();
});

const fail = (): never => {
  throw new Error('missing');
};

test('appends that wait while a group is in flight go together in the next one', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  const lock = await holdAppendLock(postgres.url, namespace);
  const first = newStream(store, someEvents(1));
  await lock.waiter();
  const others = Array.from({ length: 100 }, () => newStream(store, someEvents(1)));
  await lock.release();
  await Promise.all([first, ...others]);
  const groups = await query(`select count(distinct xmin::text) as n from ${namespace}_events.events`);
  t.equal(Number(groups[0]?.n), 2, 'two transactions');
  await store.close();
});

test('what waits is bounded: beyond it an append is refused as unwritten', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  const lock = await holdAppendLock(postgres.url, namespace);
  const stream = someStream();
  const waiting = Array.from({ length: 50 }, (_, n) =>
    store.append({ stream, expected: 1000 * n - 1, events: someEvents(1000) }),
  );
  const refused = store.append({ stream: someStream(), expected: -1, events: someEvents(1) });
  await t.rejects(refused, { name: 'StoreUnavailable', outcome: 'unwritten' } as unknown as StoreUnavailable);
  await lock.release();
  t.ok((await Promise.all(waiting)).every((answer) => answer.status === 'appended'));
  t.equal(await store.head(stream), 49_999);
  await newStream(store, someEvents(1));
  await store.close();
});

test('closing waits for the group in flight and refuses what was not sent', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  const reader = await open(namespace);
  const lock = await holdAppendLock(postgres.url, namespace);
  const stream = someStream();
  const sent = store.append({ stream, expected: -1, events: someEvents(1) });
  await lock.waiter();
  const behind = store.append({ stream, expected: 0, events: someEvents(1) });
  const queued = store.append({ stream: someStream(), expected: -1, events: someEvents(1) });
  const refused = Promise.all([behind, queued].map((append) => t.rejects(append, /closed/)));
  const closed = store.close();
  await refused;
  await lock.release();
  t.equal((await sent).status, 'appended');
  await closed;
  t.equal(await reader.head(stream), 0);
  await t.rejects(store.append({ stream, expected: 0, events: someEvents(1) }), StoreUnavailable as never);
  await reader.close();
});

test('plans made on an empty table are still good when it has grown (speed.md, point 1)', async (t) => {
  const namespace = newNamespace();
  await (await open(namespace)).close();
  const scans = async () =>
    (
      await query(
        `select s.seq_scan, s.idx_scan, (select sum(idx_tup_read) from pg_stat_user_indexes i where i.relid = s.relid) as read
         from pg_stat_user_tables s where s.schemaname = $1`,
        [`${namespace}_events`],
      )
    )[0];
  const before = await scans();
  const store = await open(namespace);
  const streams = Array.from({ length: 40 }, () => someStream());
  for (let n = 0; n < 10; n++) await readsOf(store, streams[0] ?? '');
  let appends = 0;
  for (let n = 0; n < 20; n++) {
    const late = store.append({ stream: streams[0] ?? '', expected: -1, events: [keyed('late')] });
    await Promise.all(
      streams.slice(1).map((stream) => {
        const events = Array.from({ length: 25 }, (_, k) => keyed(`${n}:${k}`));
        return store.append({ stream, expected: n * 25 - 1, events });
      }),
    );
    await late;
    await readsOf(store, streams[1] ?? '');
    await store.append({ stream: streams[1] ?? '', expected: 3, events: [keyed(`0:1`), keyed('x')] });
    appends += 41;
  }
  await store.close();
  const after = await scans();
  t.equal(Number(after?.seq_scan) - Number(before?.seq_scan), 0, 'nothing scanned the table');
  const perEvent = Number(after?.read) / (appends * 25);
  t.ok(perEvent < 5, `index entries read for each event: ${perEvent.toFixed(1)}`);
});

async function readsOf(store: Awaited<ReturnType<typeof open>>, stream: string): Promise<void> {
  const head = await store.head(stream);
  await store.readStream(stream, { from: head, limit: 10 });
  await store.readRevisions(stream, [head, 3]);
  await store.lookup(stream, ['1:1', 'none']);
}

test('a follower of catalogues does not read the wallets', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  await newStream(store, someEvents(3), 'book');
  for (let n = 0; n < 10; n++) await newStream(store, someEvents(1000));
  await newStream(store, someEvents(3), 'book');
  const entries = async () =>
    Number(
      (
        await query(
          `select coalesce(sum(idx_tup_read), 0) as read from pg_stat_user_indexes where schemaname = $1`,
          [`${namespace}_events`],
        )
      )[0]?.read,
    );
  await store.close();
  const before = await entries();
  const follower = await open(namespace);
  const read = await pageToEnd(follower, { after: null, limit: 2, categories: ['book', 'apikey'] });
  await follower.close();
  t.equal(read.events.length, 6);
  t.equal(read.position, 10_006n, 'and stands at the head');
  t.ok((await entries()) - before < 100, `${(await entries()) - before} index entries read`);
});

test('a notification names the categories of its group, and nothing where nothing was written', async (t) => {
  const namespace = newNamespace();
  const store = await open(namespace);
  const listener = new pg.Client({ connectionString: postgres.url });
  await listener.connect();
  await listener.query(`listen ${namespace}_events`);
  const heard: (string | undefined)[] = [];
  listener.on('notification', ({ payload }) => heard.push(payload));
  const stream = await newStream(store, someEvents(1), 'book');
  await store.append({ stream, expected: 5, events: someEvents(1) });
  await Promise.all([newStream(store, someEvents(1), 'plan'), newStream(store, someEvents(1))]);
  await listener.query('select 1');
  t.same(heard, ['book', 'plan,wallet']);
  await listener.end();
  await store.close();
});

test('a watcher hears of what another process appended', async (t) => {
  const namespace = newNamespace();
  const [watching, writing] = await Promise.all([open(namespace), open(namespace)]);
  for (const category of ['book', 'wallet']) {
    const rung = Promise.withResolvers<void>();
    const stop = watching.watch(rung.resolve, [category]);
    await newStream(writing, someEvents(1), category);
    await rung.promise;
    stop();
    t.pass(category);
  }
  await Promise.all([watching.close(), writing.close()]);
});

test('the server is removed', () => postgres.stop());
