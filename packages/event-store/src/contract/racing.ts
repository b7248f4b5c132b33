/** Many writers and readers at once: one winner for each revision, appends whole, readers without gap or duplicate. */
import type { Test } from 'tap';
import type { EventStore, NewEvent, RecordedEvent } from '../port.ts';
import {
  endOfStore,
  idsOf,
  pageToEnd,
  someCategory,
  someEvents,
  someStream,
  wholeStream,
} from './fixtures.ts';

const WRITERS = 64;

export async function racingContract(t: Test, store: EventStore): Promise<void> {
  await t.test('of 64 writers racing for a revision exactly one wins it', async (t) => {
    const stream = someStream();
    for (const expected of [-1, 0, 1]) {
      const race = Array.from({ length: WRITERS }, () =>
        store.append({ stream, expected, events: someEvents(1) }),
      );
      const results = await Promise.all(race);
      t.equal(results.filter((result) => result.status === 'appended').length, 1, `revision ${expected + 1}`);
      const lost = results.filter((result) => result.status === 'conflict');
      t.equal(lost.length, WRITERS - 1);
      t.ok(
        lost.every((result) => result.actual === expected + 1),
        'the others learn the head',
      );
    }
    t.equal(await store.head(stream), 2);
  });

  await t.test(
    'writers that retry at the head are each written once, their appends never interleave',
    async (t) => {
      const stream = someStream();
      const batches = Array.from({ length: 24 }, (_, index) => someEvents(1 + (index % 5)));
      await Promise.all(batches.map((events) => appendAtHead(store, stream, events)));
      const ids = await idsOf(store, stream);
      t.equal(ids.length, batches.flat().length);
      for (const batch of batches) {
        const start = ids.indexOf(batch[0]?.id ?? '');
        t.same(
          ids.slice(start, start + batch.length),
          batch.map((event) => event.id),
        );
      }
    },
  );

  await t.test('a head read after an acknowledged append sees it', async (t) => {
    const streams = Array.from({ length: 16 }, () => someStream());
    await Promise.all(
      streams.map(async (stream) => {
        for (let revision = 0; revision < 10; revision++) {
          await appendAtHead(store, stream, someEvents(1));
          t.equal(await store.head(stream), revision);
        }
      }),
    );
  });

  await t.test('a reader that pages while others write reads each event once, in order', async (t) => {
    const category = someCategory();
    const streams = Array.from({ length: 12 }, () => someStream(category));
    const start = await endOfStore(store);
    let writing = true;
    const writers = Promise.all(
      streams.map(async (stream) => {
        for (let round = 0; round < 20; round++)
          await appendAtHead(store, stream, someEvents(1 + (round % 3)));
      }),
    ).finally(() => {
      writing = false;
    });
    const everything = follow(store, { after: start, limit: 7 }, () => writing);
    const filtered = follow(store, { after: start, limit: 5, categories: [category] }, () => writing);
    await writers;
    for (const [how, read] of [
      ['unfiltered', await everything],
      ['filtered', await filtered],
    ] as const) {
      const own = read.filter((event) => streams.includes(event.stream));
      t.ok(growing(read), `${how}: positions only grow`);
      for (const stream of streams) {
        t.same(
          own.filter((event) => event.stream === stream),
          await wholeStream(store, stream),
          `${how}: each event of a stream once, in order`,
        );
      }
    }
    const anew = await pageToEnd(store, { after: start, limit: 1000, categories: [category] });
    t.same(await filtered, anew.events, 'as one who reads afterwards');
  });
}

/** Appends at the stream's head, again after each conflict, until it is written. */
async function appendAtHead(store: EventStore, stream: string, events: readonly NewEvent[]): Promise<void> {
  let expected = await store.head(stream);
  for (;;) {
    const result = await store.append({ stream, expected, events });
    if (result.status === 'appended') return;
    if (result.status !== 'conflict') throw new Error(`unexpected ${result.status}`);
    expected = result.actual;
  }
}

/** Pages as long as `busy`, and from then to the end once more. */
async function follow(
  store: EventStore,
  options: Parameters<EventStore['readAll']>[0],
  busy: () => boolean,
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let after = options.after;
  for (;;) {
    const last = !busy();
    const page = await pageToEnd(store, { ...options, after });
    events.push(...page.events);
    after = page.cursor;
    if (last) return events;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const growing = (events: readonly RecordedEvent[]): boolean =>
  events.every((event, index) => index === 0 || event.position > (events[index - 1]?.position ?? 0n));
