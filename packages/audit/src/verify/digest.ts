/**
 * Rows of a big table, as one number for each stream: computed alike here and in SQL, so that millions of rows are
 * compared without being carried over. The order of the rows does not matter.
 */
import { hash } from 'node:crypto';
import type { Cell } from './cells.ts';
import { sqlOf, type Table } from './tables.ts';

/** 48 bits of each row's MD5 are added up: sums stay exact in a float. */
const MODULUS = 2 ** 48;
const SEPARATOR = '\u001f';
const NULL = '\u001e';

export class RowDigest {
  rows = 0;
  #sum = 0;

  add(cells: readonly Cell[]): void {
    let text = cells[0] ?? NULL;
    for (let at = 1; at < cells.length; at++) text += SEPARATOR + (cells[at] ?? NULL);
    this.rows += 1;
    this.#sum = (this.#sum + hash('md5', text, 'buffer').readUIntBE(0, 6)) % MODULUS;
  }

  equals(rows: string, sum: string): boolean {
    return this.rows === Number(rows) && this.#sum === Number(sum);
  }
}

/** Answers (stream, rows, sum); the table's first column is the stream. */
export function digestSql(schema: string, { name, columns }: Table): string {
  const cells = columns.map((column) => `coalesce(${sqlOf(column)}, E'\\x1e')`).join(', ');
  const part = `('x' || left(md5(concat_ws(E'\\x1f', ${cells})), 12))::bit(48)::bigint`;
  return `select stream, count(*)::text, (sum(${part}) % ${MODULUS})::text from ${schema}.${name} group by stream`;
}
