/**
 * The event store port: what the ledger asks of a store, and what every adapter promises alike.
 * `contract.ts` holds every adapter to it; a behaviour that a caller can tell apart is a bug.
 *
 * Names: a stream is `{category}-{id}` (`wallet-acme`). The namespace is the adapter's affair (a schema in
 * Postgres, a prefix in EventStoreDB): nothing above the port sees it.
 */

/** An event to be written. `data` and `meta` are JSON *texts*: they are hashed, so they are stored to the byte. */
export interface NewEvent {
  /** Random UUID in lower case; serves the identical retry only (rule 2). */
  readonly id: string;
  readonly type: string;
  /** Business key, unique per stream for ever; null where the event claims none. */
  readonly key: string | null;
  readonly data: string;
  readonly meta: string;
  /**
   * What `data` and `meta` say, where the process that decided the event still has it: a store may hand it to readers of
   * that process, so that nobody parses what is known. It is never stored.
   */
  readonly decided?: Decided;
}

/** Of an event, what reading its texts would give. Nobody changes it. */
export interface Decided {
  readonly data: object;
  readonly facts: object;
  readonly fingerprint: string | null;
  readonly actor: string;
  readonly left: number;
}

export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  /** 0-based, without gaps in its stream. */
  readonly revision: number;
  /** Grows over the whole store; not gapless (in EventStoreDB: the commit position). */
  readonly position: bigint;
}

export interface Append {
  readonly stream: string;
  /** Revision of the stream's last event, -1 where the stream must not exist yet. Never "any". */
  readonly expected: number;
  /** At least one. An adapter refuses more than 1 MiB. */
  readonly events: readonly NewEvent[];
}

/**
 * What became of an append, judged in this order:
 * - `appended`: written now, or the identical append (same ids at the same revisions) had been written before:
 *   then it is answered as it was the first time. `position` is that of its last event.
 * - `duplicate_keys`: the stream has events with these keys already (stores that enforce keys). Nothing is written.
 * - `conflict`: the stream's head is not `expected`. Nothing is written. A partial overlap with what is stored
 *   is a conflict too. `actual` is the head's revision, -1 for none.
 * - `rejected`: the store can never take this append (a character it cannot store, over the size limit).
 */
export type AppendResult =
  | { readonly status: 'appended'; readonly position: bigint }
  | { readonly status: 'duplicate_keys'; readonly keys: readonly string[] }
  | { readonly status: 'conflict'; readonly actual: number }
  | { readonly status: 'rejected'; readonly reason: string };

/**
 * The store cannot be reached or did not answer in time.
 * - `unwritten`: certainly nothing was written.
 * - `unknown`: it may have been written: only the *identical* append may follow (rule 6).
 */
export class StoreUnavailable extends Error {
  readonly outcome: 'unwritten' | 'unknown';
  constructor(outcome: 'unwritten' | 'unknown', message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailable';
    this.outcome = outcome;
  }
}

/** Where a reader of the whole store stands. Opaque; each adapter's own (EventStoreDB: commit and prepare). */
export type Cursor = string;

export interface Page {
  readonly events: readonly RecordedEvent[];
  /** Continue after this; also past events that the filter left out. Null only where the store is empty. */
  readonly cursor: Cursor | null;
  /** Position that `cursor` stands for. */
  readonly position: bigint;
  /** Nothing more was there when the page was read. */
  readonly atEnd: boolean;
}

export interface ReadAll {
  readonly after: Cursor | null;
  readonly limit: number;
  /** Only streams of these categories; all of the namespace where left out. */
  readonly categories?: readonly string[];
  /** Of the texts only the end of `meta`, with the hash, is looked at: a store may leave out what is before it. */
  readonly hashesOnly?: boolean;
}

/** Answer of a key look-up, from one snapshot: `hits` lists the keys that exist at revisions up to `coveredTo`. */
export interface KeyLookup {
  readonly hits: ReadonlyMap<string, number>;
  /** Last revision of the stream that the look-up saw; -1 for none. Above it nothing is known. */
  readonly coveredTo: number;
}

/** Finds business keys of a stream. Stores that enforce keys are one; for EventStoreDB the projector writes one. */
export interface KeyIndex {
  lookup(stream: string, keys: readonly string[]): Promise<KeyLookup>;
}

export interface EventStore {
  /** True where `append` itself answers `duplicate_keys`; such a store is also a KeyIndex that covers its head. */
  readonly enforcesKeys: boolean;
  append(append: Append): Promise<AppendResult>;
  /** Events of one stream upwards from a revision; empty beyond its head or where there is no stream. */
  readStream(stream: string, options: { from: number; limit: number }): Promise<readonly RecordedEvent[]>;
  /** These revisions of one stream, in order; missing ones are left out. */
  readRevisions(stream: string, revisions: readonly number[]): Promise<readonly RecordedEvent[]>;
  /** Revision of the last event, -1 for none; sees every append acknowledged before the call, by any process. */
  head(stream: string): Promise<number>;
  /** Events of the whole store in the order of their positions: no gap, no duplicate, whoever is writing. */
  readAll(options: ReadAll): Promise<Page>;
  /**
   * A door-bell: rings after something may have been appended (by any process). It may ring for nothing and may
   * miss, so a listener also looks by itself from time to time. Returns how to stop.
   */
  watch(ring: () => void, categories?: readonly string[]): () => void;
  close(): Promise<void>;
}

/** `wallet-acme` to its parts. The category ends at the first hyphen. */
export function splitStream(stream: string): { category: string; id: string } {
  const hyphen = stream.indexOf('-');
  return { category: stream.slice(0, hyphen), id: stream.slice(hyphen + 1) };
}
