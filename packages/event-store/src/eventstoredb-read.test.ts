/** Pages and the door-bell against a server that misbehaves: each event once and in order, and the bell rings on. */
import t, { type Test } from 'tap';
import { newStream, pageToEnd, someEvents, someStream, written } from './contract/fixtures.ts';
import { createEventStoreDbStore, type EventStoreDbOptions } from './eventstoredb.ts';
import type { Cursor, EventStore, RecordedEvent } from './port.ts';
import { type EventStoreDbStandIn, startEventStoreDbStandIn } from './testing/eventstoredb.ts';

async function given(
  t: Test,
  options: Partial<EventStoreDbOptions> = {},
): Promise<{ standIn: EventStoreDbStandIn; store: EventStore }> {
  const standIn = await startEventStoreDbStandIn();
  const store = createEventStoreDbStore({ connectionString: standIn.url, ...options });
  t.teardown(async () => {
    await store.close();
    await standIn.stop();
  });
  return { standIn, store };
}

/** Appends until it is stored, over whatever the server does meanwhile. */
async function surely(store: EventStore, stream: string, expected: number, count: number): Promise<void> {
  const events = someEvents(count);
  for (;;) {
    const result = await store.append({ stream, expected, events }).catch(() => null);
    if (result?.status === 'appended') return;
  }
}

/** Pages to the end at each ring and never else. `sees` resolves once it has read so many events. */
function followByBell(store: EventStore): { sees(count: number): Promise<RecordedEvent[]>; stop(): void } {
  const read: RecordedEvent[] = [];
  let cursor: Cursor | null = null;
  let paging: Promise<void> = Promise.resolve();
  const waiting = new Set<() => void>();
  const page = async (): Promise<void> => {
    // A ring while the server is away is lost; the next subscription rings again.
    const found = await pageToEnd(store, { after: cursor, limit: 7, categories: ['wallet'] }).catch(
      () => null,
    );
    if (found === null) return;
    cursor = found.cursor;
    read.push(...found.events);
    for (const look of waiting) look();
  };
  const stop = store.watch(() => {
    paging = paging.then(page);
  }, ['wallet']);
  return {
    stop,
    sees: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (read.length < count) return;
          waiting.delete(look);
          resolve(read);
        };
        waiting.add(look);
        look();
      }),
  };
}

const revisionsOf = (events: readonly RecordedEvent[]) => events.map((event) => event.revision);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

const ENDINGS: ReadonlyArray<[string, (standIn: EventStoreDbStandIn) => Promise<void> | void]> = [
  ['ends cleanly', (standIn) => standIn.endStreamsCleanly()],
  ['fails because the consumer is too slow', (standIn) => standIn.dropSubscriptions()],
  [
    'fails because the server stops in good order',
    (standIn) => standIn.failStreams(13, 'Received RST_STREAM with code 0'),
  ],
  ['is cut', (standIn) => standIn.cutConnections()],
  [
    'is gone with its server, which comes back',
    async (standIn) => {
      await standIn.stop();
      await standIn.start();
    },
  ],
];

for (const [how, end] of ENDINGS) {
  t.test(
    `when a subscription ${how}, the bell rings on and the reader misses and repeats nothing`,
    async (t) => {
      const { standIn, store } = await given(t);
      const stream = someStream();
      const follower = followByBell(store);
      for (const round of [0, 1, 2]) {
        await surely(store, stream, round * 5 - 1, 5);
        const read = await follower.sees(round * 5 + 5);
        t.same(revisionsOf(read), upTo(round * 5 + 5));
        await end(standIn);
      }
      follower.stop();
    },
  );
}

t.test('an event that falls between two subscriptions is rung for when the next one is open', async (t) => {
  const { standIn, store } = await given(t);
  const follower = followByBell(store);
  const stream = someStream();
  await surely(store, stream, -1, 1);
  await follower.sees(1);
  standIn.freeze();
  standIn.dropSubscriptions();
  const stored = surely(store, stream, 0, 1);
  standIn.thaw();
  await stored;
  t.same(revisionsOf(await follower.sees(2)), [0, 1]);
  follower.stop();
});

t.test('bursts that overflow the live buffer lose nothing', async (t) => {
  const { standIn, store } = await given(t);
  standIn.limitLiveBuffer();
  const follower = followByBell(store);
  const stream = someStream();
  for (const round of [0, 1, 2, 3]) await surely(store, stream, round * 300 - 1, 300);
  t.same(revisionsOf(await follower.sees(1200)), upTo(1200));
  follower.stop();
});

t.test('a bell rings for its categories only, and leaves no subscription behind', async (t) => {
  const { standIn, store } = await given(t);
  const rung = Promise.withResolvers<void>();
  const stop = store.watch(rung.resolve, ['price']);
  await rung.promise;
  t.equal(standIn.subscriptions(), 1, 'the ring at its beginning');
  let rings = 0;
  const opened = Promise.withResolvers<void>();
  const again = Promise.withResolvers<void>();
  const stopSecond = store.watch(() => {
    rings++;
    (rings === 1 ? opened : again).resolve();
  }, ['price']);
  await opened.promise;
  await newStream(store, someEvents(3), 'wallet');
  t.equal(rings, 1, 'not for wallets');
  await newStream(store, someEvents(1), 'price');
  await again.promise;
  stop();
  stopSecond();
  while (standIn.subscriptions() > 0) await new Promise((resolve) => setImmediate(resolve));
  t.pass('all closed');
});

t.test('a page gets past events of others, in any number, and of other namespaces', async (t) => {
  const { standIn, store } = await given(t, { namespace: 'mine' });
  const theirs = createEventStoreDbStore({ connectionString: standIn.url, namespace: 'mine-too' });
  t.teardown(() => theirs.close());
  await newStream(theirs, someEvents(3000));
  const empty = await store.readAll({ after: null, limit: 10 });
  t.same([empty.events.length, empty.atEnd], [0, true]);
  t.equal(empty.position, standIn.log.events.at(-1)?.position, 'at the end of the log');
  const stream = await newStream(store, someEvents(2));
  const read = await pageToEnd(store, { after: empty.cursor, limit: 1 });
  t.same(
    read.events.map((event) => event.stream),
    [stream, stream],
  );
  t.equal((await pageToEnd(theirs, { after: null, limit: 1000 })).events.length, 3000);
});

t.test('where the filtered search does not end in time, pages go on without the filter', async (t) => {
  const { standIn, store } = await given(t, { readTimeoutMs: 600 });
  const first = await newStream(store, someEvents(3), 'price');
  for (let batch = 0; batch < 5; batch++) await newStream(store, someEvents(500), 'wallet');
  await written(store, { stream: first, expected: 2, events: someEvents(2) });
  standIn.stallFilteredPages(true);
  for (const limit of [2, 100]) {
    const { events, position } = await pageToEnd(store, { after: null, limit, categories: ['price'] });
    t.same(revisionsOf(events), [0, 1, 2, 3, 4], `pages of ${limit}`);
    t.equal(position, standIn.log.events.at(-1)?.position);
  }
});

t.test(
  'a cursor beyond the end of the log is refused: it is of another store, or this one was restored',
  async (t) => {
    const { store } = await given(t);
    await newStream(store, someEvents(1));
    const beyond = store.readAll({ after: '999999999.999999999', limit: 10 });
    await t.rejects(beyond, { name: 'StoreUnavailable', outcome: 'unwritten' });
    await t.rejects(store.readAll({ after: 'nonsense', limit: 10 }), RangeError);
  },
);

t.test('reads while the server is away or frozen say so, and go on by themselves', async (t) => {
  const { standIn, store } = await given(t, { readTimeoutMs: 200 });
  const stream = await newStream(store, someEvents(2));
  const unavailable = { name: 'StoreUnavailable', outcome: 'unwritten' };
  standIn.freeze();
  await t.rejects(store.head(stream), unavailable, 'frozen');
  await t.rejects(store.readAll({ after: null, limit: 10 }), unavailable);
  standIn.thaw();
  t.equal(await store.head(stream), 1);
  await standIn.stop();
  await t.rejects(store.readStream(stream, { from: 0, limit: 10 }), unavailable, 'away');
  await t.rejects(store.readRevisions(stream, [0, 1]), unavailable);
  await standIn.start();
  const head = async (): Promise<number> => store.head(stream).catch(head);
  t.equal(await head(), 1);
});

t.test('a namespace holds no dot, which would let it read the streams of another', async (t) => {
  for (const namespace of ['', 'a.b', '$system', 'a b']) {
    t.throws(
      () => createEventStoreDbStore({ connectionString: 'esdb://127.0.0.1:1?tls=false', namespace }),
      RangeError,
    );
  }
});
