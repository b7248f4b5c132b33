/** Two schemas of read models, row by row: by primary keys, in SQL, so that nothing is carried over but what differs. */
import type { ClientBase } from 'pg';
import { modelsFor } from './models.ts';
import { quoted } from './schema.ts';

export interface Difference {
  readonly table: string;
  /** Primary key. */
  readonly row: string;
  /** Null where the whole row is there in one schema only. */
  readonly column: string | null;
  readonly expected: string | null;
  readonly found: string | null;
}

export interface Differences {
  /** Rows that differ. */
  readonly count: number;
  /** The first of them, column by column. */
  readonly shown: readonly Difference[];
}

const SHOWN_MAX = 100;

/**
 * `expected` is the one that was filled anew. Both have come to the same position, and nobody writes to them.
 * @param withKeys the key index is kept for stores that do not enforce keys, and empty for others
 */
export async function compareSchemas(
  client: ClientBase,
  expected: string,
  found: string,
  withKeys: boolean,
): Promise<Differences> {
  const shown: Difference[] = [];
  let count = 0;
  for (const table of [
    'checkpoints',
    ...modelsFor(!withKeys).flatMap((model) => model.tables),
    'snapshots',
  ]) {
    const keys = await primaryKey(client, expected, table);
    const { rows } = await client.query<DifferingRow>(differing(expected, found, table, keys));
    count += Number(rows[0]?.count ?? 0);
    for (const row of rows) if (shown.length < SHOWN_MAX) shown.push(...differencesOf(table, keys, row));
  }
  return { count, shown: shown.slice(0, SHOWN_MAX) };
}

type Row = Readonly<Record<string, unknown>>;

interface DifferingRow {
  readonly count: string;
  readonly expected: Row | null;
  readonly found: Row | null;
}

async function primaryKey(client: ClientBase, schema: string, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select a.attname as name from pg_index i
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
     where i.indisprimary and i.indrelid = to_regclass($1)
     order by array_position(i.indkey::int2[], a.attnum)`,
    [`${quoted(schema)}.${table}`],
  );
  return rows.map(({ name }) => name);
}

/** What is written when a batch happens to end belongs to no position: a checkpoint's cursor and time, and snapshots. */
function differing(expected: string, found: string, table: string, keys: readonly string[]): string {
  const isSnapshots = table === 'snapshots';
  const on = [...keys, ...(isSnapshots ? ['revision'] : [])]
    .map((key) => `e.${key} = f.${key}`)
    .join(' and ');
  const unequal =
    table === 'checkpoints'
      ? '(e.position, e.stream, e.revision, e.hash) is distinct from (f.position, f.stream, f.revision, f.hash)'
      : 'e.* is distinct from f.*';
  return `select count(*) over () as count, ${rowOf('e', keys)} as expected, ${rowOf('f', keys)} as found
    from ${quoted(expected)}.${table} e ${isSnapshots ? 'join' : 'full join'} ${quoted(found)}.${table} f on ${on}
    where ${unequal} limit ${SHOWN_MAX}`;
}

/** As texts, because JSON would round the large ones; null where there is no such row. */
const rowOf = (name: string, keys: readonly string[]): string =>
  `case when ${name}.${keys[0]} is not null then
     (select json_object_agg(key, value) from jsonb_each_text(to_jsonb(${name}))) end`;

function differencesOf(
  table: string,
  keys: readonly string[],
  { expected, found }: DifferingRow,
): Difference[] {
  const some = expected ?? found ?? {};
  const row = keys.map((key) => `${key} ${String(some[key])}`).join(', ');
  if (expected === null || found === null)
    return [{ table, row, column: null, expected: expected && 'a row', found: found && 'a row' }];
  return Object.keys(expected)
    .filter((column) => expected[column] !== found[column])
    .map((column) => ({
      table,
      row,
      column,
      expected: textOf(expected[column]),
      found: textOf(found[column]),
    }));
}

const textOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);
