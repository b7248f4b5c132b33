/**
 * What a read model is: its tables, and a fold that turns a batch of events into row changes in memory and then into
 * a few statements. All read models are written in one transaction with the checkpoint.
 */
import type { ClientBase } from 'pg';
import type { Item } from './batch.ts';

export interface ReadModel {
  readonly name: string;
  /** For a rebuild's comparison: these must come out equal row by row. */
  readonly tables: readonly string[];
  /** DDL; `$schema` stands for the quoted schema. */
  readonly ddl: string;
  fold(batch: BatchContext): Fold;
}

export interface BatchContext {
  /** Quoted name of the schema. */
  readonly schema: string;
  readonly partition: number;
  /** Wallets whose next due instant may have changed; gathered by all, used by `balances` at the end. */
  readonly dueAccounts: Set<string>;
}

export interface Fold {
  add(item: Item): void;
  write(client: ClientBase): Promise<void>;
  /** After all others have written. */
  settle?(client: ClientBase): Promise<void>;
}

/** Columns of a multi-row statement; `type` is the Postgres type of one value. */
export interface Column<Row> {
  readonly name: string;
  readonly type: string;
  readonly of: (row: Row) => string | number | bigint | boolean | null;
}

/** `unnest($1::text[], …) as name(a, …)` and its parameters: one array per column, however many rows. */
export function unnest<Row>(
  name: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): { from: string; names: string; values: unknown[] } {
  const names = columns.map((column) => column.name).join(', ');
  const types = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
  return {
    from: `unnest(${types}) as ${name}(${names})`,
    names,
    values: columns.map((column) => rows.map((row) => plain(column.of(row)))),
  };
}

const plain = (value: string | number | bigint | boolean | null): string | number | boolean | null =>
  typeof value === 'bigint' ? value.toString() : value;

/** `insert … select from unnest` with whatever follows; nothing is sent for no rows. */
export async function insertRows<Row>(
  client: ClientBase,
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  then = '',
): Promise<void> {
  if (rows.length === 0) return;
  const { from, names, values } = unnest('d', columns, rows);
  await client.query(`insert into ${table} (${names}) select ${names} from ${from} ${then}`, values);
}
