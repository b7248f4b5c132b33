/** Appends against a server that misbehaves: nothing hangs, nothing is written twice, no outcome is called certain that is not. */
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { idsOf, someEvent, someEvents, someStream, wholeStream, written } from './contract/fixtures.ts';
import { createEventStoreDbStore, type EventStoreDbOptions } from './eventstoredb.ts';
import { type Append, type EventStore, StoreUnavailable } from './port.ts';
import { type EventStoreDbStandIn, startEventStoreDbStandIn } from './testing/eventstoredb.ts';

const SHORT = { appendTimeoutMs: 300, connectTimeoutMs: 300 };

async function given(
  t: Test,
  options: Partial<EventStoreDbOptions> = SHORT,
): Promise<{ standIn: EventStoreDbStandIn; store: EventStore }> {
  const standIn = await startEventStoreDbStandIn();
  const store = createEventStoreDbStore({ connectionString: standIn.url, ...options });
  t.teardown(async () => {
    standIn.thaw();
    await store.close();
    await standIn.stop();
  });
  // The append stream is open before anything goes wrong.
  await written(store, someAppend());
  return { standIn, store };
}

const someAppend = (count = 1): Append => ({ stream: someStream(), expected: -1, events: someEvents(count) });

/** How an append ended: its status, or what is known of one that found no answer. */
const fate = (store: EventStore, append: Append): Promise<string> =>
  store.append(append).then(
    (result) => result.status,
    (error: unknown) => (error instanceof StoreUnavailable ? error.outcome : String(error)),
  );

/** The identical append again and again, as the runner does, until the store knows its fate. */
async function resolved(store: EventStore, append: Append): Promise<string> {
  for (;;) {
    const now = await fate(store, append);
    if (now !== 'unknown' && now !== 'unwritten') return now;
  }
}

/** Resolves once the stand-in holds the stream: an append in flight has arrived. */
async function arrived(standIn: EventStoreDbStandIn, stream: string): Promise<void> {
  while (standIn.log.read(`ledger.${stream}`).status !== 'found')
    await new Promise((resolve) => setImmediate(resolve));
}

t.test('a lost answer leaves the outcome unknown, and the identical retry writes nothing', async (t) => {
  const { standIn, store } = await given(t);
  const append = someAppend(3);
  standIn.loseNextAnswers(1);
  t.equal(await fate(store, append), 'unknown');
  const position = await written(store, append);
  const stored = await wholeStream(store, append.stream);
  t.same(
    stored.map((event) => event.id),
    append.events.map((event) => event.id),
  );
  t.equal(stored.at(-1)?.position, position);
});

t.test('one lost answer takes none of the others in flight with it', async (t) => {
  const { standIn, store } = await given(t);
  const others = Array.from({ length: 20 }, () => someAppend());
  standIn.loseNextAnswers(1);
  const lost = fate(store, someAppend());
  const fates = await Promise.all(others.map((append) => fate(store, append)));
  t.same(
    fates,
    others.map(() => 'appended'),
  );
  t.equal(await lost, 'unknown');
});

t.test('a retry that the server ignores is unknown again, until it is answered', async (t) => {
  const { standIn, store } = await given(t);
  const append = someAppend();
  standIn.loseNextAnswers(1);
  t.equal(await fate(store, append), 'unknown');
  standIn.ignoreNextAppends(2);
  t.equal(await fate(store, append), 'unknown');
  t.equal(await resolved(store, append), 'appended');
  t.equal(await store.head(append.stream), 0);
});

t.test(
  'with the server frozen appends are unknown by their own timers; those called unwritten never were sent',
  async (t) => {
    const { standIn, store } = await given(t, { ...SHORT, inFlightMax: 2 });
    standIn.freeze();
    const appends = Array.from({ length: 6 }, () => someAppend());
    const fates = await Promise.all(appends.map((append) => fate(store, append)));
    t.same(fates.slice(0, 2), ['unknown', 'unknown'], 'those in flight');
    t.ok(fates.includes('unwritten'), 'those behind them');
    standIn.thaw();
    t.equal(await resolved(store, someAppend()), 'appended');
    for (const [index, append] of appends.entries()) {
      if (fates[index] === 'unwritten') t.equal(await store.head(append.stream), -1);
      t.equal(await resolved(store, append), 'appended');
      t.same(
        await idsOf(store, append.stream),
        append.events.map((event) => event.id),
        'written once',
      );
    }
  },
);

const ENDINGS: ReadonlyArray<[string, (standIn: EventStoreDbStandIn) => void]> = [
  ['ends the append stream cleanly', (standIn) => standIn.endStreamsCleanly()],
  [
    'is stopped in good order (code 13)',
    (standIn) => standIn.failStreams(13, 'Received RST_STREAM with code 0'),
  ],
  ['is not the leader any more', (standIn) => standIn.failStreams(14, 'Leader info available')],
  ['is cut off', (standIn) => standIn.cutConnections()],
];

for (const [how, end] of ENDINGS) {
  t.test(
    `when the server ${how}, appends in flight are unknown, do not hang, and are resolved`,
    async (t) => {
      const { standIn, store } = await given(t, { ...SHORT, appendTimeoutMs: 60_000 });
      standIn.loseNextAnswers(10);
      const appends = Array.from({ length: 10 }, () => someAppend(2));
      const fates = Promise.all(appends.map((append) => fate(store, append)));
      for (const { stream } of appends) await arrived(standIn, stream);
      end(standIn);
      t.same(
        await fates,
        appends.map(() => 'unknown'),
      );
      for (const append of appends) {
        t.equal(await resolved(store, append), 'appended');
        t.same(
          await idsOf(store, append.stream),
          append.events.map((event) => event.id),
          'written once',
        );
      }
    },
  );
}

t.test(
  'while the server is away appends are unwritten, and go on by themselves when it is back',
  async (t) => {
    const { standIn, store } = await given(t);
    await standIn.stop();
    const append = someAppend();
    const first = await fate(store, append);
    t.ok(
      first === 'unwritten' || first === 'unknown',
      'the loss of the connection may be noticed only by this append',
    );
    t.same(await Promise.all([append, someAppend()].map((each) => fate(store, each))), [
      'unwritten',
      'unwritten',
    ]);
    await standIn.start();
    t.equal(await resolved(store, append), 'appended');
    t.equal(await store.head(append.stream), 0);
  },
);

t.test('an append that the server refuses as too busy is unwritten', async (t) => {
  const { standIn, store } = await given(t);
  const append = someAppend();
  standIn.refuseNextAppends(1);
  t.equal(await fate(store, append), 'unwritten');
  t.equal(await store.head(append.stream), -1);
  t.equal(await fate(store, append), 'appended');
});

t.test('a success at position -1 is read back, and answers the true position', async (t) => {
  const { standIn, store } = await given(t);
  const append = someAppend(3);
  standIn.positionMinusOne(1);
  const position = await written(store, append);
  t.equal((await wholeStream(store, append.stream)).at(-1)?.position, position);
  standIn.positionMinusOne(1);
  t.equal(await written(store, append), position, 'and so does a duplicate');
});

t.test('a conflict with its own events is no conflict; with others it is', async (t) => {
  const { standIn, store } = await given(t);
  const append = someAppend(2);
  standIn.conflictAfterWriting(1);
  const position = await written(store, append);
  t.equal((await wholeStream(store, append.stream)).at(-1)?.position, position);
  const other = await store.append({ ...append, events: someEvents(2) });
  t.same(other, { status: 'conflict', actual: 1 });
});

t.test('a second answer to one append disturbs nothing', async (t) => {
  const { standIn, store } = await given(t);
  standIn.answerTwice(50);
  const appends = Array.from({ length: 100 }, () => someAppend());
  const fates = await Promise.all(appends.map((append) => fate(store, append)));
  t.same(
    fates,
    appends.map(() => 'appended'),
  );
});

t.test(
  'appends of one stream keep the order of their calls, also before the stream is open and after it broke',
  async (t) => {
    const standIn = await startEventStoreDbStandIn();
    const store = createEventStoreDbStore({ connectionString: standIn.url });
    t.teardown(async () => {
      await store.close();
      await standIn.stop();
    });
    for (const when of ['before the first connect', 'after a cut']) {
      const stream = someStream();
      const events = someEvents(200);
      const appends = events.map((event, index) => ({ stream, expected: index - 1, events: [event] }));
      const fates = await Promise.all(appends.map((append) => fate(store, append)));
      t.same(new Set(fates), new Set(['appended']), when);
      t.same(
        await idsOf(store, stream),
        events.map((event) => event.id),
      );
      standIn.cutConnections();
      // The cut is noticed by an append that may be lost with it.
      await resolved(store, someAppend());
    }
  },
);

t.test('the queue is bounded: what it does not take is unwritten at once', async (t) => {
  const { standIn, store } = await given(t, { ...SHORT, inFlightMax: 1, waitingMax: 2 });
  standIn.freeze();
  const [sent, second, third, refused] = Array.from({ length: 4 }, () => fate(store, someAppend()));
  t.equal(await refused, 'unwritten');
  standIn.thaw();
  t.same(await Promise.all([sent, second, third]), ['appended', 'appended', 'appended']);
});

t.test('closing waits for the appends on their way and takes no more', async (t) => {
  const { standIn, store } = await given(t, { ...SHORT, inFlightMax: 2 });
  const appends = Array.from({ length: 10 }, () => fate(store, someAppend()));
  const closed = store.close();
  const late = someAppend();
  t.equal(await fate(store, late), 'unwritten');
  await closed;
  t.same(new Set(await Promise.all(appends)), new Set(['appended']));
  t.equal(standIn.log.read(`ledger.${late.stream}`).status, 'not_found');
  await t.rejects(store.head(late.stream), { name: 'StoreUnavailable', outcome: 'unwritten' });
});

t.test('what the server takes for too large is rejected', async (t) => {
  const { store } = await given(t);
  // Below the limit by its own texts, above it where the server counts the key's wrapping too.
  const event = someEvent({
    data: JSON.stringify('x'.repeat(500_000)),
    meta: JSON.stringify('"'.repeat(270_000)),
    key: randomUUID(),
  });
  t.equal(await fate(store, { stream: someStream(), expected: -1, events: [event] }), 'rejected');
  t.equal(await fate(store, someAppend()), 'appended', 'and the next one goes on');
});

t.test('an append to a stream that is deleted for ever is rejected', async (t) => {
  const { standIn, store } = await given(t);
  const { stream } = someAppend();
  await written(store, { stream, expected: -1, events: someEvents(1) });
  standIn.log.delete(`ledger.${stream}`, 0, true);
  t.equal(await fate(store, { stream, expected: 0, events: someEvents(1) }), 'rejected');
  t.equal(await store.head(stream), -1);
  t.same(await wholeStream(store, stream), []);
});
