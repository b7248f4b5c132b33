/** Business keys: unique per stream for ever where the store enforces them, and found again (rules 2, 3). */
import type { Test } from 'tap';
import type { EventStore, KeyIndex } from '../port.ts';
import { keyed, newStream, someEvent, someStream, wholeStream, written } from './fixtures.ts';

export async function keysContract(t: Test, store: EventStore): Promise<void> {
  await t.test('a key is read back with its event, also in streams that share it', async (t) => {
    const one = await newStream(store, [keyed('usage:1'), someEvent()]);
    const two = await newStream(store, [keyed('usage:1')]);
    t.same(
      (await wholeStream(store, one)).map((event) => event.key),
      ['usage:1', null],
    );
    t.same(
      (await wholeStream(store, two)).map((event) => event.key),
      ['usage:1'],
      'keys are per stream',
    );
  });

  const skip = store.enforcesKeys
    ? false
    : 'this store does not enforce keys: the runner does, by a KeyIndex';

  await t.test(
    'a key that the stream has already is a duplicate, and nothing is written',
    { skip },
    async (t) => {
      const stream = await newStream(store, [keyed('old'), keyed('older')]);
      const duplicate = (keys: string[]) => ({ status: 'duplicate_keys', keys });
      t.same(await store.append({ stream, expected: 1, events: [keyed('old')] }), duplicate(['old']));
      const mixed = [keyed('old'), keyed('new'), someEvent(), keyed('older')];
      t.same(
        await store.append({ stream, expected: 1, events: mixed }),
        duplicate(['old', 'older']),
        'only the old ones are named, in the order of the append',
      );
      t.equal(await store.head(stream), 1);
      await written(store, { stream, expected: 1, events: [keyed('new')] });
    },
  );

  await t.test('a key twice in one append is a duplicate', { skip }, async (t) => {
    const stream = someStream();
    const events = [keyed('a'), keyed('b'), keyed('a')];
    t.same(await store.append({ stream, expected: -1, events }), { status: 'duplicate_keys', keys: ['a'] });
    t.equal(await store.head(stream), -1);
  });

  await t.test('keys are compared to the byte', { skip }, async (t) => {
    const stream = await newStream(store, [keyed('Key'), keyed('caf\u00e9'), keyed('')]);
    const other = [keyed('key'), keyed('cafe\u0301'), keyed(' ')];
    await written(store, { stream, expected: 2, events: other });
    t.equal(await store.head(stream), 5);
  });

  await t.test('identical comes before duplicate keys, these before conflict', { skip }, async (t) => {
    const stream = someStream();
    const first = { stream, expected: -1, events: [keyed('a'), keyed('b')] };
    const answer = await store.append(first);
    await written(store, { stream, expected: 1, events: [keyed('c')] });
    t.same(await store.append(first), answer, 'the identical append has its keys in the stream, of course');
    for (const expected of [-1, 0, 2, 7]) {
      const result = await store.append({ stream, expected, events: [keyed('a'), keyed('d')] });
      t.same(result, { status: 'duplicate_keys', keys: ['a'] }, `expected ${expected}, head 2`);
    }
    const stale = await store.append({ stream, expected: 1, events: [keyed('d')] });
    t.same(stale, { status: 'conflict', actual: 2 });
  });

  await t.test('of racing appends with one key exactly one is written', { skip }, async (t) => {
    const stream = await newStream(store, [someEvent()]);
    const race = Array.from({ length: 16 }, () =>
      store.append({ stream, expected: 0, events: [keyed('k')] }),
    );
    const statuses = (await Promise.all(race)).map((result) => result.status);
    t.equal(statuses.filter((status) => status === 'appended').length, 1);
    t.equal(statuses.filter((status) => status === 'duplicate_keys').length, 15);
  });

  const index = asKeyIndex(store);
  const absent = index === null ? 'this store is no KeyIndex' : false;
  await t.test(
    'a key look-up answers the revisions of the keys and covers the head',
    { skip: absent },
    async (t) => {
      if (index === null) return;
      const stream = await newStream(store, [keyed('a'), someEvent(), keyed('b')]);
      await newStream(store, [keyed('c')]);
      const found = await index.lookup(stream, ['b', 'c', 'a', 'b']);
      t.same([...found.hits].sort(), [
        ['a', 0],
        ['b', 2],
      ]);
      t.equal(found.coveredTo, 2);
      const none = await index.lookup(stream, []);
      t.same([none.hits.size, none.coveredTo], [0, 2], 'also without keys');
      const nowhere = await index.lookup(someStream(), ['a']);
      t.same([nowhere.hits.size, nowhere.coveredTo], [0, -1]);
    },
  );
}

function asKeyIndex(store: EventStore): KeyIndex | null {
  return 'lookup' in store && typeof store.lookup === 'function' ? (store as EventStore & KeyIndex) : null;
}
