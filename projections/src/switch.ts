/**
 * Fills read models anew beside the live ones, compares the two at one position, and puts the new ones in their place.
 * Whoever reads or projects carries on: names are looked up anew by every statement that had to wait, and the
 * checkpoint stands at the same cursor.
 */
import type { ClientBase, PoolClient } from 'pg';
import { compareSchemas, type Differences } from './compare.ts';
import { entriesModel } from './entries/project.ts';
import { ForeignReads } from './faults.ts';
import {
  type FillOptions,
  fillReads,
  holdsAnything,
  type RebuildProgress,
  rebuildReads,
  SchemaNotEmpty,
} from './rebuild.ts';
import { assertSchema, assertShape, CHECKPOINT, dropSchema, lockOf, quoted } from './schema.ts';

export interface SwitchOptions extends Omit<FillOptions, 'folders'> {
  /** The live schema. */
  readonly schema: string;
  /** Switches also where the live rows differ, or cannot be compared. */
  readonly force?: boolean;
}

export interface SwitchReport extends RebuildProgress, Differences {
  readonly switched: boolean;
  /** Why the live rows could not be compared; null where they were. */
  readonly incomparable: string | null;
}

export async function switchReads(options: SwitchOptions): Promise<SwitchReport> {
  const { store, pool, schema, force = false } = options;
  const next = nextOf(schema);
  const old = assertSchema(`${schema}_old`);
  return alone(options, async (client) => {
    // What an interrupted run has left.
    for (const left of [next, old]) await dropSchema(pool, left);
    const isThere = await holdsAnything(pool, schema);
    const incomparable = isThere ? await whyIncomparable(options) : null;
    let filled: RebuildProgress;
    let differences: Differences = { count: 0, shown: [] };
    let switched = force || incomparable === null;
    if (!isThere || incomparable !== null) {
      filled = switched ? await rebuildReads({ ...options, schema: next }) : NOTHING;
      await client.query('begin');
    } else {
      filled = await fillToLive(options, next);
      await standStill(client, schema);
      filled = plus(filled, await fillToLive(options, next));
      differences = await compareAtLive(client, next, schema, !store.enforcesKeys);
      switched = force || differences.count === 0;
    }
    if (switched) await exchange(client, schema, next, old);
    else await client.query('rollback');
    await dropSchema(pool, switched ? old : next);
    return { ...filled, ...differences, switched, incomparable };
  });
}

export interface CompareOptions extends Omit<FillOptions, 'folders'> {
  readonly into: string;
}

/** Fills a fresh schema up to the live position and compares the two. Nothing of the live one is changed. */
export async function compareWithLive(options: CompareOptions): Promise<RebuildProgress & Differences> {
  const { store, pool, schema, into, partitions = 1 } = options;
  return alone(options, async (client) => {
    await assertShape(pool, schema, partitions);
    if (await holdsAnything(pool, into)) throw new SchemaNotEmpty(into);
    const filled = await fillToLive(options, into);
    await standStill(client, schema);
    const rest = await fillToLive(options, into);
    const differences = await compareAtLive(client, into, schema, !store.enforcesKeys);
    await client.query('rollback');
    return { ...plus(filled, rest), ...differences };
  });
}

export const nextOf = (schema: string): string => assertSchema(`${schema}_next`);

/** One at a time for a live schema, on a connection of its own. */
async function alone<T>(
  { pool, schema }: Pick<SwitchOptions, 'pool' | 'schema'>,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const onError = (): void => undefined;
  client.on('error', onError);
  const lock = lockOf('rebuild', schema);
  try {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [lock]);
    if (rows[0]?.got !== true) throw new Error(`another rebuild of ${schema} is running`);
    const result = await work(client);
    await client.query('select pg_advisory_unlock($1)', [lock]);
    client.removeListener('error', onError);
    client.release();
    return result;
  } catch (error) {
    // Ends its transaction and its lock, whatever happened.
    client.release(true);
    throw error;
  }
}

const NOTHING: RebuildProgress = { events: 0, position: 0n, eventsPerSecond: 0 };

async function whyIncomparable({ pool, schema, partitions = 1 }: SwitchOptions): Promise<string | null> {
  try {
    await assertShape(pool, schema, partitions);
    return null;
  } catch (error) {
    if (error instanceof ForeignReads) return error.reason;
    throw error;
  }
}

/** To where the live checkpoints stand now; the store may end before that. */
async function fillToLive(options: SwitchOptions, into: string): Promise<RebuildProgress> {
  const { rows } = await options.pool.query<{ position: string }>(
    `select position from ${quoted(options.schema)}.checkpoints where name = $1 order by partition`,
    [CHECKPOINT],
  );
  const untils = rows.map(({ position }) => ({ position: BigInt(position) }));
  return fillReads({ ...options, schema: into }, untils);
}

const plus = (one: RebuildProgress, rest: RebuildProgress): RebuildProgress => ({
  ...one,
  events: one.events + rest.events,
  position: rest.events > 0 ? rest.position : one.position,
});

/** From here on no projector moves the live checkpoints or is in the middle of a batch. Readers carry on. */
async function standStill(client: ClientBase, schema: string): Promise<void> {
  await client.query(`begin; lock table ${quoted(schema)}.checkpoints in share mode`);
}

async function compareAtLive(
  client: ClientBase,
  next: string,
  live: string,
  withKeys: boolean,
): Promise<Differences> {
  // Both stand behind the same event: then the live cursor is as good, and the live projector knows it again.
  await client.query(
    `update ${quoted(next)}.checkpoints n set cursor = l.cursor, position = l.position, recorded_at = l.recorded_at
     from ${quoted(live)}.checkpoints l
     where l.name = n.name and l.partition = n.partition
       and (l.stream, l.revision, l.hash) is not distinct from (n.stream, n.revision, n.hash)`,
  );
  return compareSchemas(client, next, live, withKeys);
}

/** In the transaction that compared. The old rows go later: whoever reads them at this moment must not be waited for. */
async function exchange(client: ClientBase, live: string, next: string, old: string): Promise<void> {
  const { rows } = await client.query<{ schema: boolean; table: boolean }>(
    `select to_regnamespace($1) is not null as schema, to_regclass($2) is not null as table`,
    [quoted(live), `${quoted(live)}.checkpoints`],
  );
  if (rows[0]?.table) await client.query(`lock table ${quoted(live)}.checkpoints in access exclusive mode`);
  if (rows[0]?.schema) await client.query(`alter schema ${quoted(live)} rename to ${quoted(old)}`);
  await client.query(`alter schema ${quoted(next)} rename to ${quoted(live)}`);
  // A function's body is text, in which the schema still has its former name.
  await client.query(entriesModel.ddl.replaceAll('$schema', quoted(live)));
  await client.query('commit');
}
