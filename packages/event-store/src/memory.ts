/**
 * An event store in memory: the reference of the contract, and the store of the simulation. Deterministic: its only
 * time is the order of calls. It loses everything when the process ends.
 */
import {
  type Append,
  type AppendResult,
  type EventStore,
  type KeyIndex,
  type NewEvent,
  type Page,
  type ReadAll,
  type RecordedEvent,
  StoreUnavailable,
  splitStream,
} from './port.ts';
import { keysTwiceIn, whyRejected } from './rejection.ts';

interface Stream {
  readonly category: string;
  readonly events: RecordedEvent[];
  readonly keys: Map<string, number>;
}

export function createMemoryStore(): EventStore & KeyIndex {
  const streams = new Map<string, Stream>();
  /** In the order of positions: the event at index n has position n + 1. */
  const log: RecordedEvent[] = [];
  const watchers = new Set<{ ring: () => void; categories: readonly string[] | undefined }>();
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new StoreUnavailable('unwritten', 'the store is closed');
  }

  function write(name: string, events: readonly NewEvent[]): bigint {
    let stream = streams.get(name);
    if (!stream) {
      stream = { category: splitStream(name).category, events: [], keys: new Map() };
      streams.set(name, stream);
    }
    for (const { id, type, key, data, meta } of events) {
      const revision = stream.events.length;
      const position = BigInt(log.length + 1);
      const event = Object.freeze({ id, type, key, data, meta, stream: name, revision, position });
      stream.events.push(event);
      log.push(event);
      if (key !== null) stream.keys.set(key, revision);
    }
    ringFor(stream.category);
    return BigInt(log.length);
  }

  /** After the append has answered, so that a ring never runs inside a writer. */
  function ringFor(category: string): void {
    for (const watcher of watchers) {
      if (watcher.categories && !watcher.categories.includes(category)) continue;
      queueMicrotask(() => {
        if (watchers.has(watcher)) watcher.ring();
      });
    }
  }

  return {
    enforcesKeys: true,

    async append(append: Append): Promise<AppendResult> {
      assertOpen();
      const reason = whyRejected(append);
      if (reason !== null) return { status: 'rejected', reason };
      const verdict = judge(append, streams.get(append.stream));
      return verdict ?? { status: 'appended', position: write(append.stream, append.events) };
    },

    async readStream(stream, { from, limit }) {
      assertOpen();
      return streams.get(stream)?.events.slice(from, from + limit) ?? [];
    },

    async readRevisions(stream, revisions) {
      assertOpen();
      const wanted = new Set(revisions);
      return streams.get(stream)?.events.filter((event) => wanted.has(event.revision)) ?? [];
    },

    async head(stream) {
      assertOpen();
      return (streams.get(stream)?.events.length ?? 0) - 1;
    },

    async readAll(options: ReadAll): Promise<Page> {
      assertOpen();
      const wanted = options.categories && new Set(options.categories);
      const events: RecordedEvent[] = [];
      let index = options.after === null ? 0 : Number(options.after);
      for (; index < log.length; index++) {
        const event = log[index];
        if (!event || (wanted && !wanted.has(splitStream(event.stream).category))) continue;
        if (events.length === options.limit) break;
        events.push(event);
      }
      const atEnd = index >= log.length;
      const position = atEnd ? BigInt(index) : (events.at(-1)?.position ?? 0n);
      return { events, cursor: position === 0n ? null : String(position), position, atEnd };
    },

    async lookup(stream, keys) {
      assertOpen();
      const stored = streams.get(stream);
      const hits = new Map<string, number>();
      for (const key of keys) {
        const revision = stored?.keys.get(key);
        if (revision !== undefined) hits.set(key, revision);
      }
      return { hits, coveredTo: (stored?.events.length ?? 0) - 1 };
    },

    watch(ring, categories) {
      const watcher = { ring, categories };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },

    async close() {
      closed = true;
      watchers.clear();
    },
  };
}

/** The answer to an append that writes nothing; null where it is to be written. The order is the port's. */
function judge(append: Append, stream: Stream | undefined): AppendResult | null {
  const twice = keysTwiceIn(append.events);
  if (twice.length > 0) return { status: 'duplicate_keys', keys: twice };
  const stored = stream?.events ?? [];
  const first = append.expected + 1;
  const same = stored.slice(first, first + append.events.length);
  if (same.length === append.events.length && same.every((event, n) => event.id === append.events[n]?.id)) {
    return { status: 'appended', position: same.at(-1)?.position ?? 0n };
  }
  const keys = append.events.flatMap(({ key }) => (key !== null && stream?.keys.has(key) ? [key] : []));
  if (keys.length > 0) return { status: 'duplicate_keys', keys };
  const actual = stored.length - 1;
  return actual === append.expected ? null : { status: 'conflict', actual };
}
