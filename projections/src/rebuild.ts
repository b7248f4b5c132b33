/** Fills an empty schema from the events, beside the live one or in its place (design, section 6). */
import type { EventStore } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { readIdentity } from './checkpoint.ts';
import { type ProjectorState, startProjector } from './projector.ts';
import { assertSchema, dropSchema, quoted } from './schema.ts';
import type { StreamFolder } from './snapshots/folder.ts';

export interface RebuildOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly schema: string;
  /** Removes what the schema holds; without it a schema that holds anything is refused. */
  readonly force?: boolean;
  readonly folders?: readonly StreamFolder[];
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** Store or database away, and back. */
  readonly onState?: (state: ProjectorState) => void;
}

export interface RebuildProgress {
  readonly events: number;
  readonly position: bigint;
  readonly eventsPerSecond: number;
}

/** The schema holds something, and nobody said that it may go. */
export class SchemaNotEmpty extends Error {
  constructor(schema: string) {
    super(
      `the schema ${schema} is not empty; --into fills another one beside it, --force removes what it holds`,
    );
    this.name = 'SchemaNotEmpty';
  }
}

/** Resolves at the end of the store as it was when reached. Rejects on an event that cannot be folded. */
export async function rebuildReads(options: RebuildOptions): Promise<RebuildProgress> {
  const { store, pool, schema, folders, onProgress, onState } = options;
  if ((await readIdentity(store)) === null)
    throw new Error('the store is empty: there is no ledger to rebuild from');
  if (options.force) await dropSchema(pool, schema);
  else if (await holdsAnything(pool, schema)) throw new SchemaNotEmpty(schema);
  const began = performance.now();
  let progress: RebuildProgress = { events: 0, position: 0n, eventsPerSecond: 0 };
  const projector = startProjector({
    store,
    pool,
    schema,
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
  });
  try {
    await projector.caughtUp();
    return progress;
  } finally {
    await projector.stop();
  }
}

async function holdsAnything(pool: Pool, schema: string): Promise<boolean> {
  const { rows } = await pool.query<{ found: boolean }>(
    `select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1) as found`,
    [assertSchema(schema)],
  );
  return rows[0]?.found ?? false;
}

/** How far the read models of a schema have come, as an aim to show progress against; null where there are none. */
export async function positionOf(pool: Pool, schema: string): Promise<bigint | null> {
  try {
    const { rows } = await pool.query<{ position: string }>(
      `select position from ${quoted(schema)}.checkpoints where name = 'reads' and partition = 0`,
    );
    return rows[0] === undefined ? null : BigInt(rows[0].position);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42P01') return null;
    throw error;
  }
}
