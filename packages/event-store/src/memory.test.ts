import { test } from 'tap';
import { newStream, someEvents, someStream } from './contract/fixtures.ts';
import { eventStoreContract } from './contract.ts';
import { createMemoryStore } from './memory.ts';
import { StoreUnavailable } from './port.ts';

test('the in-memory store keeps the contract', (t) => eventStoreContract(t, async () => createMemoryStore()));

test('an empty store has no cursor', async (t) => {
  const page = await createMemoryStore().readAll({ after: null, limit: 10 });
  t.same(page, { events: [], cursor: null, position: 0n, atEnd: true });
});

test('a closed store refuses, and says that nothing was written', async (t) => {
  const store = createMemoryStore();
  const stream = await newStream(store, someEvents(1));
  await store.close();
  const closed = new StoreUnavailable('unwritten', 'the store is closed');
  await t.rejects(store.append({ stream, expected: 0, events: someEvents(1) }), closed);
  await t.rejects(store.head(someStream()), closed);
});

test('what the caller does to its objects afterwards changes nothing that is stored', async (t) => {
  const store = createMemoryStore();
  const event = { id: crypto.randomUUID(), type: 'A', key: null, data: '{"a":1}', meta: '{}' };
  const stream = await newStream(store, [event]);
  event.data = '{"a":2}';
  t.equal((await store.readStream(stream, { from: 0, limit: 1 }))[0]?.data, '{"a":1}');
});
