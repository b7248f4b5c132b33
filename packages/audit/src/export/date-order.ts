/**
 * Entries come in the order of positions. Writers' clocks differ by seconds, so around midnight the days of two entries
 * may be the wrong way round, and programs that read a journal want days to grow. What belongs to the next day waits
 * here until no clock can still be in the old one; whatever comes later than that is passed on as it comes.
 */
import { CLOCKS_MS } from '../examine/examiner.ts';

const DAY_MS = 24 * 3_600_000;

export class DateOrder<T extends { readonly at: number }> {
  /** Where the period ends of which entries are passed on as they come. */
  #end: number | null;
  #waiting: T[] = [];

  /** @param firstEnd null: the first entry's day is the first period */
  constructor(firstEnd: number | null) {
    this.#end = firstEnd;
  }

  /** Takes one, and gives what may be written now. */
  add(entry: T): readonly T[] {
    this.#end ??= dayEnd(entry.at);
    if (entry.at < this.#end) return [entry];
    this.#waiting.push(entry);
    return entry.at < this.#end + CLOCKS_MS ? [] : this.#release(entry.at);
  }

  /** Nothing more will come. */
  end(): readonly T[] {
    return this.#release(Number.POSITIVE_INFINITY);
  }

  #release(now: number): readonly T[] {
    const released: T[] = [];
    while (this.#waiting.length > 0 && now >= (this.#end ?? 0) + CLOCKS_MS) {
      const end = dayEnd(
        this.#waiting.reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY),
      );
      released.push(...this.#waiting.filter(({ at }) => at < end));
      this.#waiting = this.#waiting.filter(({ at }) => at >= end);
      this.#end = end;
    }
    return released;
  }
}

const dayEnd = (at: number): number => (Math.floor(at / DAY_MS) + 1) * DAY_MS;
