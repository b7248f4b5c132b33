/**
 * The decider runner: finds the stream's cell, lets it decide and record, keeps memory bounded (design 5, rule 8).
 *
 * Round trips of one order on a warm stream: one append on a store that enforces keys; on EventStoreDB one append and one
 * key look-up, which overlaps with the append in flight. A "no" costs one look at the head. A cold stream costs two reads.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandKey, Decider, DomainEvent } from '@tallystick/domain';
import { decodeEvent, type StoredEvent } from './codec.ts';
import { readEvents } from './look-ups.ts';
import { type EventStore, type KeyIndex, StoreUnavailable } from './port.ts';
import type {
  AroundRound,
  CatalogueReader,
  Executed,
  Order,
  Runner,
  RunnerCounts,
  RunnerLimits,
  SnapshotReader,
  Surroundings,
} from './runner-ports.ts';
import { type CellParts, StreamCell } from './stream-cell.ts';

export interface RunnerParts<K> {
  readonly store: EventStore;
  readonly keyIndex: KeyIndex;
  readonly snapshots: SnapshotReader;
  readonly catalogue: CatalogueReader<K>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Of the clock on the wall, where `now` is one that can be moved: deadlines are on it. `now` where left out. */
  readonly realNow?: () => number;
  readonly surroundings?: Surroundings;
  readonly onError?: (error: unknown, stream: string) => void;
  readonly aroundRound?: AroundRound;
  readonly limits?: Partial<RunnerLimits>;
}

const LIMITS: RunnerLimits = {
  memoryBytes: 256 * 1024 * 1024,
  queue: 20_000,
  appendBytes: 512 * 1024,
  unknownMs: 10_000,
  clockAheadMs: 5_000,
  keyGap: 20_000,
  keysRemembered: 256,
};

const REAL: Surroundings = {
  monotonic: () => performance.now(),
  pause: (ms) => sleep(ms),
  random: Math.random,
};

// The cells of all categories live in one map; each is typed again by the decider it is asked for with.
type AnyCell<K> = StreamCell<unknown, CommandKey, DomainEvent, unknown, K>;

export function createRunner<K>(options: RunnerParts<K>): Runner<K> {
  const limits = { ...LIMITS, ...options.limits };
  const counts: RunnerCounts = {
    appends: 0,
    events: 0,
    conflicts: 0,
    replays: 0,
    coldLoads: 0,
    unknownOutcomes: 0,
    roundTrips: { append: 0, headCheck: 0, keyLookup: 0, load: 0, read: 0 },
    queued: 0,
    streams: 0,
    bytes: 0,
  };
  const parts: CellParts<K> = {
    store: options.store,
    keyIndex: options.keyIndex,
    snapshots: options.snapshots,
    catalogue: options.catalogue,
    now: options.now ?? Date.now,
    realNow: options.realNow ?? options.now ?? Date.now,
    surroundings: options.surroundings ?? REAL,
    onError: options.onError ?? (() => undefined),
    aroundRound: options.aroundRound ?? null,
    counts,
    keysRemembered: limits.keysRemembered,
    limits,
  };
  /** In the order of their last use. */
  const cells = new Map<string, { cell: AnyCell<K>; bytes: number }>();
  const working = new Set<Promise<void>>();
  let closed = false;

  function cellOf<S, C extends CommandKey, E extends DomainEvent, R>(
    decider: Decider<S, C, E, R, K>,
    id: string,
  ): StreamCell<S, C, E, R, K> {
    const stream = `${decider.category}-${id}`;
    let entry = cells.get(stream);
    if (entry === undefined) {
      entry = { cell: new StreamCell(parts, decider, id) as unknown as AnyCell<K>, bytes: 0 };
      counts.streams += 1;
    } else cells.delete(stream);
    cells.set(stream, entry);
    return entry.cell as unknown as StreamCell<S, C, E, R, K>;
  }

  function weigh(stream: string): void {
    const entry = cells.get(stream);
    if (entry === undefined) return;
    counts.bytes += entry.cell.bytes - entry.bytes;
    entry.bytes = entry.cell.bytes;
    if (counts.bytes <= limits.memoryBytes) return;
    for (const [name, { cell, bytes }] of cells) {
      if (counts.bytes <= limits.memoryBytes) return;
      if (!cell.idle) continue;
      cells.delete(name);
      counts.bytes -= bytes;
      counts.streams -= 1;
    }
  }

  /** Starts after the current tick, so that orders which come together are decided together. */
  function start(cell: { stream: string; work(): Promise<void> }): void {
    const run = Promise.resolve()
      .then(() => cell.work())
      .catch((error: unknown) => parts.onError(error, cell.stream))
      .finally(() => {
        working.delete(run);
        weigh(cell.stream);
      });
    working.add(run);
  }

  return {
    counts,

    async execute<S, C extends CommandKey, E extends DomainEvent, R>(
      decider: Decider<S, C, E, R, K>,
      orders: readonly Order<C>[],
      deadline: number,
    ): Promise<readonly Executed<S, E, R>[] | 'queue_full'> {
      if (closed) return orders.map(() => ({ status: 'unavailable', reason: 'shutting_down' }));
      if (counts.queued + orders.length > limits.queue) return 'queue_full';
      counts.queued += orders.length;
      try {
        const touched = new Set<StreamCell<S, C, E, R, K>>();
        const answers = orders.map((order) => {
          const cell = cellOf(decider, order.id);
          touched.add(cell);
          return cell.submit(order, deadline);
        });
        for (const cell of touched) start(cell);
        return await Promise.all(answers);
      } finally {
        counts.queued -= orders.length;
      }
    },

    async peek(decider, id) {
      const cell = cellOf(decider, id);
      const { state, revision } = await cell.loaded().catch((error: unknown) => {
        if (error instanceof StoreUnavailable) throw error;
        parts.onError(error, cell.stream);
        throw new StoreUnavailable('unwritten', `${cell.stream} cannot be read`, { cause: error });
      });
      weigh(cell.stream);
      return { state, revision };
    },

    glance<S, C extends CommandKey, E extends DomainEvent, R>(
      decider: Decider<S, C, E, R, K>,
      id: string,
    ): Readonly<S> | null {
      const entry = cells.get(`${decider.category}-${id}`);
      return entry === undefined ? null : (entry.cell.glance() as Readonly<S> | null);
    },

    async find<E extends DomainEvent>(stream: string, keys: readonly string[]) {
      counts.roundTrips.keyLookup += 1;
      const { hits, coveredTo } = await options.keyIndex.lookup(stream, keys);
      const found = new Map<string, StoredEvent<E>>();
      for (const event of (await readEvents<E>(parts, stream, [...hits.values()])).values()) {
        if (event.key !== null) found.set(event.key, event);
      }
      if (options.store.enforcesKeys) return found;
      // The index lags; what it has not seen yet is read.
      const wanted = new Set(keys);
      for (let from = coveredTo + 1; ; ) {
        const page = await options.store.readStream(stream, { from, limit: 1_000 });
        for (const recorded of page) {
          if (recorded.key !== null && wanted.has(recorded.key))
            found.set(recorded.key, decodeEvent<E>(recorded));
        }
        if (page.length < 1_000) return found;
        from += page.length;
      }
    },

    async close() {
      closed = true;
      await Promise.all(working);
    },
  };
}
