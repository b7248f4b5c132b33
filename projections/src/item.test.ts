import { createMemoryStore, type RecordedEvent } from '@tallystick/event-store';
import t from 'tap';
import { readItem } from './item.ts';
import { liveThrough } from './testing/history.ts';
import { openTestLedger, type Store } from './testing/ledger.ts';

/** Keeps every event as it was handed to the store. */
function watched(store: Store): { store: Store; events: RecordedEvent[] } {
  const events: RecordedEvent[] = [];
  const append: Store['append'] = async (append) => {
    const result = await store.append(append);
    if (result.status !== 'appended') return result;
    append.events.forEach((event, index) => {
      const position = result.position - BigInt(append.events.length - 1 - index);
      events.push({ ...event, stream: append.stream, revision: append.expected + 1 + index, position });
    });
    return result;
  };
  return { store: { ...store, append }, events };
}

t.test('an event handed over as it was decided is read as its texts are', async (t) => {
  const { store, events } = watched(createMemoryStore());
  const ledger = await openTestLedger(store);
  await liveThrough(ledger, { seed: 31, steps: 250 });
  await ledger.setProfile('a', 'A', { nested: [1, { of: null }] });
  await ledger.createKey('k');
  t.ok(events.every(({ decided }) => decided !== undefined));
  const stored = events.map(({ decided: _, ...event }) => event);
  const read = (from: readonly RecordedEvent[]) => from.map(readItem).map(({ recorded: _, ...item }) => item);
  t.strictSame(read(events), read(stored));
});
