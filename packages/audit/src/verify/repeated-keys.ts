/**
 * Business keys that a stream has twice. Of each key a number of 53 bits is kept, in one flat table, because there is a
 * key for nearly every event. Two different keys can come to one number, so what looks repeated is looked up.
 */
const LOAD_MAX = 0.6;
const START = 1 << 16;

export class RepeatedKeys {
  #table = new Float64Array(START);
  #count = 0;

  /** True where the key may have been there before: surely where it was, hardly ever where it was not. */
  isRepeated(stream: string, key: string): boolean {
    if (this.#count > this.#table.length * LOAD_MAX) this.#grow();
    const isThere = insert(this.#table, numberOf(stream, key));
    if (!isThere) this.#count += 1;
    return isThere;
  }

  #grow(): void {
    const larger = new Float64Array(this.#table.length * 2);
    for (const number of this.#table) if (number !== 0) insert(larger, number);
    this.#table = larger;
  }
}

/** Answers whether it was there already. 0 marks a free place. */
function insert(table: Float64Array, number: number): boolean {
  const mask = table.length - 1;
  for (let at = Math.imul(number % 4_294_967_296, 0x9e3779b1) & mask; ; at = (at + 1) & mask) {
    if (table[at] === number) return true;
    if (table[at] === 0) {
      table[at] = number;
      return false;
    }
  }
}

/** Two hashes of 32 bits (FNV-1a and its like), of which 21 and 32 bits are taken. */
function numberOf(stream: string, key: string): number {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (const text of [stream, key]) {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x5bd1e995);
      high ^= high >>> 15;
    }
    low = Math.imul(low ^ 0x1f, 0x01000193);
  }
  return (high >>> 11) * 4_294_967_296 + (low >>> 0) || 1;
}
