/** Differences as lines: where, what, expected, found. */
import type { Finding } from '@tallystick/audit';
import type { Difference, Differences, RebuildProgress } from '@tallystick/projections';
import type { Positions } from './moment.ts';

export function findingLine(finding: Finding): string {
  const { what, stream, revision, account, unit, table, column, row, expected, found } = finding;
  const entry = stream === undefined || revision === undefined ? stream : `${stream}:${revision}`;
  const cell = table === undefined || column === undefined ? table : `${table}.${column}`;
  const where = [entry, account, unit, cell, row].filter((part) => part !== undefined);
  return `${where.join(' ')}: ${what}; expected ${expected ?? 'nothing'}, found ${found ?? 'nothing'}`;
}

export function differenceLines({ count, shown }: Differences): string[] {
  if (count === 0) return [];
  const rows = count === 1 ? 'row differs' : 'rows differ';
  return [...shown.map(differenceLine), `${count} ${rows}`];
}

function differenceLine({ table, row, column, expected, found }: Difference): string {
  const what = column === null ? 'a row of one of them only' : 'the live row differs';
  const cell = column === null ? table : `${table}.${column}`;
  return `${cell} ${row}: ${what}; expected ${expected ?? 'nothing'}, found ${found ?? 'nothing'}`;
}

export function filledLine(
  schema: string,
  { events, position }: RebuildProgress,
  positions: Positions,
): string {
  return `${schema}: filled from ${events} events, up to position ${positions.show(position)}`;
}
