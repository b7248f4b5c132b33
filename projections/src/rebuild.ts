/** Fills an empty schema from the events, up to any moment of them (design, section 6). */
import type { EventStore } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { readIdentity } from './checkpoint.ts';
import type { ProjectorState } from './progress.ts';
import { startProjector } from './projector.ts';
import { assertSchema, CHECKPOINT, dropSchema, quoted } from './schema.ts';
import type { StreamFolder } from './snapshots/folder.ts';
import { type Until, upTo } from './until.ts';

export interface FillOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly schema: string;
  readonly partitions?: number;
  readonly folders?: readonly StreamFolder[];
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** Store or database away, and back. */
  readonly onState?: (state: ProjectorState) => void;
}

export interface RebuildOptions extends FillOptions {
  /** Removes what the schema holds; without it a schema that holds anything is refused. */
  readonly force?: boolean;
  /** Nothing after it. */
  readonly until?: Until | null;
}

export interface RebuildProgress {
  readonly events: number;
  readonly position: bigint;
  readonly eventsPerSecond: number;
}

/** The schema holds something, and nobody said that it may go. */
export class SchemaNotEmpty extends Error {
  constructor(schema: string) {
    super(`the schema ${schema} is not empty`);
    this.name = 'SchemaNotEmpty';
  }
}

/** Resolves at the end of the store as it was when reached. Rejects on an event that cannot be folded. */
export async function rebuildReads(options: RebuildOptions): Promise<RebuildProgress> {
  const { pool, schema, partitions = 1, until = null } = options;
  if (options.force) await dropSchema(pool, schema);
  else if (await holdsAnything(pool, schema)) throw new SchemaNotEmpty(schema);
  return fillReads(
    options,
    Array.from({ length: partitions }, () => until),
  );
}

/** Goes on filling a schema, each partition up to its own moment. */
export async function fillReads(
  options: FillOptions,
  untils: readonly (Until | null)[],
): Promise<RebuildProgress> {
  const { store, pool, schema, folders, onProgress, onState } = options;
  if ((await readIdentity(store)) === null)
    throw new Error('the store is empty: there is no ledger to rebuild from');
  const began = performance.now();
  let progress: RebuildProgress = { events: 0, position: 0n, eventsPerSecond: 0 };
  const projectors = untils.map((until, partition) =>
    startProjector({
      store: until === null ? store : upTo(store, until),
      pool,
      schema,
      partitions: untils.length,
      takes: [partition],
      batchMax: 5_000,
      gatherMs: 0,
      hurryMs: 0,
      ...(folders === undefined ? {} : { folders }),
      ...(onState === undefined ? {} : { onState }),
      onBatch: ({ events, position }) => {
        const sum = progress.events + events;
        const seconds = (performance.now() - began) / 1_000;
        progress = { events: sum, position, eventsPerSecond: Math.round(sum / seconds) };
        onProgress?.(progress);
      },
    }),
  );
  try {
    await Promise.all(projectors.map((projector) => projector.caughtUp()));
    return progress;
  } finally {
    await Promise.all(projectors.map((projector) => projector.stop()));
  }
}

export async function holdsAnything(pool: Pool, schema: string): Promise<boolean> {
  const { rows } = await pool.query<{ found: boolean }>(
    `select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1) as found`,
    [assertSchema(schema)],
  );
  return rows[0]?.found ?? false;
}

/** How far the read models of a schema have come, as an aim to show progress against; null where there are none. */
export async function positionOf(pool: Pool, schema: string): Promise<bigint | null> {
  try {
    const { rows } = await pool.query<{ position: string | null }>(
      `select min(position) as position from ${quoted(schema)}.checkpoints where name = '${CHECKPOINT}'`,
    );
    return rows[0]?.position == null ? null : BigInt(rows[0].position);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42P01') return null;
    throw error;
  }
}
