/**
 * The memory store without its own look at business keys, as EventStoreDB is: the keys stand in the events, and nobody
 * refuses one that is there already (rule 3).
 */
import type { EventStore, RecordedEvent } from '@tallystick/event-store';

export function withoutKeys(store: EventStore): EventStore {
  const keys = new Map<string, string>();
  const keyed = (event: RecordedEvent): RecordedEvent => ({ ...event, key: keys.get(event.id) ?? null });
  return {
    enforcesKeys: false,
    append(append) {
      for (const { id, key } of append.events) if (key !== null) keys.set(id, key);
      return store.append({ ...append, events: append.events.map((event) => ({ ...event, key: null })) });
    },
    readStream: async (stream, options) => (await store.readStream(stream, options)).map(keyed),
    readRevisions: async (stream, revisions) => (await store.readRevisions(stream, revisions)).map(keyed),
    async readAll(options) {
      const page = await store.readAll(options);
      return { ...page, events: page.events.map(keyed) };
    },
    head: (stream) => store.head(stream),
    watch: (ring, categories) => store.watch(ring, categories),
    close: () => store.close(),
  };
}
