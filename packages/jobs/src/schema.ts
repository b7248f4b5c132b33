/**
 * What we keep of jobs ourselves, in Postgres, with either engine: dead letters, how far a running job is, and up to
 * when recurring jobs have been put in. None of it is the ledger's truth; dropped, it is made again, empty.
 */
import type { Pool, PoolClient } from 'pg';

export interface Tables {
  readonly pool: Pool;
  /** Quoted, as it stands in a statement. */
  readonly schema: string;
}

const ddl = (schema: string): string => `
create schema if not exists ${schema};
create table if not exists ${schema}.dead_letters (
  queue text collate "C" not null,
  fact text collate "C" not null,
  round text not null,
  -- As it lay in the engine: text, since what comes back must be what was put in.
  data text not null,
  error text not null,
  attempts integer not null,
  deaths integer not null,
  first_died_at timestamptz not null,
  died_at timestamptz not null,
  primary key (queue, fact)
);
create table if not exists ${schema}.progress (
  id uuid primary key,
  done bigint not null,
  total bigint not null,
  at timestamptz not null
);
create table if not exists ${schema}.schedules (
  name text collate "C" primary key,
  last_at timestamptz not null
);
`;

/** Makes what is missing; any number of processes may at once. */
export async function openTables(pool: Pool, namespace: string): Promise<Tables> {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(namespace))
    throw new Error(`not a namespace: ${JSON.stringify(namespace)}`);
  const schema = `"${namespace}_jobs"`;
  await inTransaction(pool, async (client) => {
    // `create … if not exists` of two at once is an error of one.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [schema]);
    await client.query(ddl(schema));
  });
  return { pool, schema };
}

/** After any failure the connection is closed, not reused: what it is in the middle of is not known. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Lost between two statements: without a listener that ends the process. The next statement fails by itself.
  const onError = (): void => undefined;
  client.on('error', onError);
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.removeListener('error', onError);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}
