/** Reading one stream and the whole store; the door-bell. */
import type { Test } from 'tap';
import { HASH_SUFFIX_LENGTH } from '../codec.ts';
import type { EventStore } from '../port.ts';
import {
  endOfStore,
  newStream,
  pageToEnd,
  someCategory,
  someEvent,
  someEvents,
  someStream,
  wholeStream,
  written,
} from './fixtures.ts';

export async function readingContract(t: Test, store: EventStore): Promise<void> {
  await t.test('a stream is read upwards from a revision, up to a limit', async (t) => {
    const events = someEvents(5);
    const stream = await newStream(store, events);
    const revisions = async (from: number, limit: number) =>
      (await store.readStream(stream, { from, limit })).map((event) => event.revision);
    t.same(await revisions(0, 10), [0, 1, 2, 3, 4]);
    t.same(await revisions(1, 3), [1, 2, 3]);
    t.same(await revisions(4, 1), [4]);
    t.same(await revisions(5, 10), [], 'beyond its head');
    t.same(await store.readStream(someStream(), { from: 0, limit: 10 }), [], 'no stream');
    const third = (await store.readStream(stream, { from: 2, limit: 1 }))[0];
    t.same({ ...third, position: 0n }, { ...events[2], stream, revision: 2, position: 0n });
    t.type(third?.position, 'bigint');
  });

  await t.test('chosen revisions are read in order, each once, and missing ones are left out', async (t) => {
    const stream = await newStream(store, someEvents(6));
    const read = await store.readRevisions(stream, [4, 0, 9, 2, 4]);
    t.same(
      read.map((event) => event.revision),
      [0, 2, 4],
    );
    t.same(
      read,
      (await wholeStream(store, stream)).filter((event) => [0, 2, 4].includes(event.revision)),
    );
    t.same(await store.readRevisions(stream, []), []);
    t.same(await store.readRevisions(someStream(), [0]), []);
  });

  await t.test('the head is the last revision, -1 where there is no stream', async (t) => {
    t.equal(await store.head(someStream()), -1);
    t.equal(await store.head(await newStream(store, someEvents(3))), 2);
  });

  await t.test('a stream is its whole name, not a prefix', async (t) => {
    const short = await newStream(store, someEvents(1));
    await written(store, { stream: `${short}0`, expected: -1, events: someEvents(2) });
    await written(store, { stream: `${short}-0`, expected: -1, events: someEvents(2) });
    t.equal(await store.head(short), 0);
    t.equal((await wholeStream(store, short)).length, 1);
  });

  await t.test('the whole store is read in the order of positions, in pages of any size', async (t) => {
    const after = await endOfStore(store);
    const one = await newStream(store, someEvents(4));
    const two = await newStream(store, someEvents(3), someCategory());
    await written(store, { stream: one, expected: 3, events: someEvents(2) });
    for (const limit of [1, 2, 3, 1000]) {
      const { events } = await pageToEnd(store, { after, limit });
      t.same(
        events.map((event) => [event.stream, event.revision]),
        [...[0, 1, 2, 3].map((r) => [one, r]), ...[0, 1, 2].map((r) => [two, r]), [one, 4], [one, 5]],
        `pages of ${limit}`,
      );
    }
    t.same(
      (await pageToEnd(store, { after, limit: 4 })).events.filter((event) => event.stream === one),
      await wholeStream(store, one),
      'events are the same however they are read',
    );
  });

  await t.test(
    'who asks for hashes only has at least the end of meta, and all else of the page',
    async (t) => {
      const after = await endOfStore(store);
      const stream = await newStream(store, someEvents(3));
      const whole = await pageToEnd(store, { after, limit: 2 });
      const { events, position } = await pageToEnd(store, { after, limit: 2, hashesOnly: true });
      t.equal(position, whole.position);
      t.same(
        events.map(({ data: _, meta: __, decided: ___, ...event }) => event),
        whole.events.map(({ data: _, meta: __, decided: ___, ...event }) => event),
      );
      const stored = await wholeStream(store, stream);
      for (const [index, { meta }] of events.entries()) {
        const end = stored[index]?.meta.slice(-HASH_SUFFIX_LENGTH) ?? '';
        t.ok(meta.endsWith(end), 'as it is stored');
      }
    },
  );

  await t.test('a page holds at most the limit, its cursor stands for its last event', async (t) => {
    const after = await endOfStore(store);
    const stream = await newStream(store, someEvents(3));
    const page = await store.readAll({ after, limit: 2 });
    t.equal(page.events.length, 2);
    t.equal(page.atEnd, false);
    t.equal(page.position, page.events[1]?.position);
    const rest = await pageToEnd(store, { after: page.cursor, limit: 2 });
    t.same(rest.events, (await wholeStream(store, stream)).slice(2));
    const idle = await store.readAll({ after: rest.cursor, limit: 2 });
    t.same(idle.events, [], 'at the end there is nothing more');
    t.equal(idle.atEnd, true);
    t.ok(idle.position >= rest.position, 'and the position does not fall back');
  });

  await t.test('a category filter leaves out others, and its cursor advances past them', async (t) => {
    const category = someCategory();
    const after = await endOfStore(store);
    const own = await newStream(store, someEvents(2), category);
    const foreign = await newStream(store, someEvents(5));
    await newStream(store, someEvents(1), `${category}x`);
    await written(store, { stream: own, expected: 1, events: someEvents(1) });
    const last = await written(store, { stream: foreign, expected: 4, events: someEvents(5) });
    for (const limit of [1, 2, 100]) {
      const read = await pageToEnd(store, { after, limit, categories: [category] });
      t.same(
        read.events.map((event) => [event.stream, event.revision]),
        [0, 1, 2].map((revision) => [own, revision]),
      );
      t.ok(read.position >= last, 'past the foreign events');
      const more = await pageToEnd(store, { after: read.cursor, limit: 100 });
      t.same(more.events, [], 'none of which is read again');
    }
    const both = await pageToEnd(store, { after, limit: 4, categories: [category, 'wallet'] });
    t.equal(both.events.length, 13);
    const wallets = await pageToEnd(store, { after, limit: 4, categories: ['wallet'] });
    t.equal(wallets.events.length, 10);
  });

  await t.test('a cursor survives being stored while events arrive', async (t) => {
    const category = someCategory();
    const first = await newStream(store, someEvents(2), category);
    const read = await pageToEnd(store, { after: null, limit: 1000, categories: [category] });
    t.equal(read.events.length, 2);
    await written(store, { stream: first, expected: 1, events: someEvents(2) });
    const stored = JSON.parse(JSON.stringify(read.cursor));
    const more = await pageToEnd(store, { after: stored, limit: 1, categories: [category] });
    t.same(
      more.events.map((event) => event.revision),
      [2, 3],
    );
  });

  await t.test('a watcher is rung after an append, and no more once it has stopped', async (t) => {
    const category = someCategory();
    let mute = 0;
    const stopMuted = store.watch(() => mute++, [category]);
    stopMuted();
    const before = mute;
    for (const categories of [undefined, [category], ['other', category]]) {
      const rung = Promise.withResolvers<void>();
      const stop = store.watch(rung.resolve, categories);
      await newStream(store, [someEvent()], category);
      await rung.promise;
      stop();
      stop();
    }
    t.equal(mute, before);
  });
}
