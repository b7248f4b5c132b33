/** Rows as they should be against rows as they are, by their keys and column by column. */
import type { Cell } from './cells.ts';
import type { Finding } from './finding.ts';
import { shown, type Table } from './tables.ts';

type Row = readonly Cell[];
type Report = (finding: Finding) => void;

export async function compareRows(
  table: Table,
  expected: Iterable<Row> | AsyncIterable<Row>,
  found: AsyncIterable<Row>,
  report: Report,
): Promise<void> {
  const due = new Map<string, Row>();
  for await (const row of expected) due.set(keyOf(table, row), row);
  for await (const row of found) {
    const key = keyOf(table, row);
    const should = due.get(key);
    due.delete(key);
    if (should === undefined) report({ ...placeOf(table, row), ...EXTRA });
    else compareRow(table, should, row, report);
  }
  for (const row of due.values()) report({ ...placeOf(table, row), ...MISSING });
}

const EXTRA = { what: 'a row that no event makes', expected: null, found: 'a row' };
const MISSING = { what: 'a row is missing', expected: 'a row', found: null };

function compareRow(table: Table, should: Row, row: Row, report: Report): void {
  const unit = should[table.columns.findIndex(({ name }) => name === 'unit')] ?? null;
  table.columns.forEach((column, at) => {
    const expected = should[at] ?? null;
    const found = row[at] ?? null;
    if (expected === found) return;
    report({
      ...placeOf(table, row),
      what: 'a read model differs',
      column: column.name,
      expected: shown(column, expected, unit),
      found: shown(column, found, unit),
    });
  });
}

const keyOf = ({ keyed }: Table, row: Row): string => row.slice(0, keyed).join('\u001f');

/** Account, unit, stream and revision by their own names; the rest of the key as it is. */
function placeOf({ name, columns, keyed }: Table, row: Row): Pick<Finding, 'table' | 'row'> {
  const named: Record<string, string | number> = {};
  const rest: string[] = [];
  columns.forEach((column, at) => {
    const value = row[at] ?? '';
    if (column.name === 'account' || column.name === 'unit' || (column.name === 'stream' && at < keyed))
      named[column.name] = value;
    else if (column.name === 'revision' && at < keyed) named.revision = Number(value);
    else if (at < keyed) rest.push(`${column.name} ${value}`);
  });
  return { table: name, ...named, ...(rest.length === 0 ? {} : { row: rest.join(', ') }) };
}
