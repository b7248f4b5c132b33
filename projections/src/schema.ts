/** The schema of the read models: its tables, and whose they are (rule 10). PostgreSQL 15 or later. */
import { createHash } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { ForeignReads } from './faults.ts';
import { ALL_MODELS } from './models.ts';
import { snapshotsDdl } from './snapshots/table.ts';
import { inTransaction } from './transaction.ts';

/**
 * Raised whenever a table or a fold changes: rows of another version are never added to. There is no upgrade of rows
 * in place; they are filled anew from the events.
 */
export const READS_VERSION = 4;

export function readsSchema(namespace: string): string {
  return assertSchema(`${namespace}_reads`);
}

/** Lower-case letters, digits and `_`, as it stands in SQL and in the name of the notification channel. */
export function assertSchema(schema: string): string {
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(schema))
    throw new Error(`not a name for a schema: ${JSON.stringify(schema)}`);
  return schema;
}

export const quoted = (schema: string): string => `"${assertSchema(schema)}"`;

/** Of the checkpoints of the read models. */
export const CHECKPOINT = 'reads';

const metaDdl = `
create table if not exists $schema.meta (
  one boolean primary key default true check (one),
  version integer not null,
  partitions integer not null,
  store_id text,
  epoch bigint,
  test_clock boolean
);
-- \`cursor\` is the store's own; \`stream\`, \`revision\` and \`hash\` are those of the last event behind it.
create table if not exists $schema.checkpoints (
  name text collate "C" not null,
  partition integer not null,
  cursor text,
  position bigint not null,
  recorded_at timestamptz,
  stream text,
  revision bigint,
  hash text,
  primary key (name, partition)
) with (fillfactor = 50);
`;

/** Makes what is missing. Any number of processes may do so at once: one works, the others wait and find it done. */
export async function migrate(pool: Pool, schema: string, partitions = 1): Promise<void> {
  const name = quoted(schema);
  await inTransaction(pool, 'begin', async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [lockOf('reads', schema)]);
    if (await hasMeta(client, schema)) return;
    await client.query(`create schema if not exists ${name}`);
    for (const ddl of [metaDdl, ...ALL_MODELS.map((model) => model.ddl), snapshotsDdl]) {
      await client.query(ddl.replaceAll('$schema', name));
    }
    await client.query(`insert into ${name}.meta (version, partitions) values ($1, $2)`, [
      READS_VERSION,
      partitions,
    ]);
    // All at once: how far the read models are is how far the last of the partitions is.
    await client.query(
      `insert into ${name}.checkpoints (name, partition, position)
       select '${CHECKPOINT}', p, 0 from generate_series(0, $1 - 1) p`,
      [partitions],
    );
  });
  await assertShape(pool, schema, partitions);
}

async function hasMeta(client: ClientBase, schema: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`select to_regclass($1) is not null as found`, [
    `${schema}.meta`,
  ]);
  return rows[0]?.found ?? false;
}

/** @throws ForeignReads where the rows are of another version, or kept in another number of partitions */
export async function assertShape(pool: Pool, schema: string, partitions: number): Promise<void> {
  const { rows } = await pool.query<{ version: number; partitions: number }>(
    // All columns, because those of another version are not known.
    `select * from ${quoted(schema)}.meta`,
  );
  const [found] = rows;
  if (found?.version !== READS_VERSION)
    throw new ForeignReads(
      `the read models in ${schema} are of version ${found?.version}, this code's of ${READS_VERSION}`,
    );
  if (found.partitions !== partitions)
    throw new ForeignReads(
      `the read models in ${schema} are kept in ${found.partitions} ${found.partitions === 1 ? 'partition' : 'partitions'}, and LEDGER_PARTITIONS says ${partitions}`,
    );
}

export interface StoreIdentity {
  readonly storeId: string;
  readonly epoch: number;
  readonly testClock: boolean;
}

/** The store that the schema was filled from; null where it is new. */
export async function ownerOf(pool: Pool, schema: string): Promise<string | null> {
  const { rows } = await pool.query<{ store_id: string | null }>(
    `select store_id from ${quoted(schema)}.meta`,
  );
  return rows[0]?.store_id ?? null;
}

/** Takes the schema for this store, or refuses where it is another store's. */
export async function claim(pool: Pool, schema: string, store: StoreIdentity): Promise<void> {
  const { rows } = await pool.query<{ store_id: string }>(
    `update ${quoted(schema)}.meta
     set store_id = coalesce(store_id, $1), epoch = coalesce(epoch, $2), test_clock = coalesce(test_clock, $3)
     returning store_id`,
    [store.storeId, store.epoch, store.testClock],
  );
  const owner = rows[0]?.store_id;
  if (owner !== store.storeId)
    throw new ForeignReads(
      `the read models in ${schema} are those of the store ${owner}, not of ${store.storeId}`,
    );
}

/** Removes the schema with all that is in it. */
export async function dropSchema(pool: Pool, schema: string): Promise<void> {
  await pool.query(`drop schema if exists ${quoted(schema)} cascade`);
}

/** Key of the advisory lock for a kind of work on a schema, as the text of a bigint. */
export function lockOf(work: 'reads' | 'rebuild', schema: string): string {
  return createHash('sha256').update(`tallystick:${work}:${schema}`).digest().readBigInt64BE(0).toString();
}
