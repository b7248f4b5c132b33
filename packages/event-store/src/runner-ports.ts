/** What the runner asks for beside the store, and what it answers. */
import type { CommandKey, Decider, DomainEvent } from '@tallystick/domain';
import type { Cause, StoredEvent } from './codec.ts';

export interface Snapshot {
  /** Revision of the last event folded in. */
  readonly revision: number;
  /** Hash of that event: a snapshot of another history is noticed and left aside (rule 10). */
  readonly hash: string;
  /** The decider's own text of the state. */
  readonly state: string;
}

/** Snapshots of folded streams, written by the projector. */
export interface SnapshotReader {
  /** Null where there is none of this fold version. */
  read(stream: string, foldVersion: number): Promise<Snapshot | null>;
}

/** What decisions are made on beside the stream: an immutable picture of the catalogues. */
export interface CatalogueReader<Catalogue> {
  /** The picture as it is now. */
  current(): Catalogue;
  /** A picture that holds everything that was published before the call (rule 24). */
  fresh(): Promise<Catalogue>;
}

/** Where waiting and chance come from; a simulation has its own. */
export interface Surroundings {
  /** Milliseconds that only grow. */
  monotonic(): number;
  pause(ms: number): Promise<void>;
  /** From 0 up to, but not including, 1. */
  random(): number;
}

/**
 * Surrounds a round of decisions on a stream, and its append: for traces. Calls `work` once, and ends as it does.
 * @param causes of the orders that are decided together
 */
export type AroundRound = (
  stream: string,
  causes: readonly Cause[],
  work: () => Promise<void>,
) => Promise<void>;

export interface Order<C> {
  readonly id: string;
  readonly command: C;
  readonly cause: Cause;
}

export type Executed<S, E extends DomainEvent, R> =
  /**
   * `event` is the first that the command made, or made long ago (`replayed`). `position` is what to answer: the same
   * for a replay as at first (that of the last event of its append).
   */
  | {
      readonly status: 'recorded';
      readonly event: StoredEvent<E>;
      readonly position: bigint;
      readonly replayed: boolean;
    }
  /** Nothing to do; the state it was judged on, at the stream's head. */
  | { readonly status: 'unchanged'; readonly state: Readonly<S>; readonly revision: number }
  | { readonly status: 'refused'; readonly refusal: R }
  /** The key exists with another fingerprint (rule 14). */
  | { readonly status: 'conflict' }
  /** Not decided, or not known whether it was written: send it again. The outage is temporary. */
  | { readonly status: 'unavailable'; readonly reason: Unavailable };

export type Unavailable =
  | 'store_unavailable'
  /** The append may have been written: the same command again will tell. */
  | 'outcome_unknown'
  | 'deadline_passed'
  /** The store can never take what these orders come to; a fault of ours, told in the log. */
  | 'append_rejected'
  /** Repeats cannot be told from new facts: the projector, which writes the key index, is too far behind. */
  | 'key_index_behind'
  | 'clock_behind'
  | 'stream_unreadable'
  | 'shutting_down';

export interface Runner<Catalogue> {
  /**
   * Decides and records commands on streams of one category; every order has a fate of its own, in order. Orders on one
   * stream are decided together and recorded in one append. All are admitted, or none: then it answers `queue_full`.
   */
  execute<S, C extends CommandKey, E extends DomainEvent, R>(
    decider: Decider<S, C, E, R, Catalogue>,
    orders: readonly Order<C>[],
    /** Milliseconds since 1970, in real time: an order that is not decided by then is dropped before it is decided, never after. */
    deadline: number,
  ): Promise<readonly Executed<S, E, R>[] | 'queue_full'>;

  /** The cached state of a stream (loaded where it is not): good for advice, not for a "no" (rule 1). */
  peek<S, C extends CommandKey, E extends DomainEvent, R>(
    decider: Decider<S, C, E, R, Catalogue>,
    id: string,
  ): Promise<{ readonly state: Readonly<S>; readonly revision: number }>;

  /** As `peek`, at once: null where the stream is not in memory. */
  glance<S, C extends CommandKey, E extends DomainEvent, R>(
    decider: Decider<S, C, E, R, Catalogue>,
    id: string,
  ): Readonly<S> | null;

  /** Events of a stream by business key; keys without one are left out. */
  find<E extends DomainEvent>(
    stream: string,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, StoredEvent<E>>>;

  /** Counts since the start, for metrics and tests. */
  readonly counts: RunnerCounts;
  /** Refuses what comes, finishes what is under way. */
  close(): Promise<void>;
}

export interface RunnerCounts {
  appends: number;
  events: number;
  conflicts: number;
  replays: number;
  coldLoads: number;
  unknownOutcomes: number;
  /** Round trips to the store and the read models, by what they were for. */
  roundTrips: { append: number; headCheck: number; keyLookup: number; load: number; read: number };
  queued: number;
  streams: number;
  bytes: number;
}

export interface RunnerLimits {
  /** Bytes of folded streams kept in memory, roughly. */
  readonly memoryBytes: number;
  /** Orders waiting in all. */
  readonly queue: number;
  /** Where an append is cut. */
  readonly appendBytes: number;
  /** How long an append of unknown outcome is repeated. */
  readonly unknownMs: number;
  /** How far a stream's last event may be ahead of this clock (rule 9). */
  readonly clockAheadMs: number;
  /** How many events are read where the key index lags behind what is remembered. */
  readonly keyGap: number;
  /** Keys remembered per stream, in each of two generations. */
  readonly keysRemembered: number;
}
