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

// The cells of all categories are kept alike; what one answers is typed again by the decider it is asked for with.
type AnyDecider<K> = Decider<unknown, CommandKey, DomainEvent, unknown, K>;

interface Kept<K> {
  readonly cell: StreamCell<unknown, CommandKey, DomainEvent, unknown, K>;
  readonly id: string;
  /** Of its category, it among them. */
  readonly siblings: Map<string, Kept<K>>;
  bytes: number;
  /** Revision that `bytes` is of. */
  weighedAt: number;
  isUsed: boolean;
  isForgotten: boolean;
}

const WEIGH_EVERY = 8;

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
  /** By category and id. */
  const cells = new Map<string, Map<string, Kept<K>>>();
  /** All of them, in the order in which they may be forgotten. */
  const ring = new Set<Kept<K>>();
  let working = 0;
  let closed = false;
  const rest = Promise.withResolvers<void>();

  function cellsOf(category: string): Map<string, Kept<K>> {
    let found = cells.get(category);
    if (found === undefined) {
      found = new Map();
      cells.set(category, found);
    }
    return found;
  }

  function keptOf<S, C extends CommandKey, E extends DomainEvent, R>(
    decider: Decider<S, C, E, R, K>,
    id: string,
  ): Kept<K> {
    const siblings = cellsOf(decider.category);
    let kept = siblings.get(id);
    if (kept === undefined) {
      const cell = new StreamCell(parts, decider as unknown as AnyDecider<K>, id);
      kept = { cell, id, siblings, bytes: 0, weighedAt: -1, isUsed: false, isForgotten: false };
      siblings.set(id, kept);
      ring.add(kept);
      counts.streams += 1;
    }
    kept.isUsed = true;
    return kept;
  }

  /** Now and then: weighing costs as much as a small decision. */
  function weigh(kept: Kept<K>): void {
    // It may be forgotten between the end of its work and this.
    if (kept.isForgotten) return;
    const { revision } = kept.cell;
    if (kept.bytes > 0 && revision >= kept.weighedAt && revision < kept.weighedAt + WEIGH_EVERY) return;
    const { bytes } = kept.cell;
    counts.bytes += bytes - kept.bytes;
    kept.bytes = bytes;
    kept.weighedAt = revision;
    if (counts.bytes > limits.memoryBytes) forgetSome();
  }

  /** Whose turn it is, unless it is at work; what was used since its last turn has another one, behind all others. */
  function forgetSome(): void {
    for (const kept of ring) {
      if (counts.bytes <= limits.memoryBytes) return;
      if (!kept.cell.idle) continue;
      ring.delete(kept);
      if (kept.isUsed) {
        kept.isUsed = false;
        ring.add(kept);
      } else {
        kept.isForgotten = true;
        kept.siblings.delete(kept.id);
        counts.bytes -= kept.bytes;
        counts.streams -= 1;
      }
    }
  }

  async function work(kept: Kept<K>): Promise<void> {
    working += 1;
    try {
      await kept.cell.work();
      weigh(kept);
    } catch (error) {
      parts.onError(error, kept.cell.stream);
    }
    working -= 1;
    if (closed && working === 0) rest.resolve();
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
        const answers = orders.map((order) => {
          const kept = keptOf(decider, order.id);
          const answer = kept.cell.submit(order, deadline);
          if (kept.cell.isAtRest) void work(kept);
          return answer;
        });
        return (await Promise.all(answers)) as unknown as readonly Executed<S, E, R>[];
      } finally {
        counts.queued -= orders.length;
      }
    },

    async peek<S, C extends CommandKey, E extends DomainEvent, R>(
      decider: Decider<S, C, E, R, K>,
      id: string,
    ) {
      const kept = keptOf(decider, id);
      const { cell } = kept;
      const { state, revision } = await cell.loaded().catch((error: unknown) => {
        if (error instanceof StoreUnavailable) throw error;
        parts.onError(error, cell.stream);
        throw new StoreUnavailable('unwritten', `${cell.stream} cannot be read`, { cause: error });
      });
      weigh(kept);
      return { state: state as Readonly<S>, revision };
    },

    glance<S, C extends CommandKey, E extends DomainEvent, R>(
      decider: Decider<S, C, E, R, K>,
      id: string,
    ): Readonly<S> | null {
      const kept = cells.get(decider.category)?.get(id);
      if (kept === undefined) return null;
      kept.isUsed = true;
      return kept.cell.glance() as Readonly<S> | null;
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
      if (working > 0) await rest.promise;
    },
  };
}
