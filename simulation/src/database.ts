/**
 * The database of the read models: a real PostgreSQL. One schema for each number of partitions, made once and emptied
 * for each seed; two connections, because the simulated processes share them: one for the transaction that is open,
 * one for single statements.
 */
import { migrate } from '@tallystick/projections';
import pg from 'pg';
import { PARTITIONS_MAX } from './shape.ts';

export interface Database {
  readonly schema: string;
  readonly inTransaction: pg.Client;
  readonly single: pg.Client;
}

export interface Databases {
  /** Empty, for so many partitions. */
  emptied(partitions: number): Promise<Database>;
  close(): Promise<void>;
}

/** @param prefix of the schemas: several workers share a server */
export async function openDatabases(url: string, prefix: string): Promise<Databases> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const emptying = new Map<number, string>();
  for (let partitions = 1; partitions <= PARTITIONS_MAX; partitions++) {
    await migrate(pool, `${prefix}_${partitions}`, partitions);
    emptying.set(partitions, await emptyingOf(pool, `${prefix}_${partitions}`));
  }
  await pool.end();
  // A statement that waits for a lock waits for good: nobody else takes a step meanwhile.
  const settings = { connectionString: url, statement_timeout: 5_000 };
  const [inTransaction, single] = [new pg.Client(settings), new pg.Client(settings)];
  await Promise.all([inTransaction.connect(), single.connect()]);
  return {
    async emptied(partitions) {
      await inTransaction.query('rollback');
      await single.query(emptying.get(partitions) ?? '');
      return { schema: `${prefix}_${partitions}`, inTransaction, single };
    },
    async close() {
      await Promise.all([inTransaction.end(), single.end()]);
    },
  };
}

/** Deleting is quicker than truncating where there are few rows. */
async function emptyingOf(pool: pg.Pool, schema: string): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    'select tablename as name from pg_tables where schemaname = $1 order by tablename',
    [schema],
  );
  const tables = rows.map(({ name }) => name).filter((name) => name !== 'meta' && name !== 'checkpoints');
  return [
    ...tables.map((table) => `delete from "${schema}".${table}`),
    `update "${schema}".meta set store_id = null, epoch = null, test_clock = null`,
    `update "${schema}".checkpoints
       set cursor = null, position = 0, recorded_at = null, stream = null, revision = null, hash = null`,
  ].join(';\n');
}
