/** The read models as they are at one moment: one read-only transaction, in which they cannot move on. */
import { assertSchema, inTransaction, READS_VERSION, WALLET_FOLD_VERSION } from '@tallystick/projections';
import type { Pool, PoolClient } from 'pg';
import type { Cell } from './cells.ts';
import { digestSql } from './digest.ts';
import { sqlOf, type Table } from './tables.ts';

export interface Checkpoint {
  readonly partition: number;
  readonly position: bigint;
  /** Where its projector goes on; the store's own word for the position. */
  readonly cursor: string | null;
  /** Of the last event behind it; null before the first. */
  readonly last: { readonly stream: string; readonly revision: number; readonly hash: string } | null;
}

export interface StoredSnapshot {
  readonly stream: string;
  readonly revision: number;
  readonly hash: string;
  /** JSON, read where it is compared: the texts of all of them are smaller than what they say. */
  readonly state: string;
}

const FETCH = 2_000;

export class Reads {
  readonly #client: PoolClient;
  readonly #schema: string;
  readonly storeId: string | null;
  readonly checkpoints: readonly Checkpoint[];

  constructor(
    client: PoolClient,
    schema: string,
    storeId: string | null,
    checkpoints: readonly Checkpoint[],
  ) {
    this.#client = client;
    this.#schema = schema;
    this.storeId = storeId;
    this.checkpoints = checkpoints;
  }

  /** Rows in pages, by the columns of the table. */
  async *rows(table: Table, ofStream: string | null = null): AsyncGenerator<readonly Cell[], void> {
    const { name, columns, where } = table;
    const conditions = [
      ...(where === undefined ? [] : [where]),
      ...(ofStream === null ? [] : ['stream = $1']),
    ];
    const text = `declare rows no scroll cursor for select ${columns.map(sqlOf).join(', ')}
      from ${this.#schema}.${name} ${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`}`;
    await this.#client.query(text, ofStream === null ? [] : [ofStream]);
    for (;;) {
      const { rows } = await this.#client.query<Cell[]>({
        text: `fetch ${FETCH} from rows`,
        rowMode: 'array',
      });
      yield* rows;
      if (rows.length < FETCH) break;
    }
    await this.#client.query('close rows');
  }

  /** For each stream (rows, sum). */
  async digests(table: Table): Promise<ReadonlyMap<string, readonly [rows: string, sum: string]>> {
    const { rows } = await this.#client.query<[string, string, string]>({
      text: digestSql(this.#schema, table),
      rowMode: 'array',
    });
    return new Map(rows.map(([stream, count, sum]) => [stream, [count, sum]]));
  }

  /** Those that wallets are loaded from. One of another fold has another shape, and nobody reads it. */
  async snapshots(): Promise<StoredSnapshot[]> {
    const snapshots: StoredSnapshot[] = [];
    await this.#client.query(
      `declare states no scroll cursor for select stream, revision::text, hash, state from ${this.#schema}.snapshots
       where fold_version = ${WALLET_FOLD_VERSION}`,
    );
    for (;;) {
      const { rows } = await this.#client.query<{
        stream: string;
        revision: string;
        hash: string;
        state: string;
      }>('fetch 50 from states');
      for (const row of rows) snapshots.push({ ...row, revision: Number(row.revision) });
      if (rows.length < 50) break;
    }
    await this.#client.query('close states');
    return snapshots;
  }
}

/** Why there is nothing to compare with. */
export type NoReads = { readonly expected: string; readonly found: string | null };

/** Works on the read models of a schema as they are now, however long it takes. Nothing is written. */
export function withReads<T>(
  pool: Pool,
  schema: string,
  work: (reads: Reads | NoReads) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, 'begin isolation level repeatable read read only', async (client) =>
    work(await openReads(client, assertSchema(schema))),
  );
}

async function openReads(client: PoolClient, schema: string): Promise<Reads | NoReads> {
  const { rows: there } = await client.query<{ found: boolean }>(
    'select to_regclass($1) is not null as found',
    [`${schema}.meta`],
  );
  if (there[0]?.found !== true) return { expected: `read models in ${schema}`, found: null };
  const { rows: meta } = await client.query<{ version: number; store_id: string | null }>(
    `select * from ${schema}.meta`,
  );
  const version = meta[0]?.version;
  if (version !== READS_VERSION)
    return { expected: `read models of version ${READS_VERSION}`, found: `version ${version}` };
  const { rows } = await client.query<Record<'partition' | 'position' | 'revision', string> & LastColumns>(
    `select partition::text, position::text, cursor, stream, revision::text, hash from ${schema}.checkpoints
     where name = 'reads' order by partition`,
  );
  const checkpoints = rows.map(({ partition, position, cursor, stream, revision, hash }) => ({
    partition: Number(partition),
    position: BigInt(position),
    cursor,
    last: stream === null || hash === null ? null : { stream, revision: Number(revision), hash },
  }));
  return new Reads(client, schema, meta[0]?.store_id ?? null, checkpoints);
}

interface LastColumns {
  readonly cursor: string | null;
  readonly stream: string | null;
  readonly hash: string | null;
}
