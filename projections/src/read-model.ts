/**
 * What a read model is: its tables, and a fold that turns a batch of events into row changes in memory and then into
 * a few statements. All read models are written in one transaction with the checkpoint.
 */
import type { ClientBase } from 'pg';
import type { Item } from './item.ts';

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
  /** Wallets to which something was added that falls due by itself, and when the first of it does (RFC 3339). */
  readonly dueBy: Map<string, string>;
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
): { from: string; names: string; values: string[] } {
  const names = columns.map((column) => column.name).join(', ');
  const types = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
  return {
    from: `unnest(${types}) as ${name}(${names})`,
    names,
    values: columns.map((column) => arrayOf(column, rows)),
  };
}

/** An array as Postgres writes it. The driver would do so too, at several times the price (docs/decisions/0009). */
function arrayOf<Row>({ type, of }: Column<Row>, rows: readonly Row[]): string {
  const isBare = BARE.has(type);
  let text = '{';
  for (const row of rows) {
    const value = of(row);
    if (text.length > 1) text += ',';
    if (value === null) text += 'NULL';
    else text += isBare ? value : quote(value as string);
  }
  return `${text}}`;
}

/** Types whose texts hold nothing that an array would have to quote. */
const BARE: ReadonlySet<string> = new Set(['bigint', 'integer', 'numeric', 'boolean']);

const quote = (text: string): string => `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`;

/**
 * `insert … select from unnest` with whatever follows; nothing is sent for no rows. Columns that are null in every row
 * are left out: most kinds of entries fill a third of the columns. So no column of such a table may have a default.
 */
export async function insertRows<Row>(
  client: ClientBase,
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  then = '',
): Promise<void> {
  if (rows.length === 0) return;
  const filled = columns.filter(({ of }) => rows.some((row) => of(row) !== null));
  const { from, names, values } = unnest('d', filled, rows);
  await client.query(`insert into ${table} (${names}) select ${names} from ${from} ${then}`, values);
}
