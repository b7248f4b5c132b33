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

export interface DigestOfRows {
  readonly rows: number;
  readonly sum: number;
}

/** By stream, what the rows of a table should come to. */
export type Digests = ReadonlyMap<string, DigestOfRows>;

export class RowDigest {
  #rows = 0;
  #sum = 0;

  get value(): DigestOfRows {
    return { rows: this.#rows, sum: this.#sum };
  }

  add(cells: readonly Cell[]): void {
    let text = cells[0] ?? NULL;
    for (let at = 1; at < cells.length; at++) text += SEPARATOR + (cells[at] ?? NULL);
    this.#rows += 1;
    // As text, because a buffer for each row costs more than the hash.
    this.#sum = (this.#sum + Number.parseInt(hash('md5', text, 'hex').slice(0, 12), 16)) % MODULUS;
  }
}

/** Answers (stream, rows, sum); the table's first column is the stream. */
export function digestSql(schema: string, { name, columns }: Table): string {
  const cells = columns.map((column) => `coalesce(${sqlOf(column)}, E'\\x1e')`).join(', ');
  const part = `('x' || left(md5(concat_ws(E'\\x1f', ${cells})), 12))::bit(48)::bigint`;
  return `select stream, count(*)::text, (sum(${part}) % ${MODULUS})::text from ${schema}.${name} group by stream`;
}
