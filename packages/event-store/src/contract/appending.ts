/** How an append is judged: identical, duplicate keys, conflict, written (port.ts; rules 2 and 5; event-store.md). */
import type { Test } from 'tap';
import type { EventStore } from '../port.ts';
import { idsOf, newStream, someEvent, someEvents, someStream, wholeStream, written } from './fixtures.ts';

export async function appendingContract(t: Test, store: EventStore): Promise<void> {
  await t.test('an append at -1 creates the stream, an append at its head extends it', async (t) => {
    const stream = someStream();
    const [a, b, c] = someEvents(3);
    if (!a || !b || !c) return;
    const first = await written(store, { stream, expected: -1, events: [a] });
    const second = await written(store, { stream, expected: 0, events: [b, c] });
    t.ok(second > first, 'positions grow');
    t.same(await idsOf(store, stream), [a.id, b.id, c.id]);
    t.equal(await store.head(stream), 2);
  });

  await t.test('an append beside the head is a conflict that names the head', async (t) => {
    const stream = someStream();
    const missing = await store.append({ stream, expected: 0, events: [someEvent()] });
    t.same(missing, { status: 'conflict', actual: -1 }, 'a stream that does not exist');
    const events = someEvents(3);
    await written(store, { stream, expected: -1, events });
    for (const expected of [-1, 0, 1, 3, 99]) {
      const result = await store.append({ stream, expected, events: [someEvent()] });
      t.same(result, { status: 'conflict', actual: 2 }, `expected ${expected}, head 2`);
    }
    t.same(
      await idsOf(store, stream),
      events.map((event) => event.id),
      'nothing was written',
    );
  });

  await t.test('the identical append is answered as it was the first time and written once', async (t) => {
    const stream = someStream();
    const first = { stream, expected: -1, events: someEvents(3) };
    const second = { stream, expected: 2, events: someEvents(2) };
    const answer = await store.append(first);
    t.same(await store.append(first), answer, 'at once');
    const later = await store.append(second);
    t.same(await store.append(first), answer, 'after later events');
    t.same(await store.append(second), later, 'at an exact revision');
    t.equal(await store.head(stream), 4);
  });

  await t.test('retrying a part of what was appended answers with the position of that part', async (t) => {
    const events = someEvents(3);
    const stream = await newStream(store, events);
    const positions = (await wholeStream(store, stream)).map((event) => event.position);
    const prefix = await store.append({ stream, expected: -1, events: events.slice(0, 2) });
    t.same(prefix, { status: 'appended', position: positions[1] }, 'the first two of three');
    const suffix = await store.append({ stream, expected: 0, events: events.slice(1) });
    t.same(suffix, { status: 'appended', position: positions[2] }, 'the last two of three');
    t.equal(await store.head(stream), 2);
  });

  await t.test('a partial overlap with what is stored is a conflict', async (t) => {
    const events = someEvents(3);
    const stream = await newStream(store, events);
    const [a, b, c] = events;
    if (!a || !b || !c) return;
    const conflict = { status: 'conflict', actual: 2 };
    t.same(
      await store.append({ stream, expected: -1, events: [...events, someEvent()] }),
      conflict,
      'beyond it',
    );
    t.same(
      await store.append({ stream, expected: -1, events: [a, someEvent()] }),
      conflict,
      'different inside',
    );
    t.same(await store.append({ stream, expected: -1, events: [b, a, c] }), conflict, 'another order');
    t.same(await store.append({ stream, expected: 0, events: [a] }), conflict, 'the same id elsewhere');
    t.equal(await store.head(stream), 2);
  });

  await t.test(
    'the same ids at the current head are written again (rule 2: ids serve the retry only)',
    async (t) => {
      const events = someEvents(2);
      const stream = await newStream(store, events);
      const again = await written(store, { stream, expected: 1, events });
      const ids = events.map((event) => event.id);
      t.same(await idsOf(store, stream), [...ids, ...ids]);
      t.equal((await wholeStream(store, stream)).at(-1)?.position, again);
    },
  );

  await t.test('the same id may stand in two streams', async (t) => {
    const events = someEvents(1);
    const one = await newStream(store, events);
    const two = await newStream(store, events);
    t.same(await idsOf(store, one), await idsOf(store, two));
  });

  await t.test('the position an append answers is the position of its last event (rule 16)', async (t) => {
    const stream = someStream();
    const answered = [
      await written(store, { stream, expected: -1, events: someEvents(3) }),
      await written(store, { stream, expected: 2, events: someEvents(1) }),
    ];
    const events = await wholeStream(store, stream);
    t.same([events[2]?.position, events[3]?.position], answered);
    t.ok(
      events.every((event, index) => index === 0 || event.position > (events[index - 1]?.position ?? 0n)),
      'positions grow with revisions',
    );
  });
}
