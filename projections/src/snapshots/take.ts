/**
 * Takes snapshots: the one before and the tail after it, folded by the domain's own decider. Apart from the read
 * models' transaction, because a snapshot says itself which revision it is of, and a lost one costs only time.
 */
import {
  type EventStore,
  hashOf,
  type RecordedEvent,
  type Snapshot,
  StoreUnavailable,
  splitStream,
} from '@tallystick/event-store';
import type { Pool } from 'pg';
import { quoted } from '../schema.ts';
import type { Folding, StreamFolder } from './folder.ts';
import { createSnapshotReader } from './queries.ts';

/** Events of one stream from one snapshot to the next; a cold load reads about twice as many at most. */
export const SNAPSHOT_EVERY = 1_000;
const PAGE = 500;

/** Remembers which streams have come past a thousandth event since their snapshot. */
export class SnapshotTaker {
  readonly #store: EventStore;
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #folders: ReadonlyMap<string, StreamFolder>;
  readonly #due = new Map<string, number>();

  constructor(store: EventStore, pool: Pool, schema: string, folders: readonly StreamFolder[]) {
    this.#store = store;
    this.#pool = pool;
    this.#schema = schema;
    this.#folders = new Map(folders.map((folder) => [folder.category, folder]));
  }

  get waiting(): number {
    return this.#due.size;
  }

  notice(events: readonly RecordedEvent[]): void {
    for (const { stream, revision } of events) {
      if ((revision + 1) % SNAPSHOT_EVERY === 0 && this.#folders.has(splitStream(stream).category))
        this.#due.set(stream, revision);
    }
  }

  /** Takes the snapshots that wait, at most so many. What an outage stops stays for the next time. */
  async take(atMost: number): Promise<number> {
    let taken = 0;
    for (const [stream, revision] of this.#due) {
      if (taken === atMost) break;
      try {
        await this.#takeOne(stream, revision);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) this.#due.delete(stream);
        throw error;
      }
      if (this.#due.get(stream) === revision) this.#due.delete(stream);
      taken += 1;
    }
    return taken;
  }

  async #takeOne(stream: string, upTo: number): Promise<void> {
    const { category, id } = splitStream(stream);
    const folder = this.#folders.get(category);
    if (folder === undefined) return;
    const before = await createSnapshotReader(this.#pool, this.#schema).read(stream, folder.foldVersion);
    if (before !== null && before.revision >= upTo) return;
    const known = before !== null && (await isOf(this.#store, stream, before)) ? before : null;
    const { folding, from } = begun(folder, id, known);
    const hash = await foldTail(this.#store, folding, stream, from, upTo);
    if (hash === null) return;
    await this.#pool.query(
      `insert into ${quoted(this.#schema)}.snapshots as s (stream, fold_version, revision, hash, state)
       values ($1, $2, $3, $4, $5)
       on conflict (stream, fold_version) do update
         set revision = excluded.revision, hash = excluded.hash, state = excluded.state
         where s.revision < excluded.revision`,
      [stream, folder.foldVersion, upTo, hash, folding.freeze()],
    );
  }
}

/** A snapshot of another history is left aside (rule 10). */
async function isOf(store: EventStore, stream: string, snapshot: Snapshot): Promise<boolean> {
  const [event] = await store.readRevisions(stream, [snapshot.revision]);
  return event !== undefined && hashOf(event) === snapshot.hash;
}

/** As for cold loads: a snapshot that cannot be used is left aside, and the stream is folded from its beginning. */
function begun(folder: StreamFolder, id: string, known: Snapshot | null): { folding: Folding; from: number } {
  try {
    if (known !== null) return { folding: folder.begin(id, known.state), from: known.revision + 1 };
  } catch {
    // The new snapshot takes its place.
  }
  return { folding: folder.begin(id, null), from: 0 };
}

/** Folds `from` to `upTo`; the hash of the last event, null where the store does not have them all. */
async function foldTail(
  store: EventStore,
  folding: Folding,
  stream: string,
  from: number,
  upTo: number,
): Promise<string | null> {
  let hash: string | null = null;
  for (let next = from; next <= upTo; ) {
    const events = await store.readStream(stream, { from: next, limit: Math.min(PAGE, upTo - next + 1) });
    for (const event of events) folding.apply(event);
    const last = events.at(-1);
    if (last === undefined) return null;
    hash = hashOf(last);
    next = last.revision + 1;
  }
  return hash;
}
