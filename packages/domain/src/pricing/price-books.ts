/**
 * All published price books, as an immutable picture that a decision is made on. Which version is in force (rule 24):
 * the highest whose effective_from is not later than the price time; later versions with an older date supersede.
 */
import type { Usage } from '../usage.ts';
import type { PriceBookVersion } from './price-book.ts';
import { type Priced, priceUsage, type Unpriced } from './quote.ts';

export const DEFAULT_BOOK = 'default';

export class PriceBooks {
  readonly #books: ReadonlyMap<string, readonly PriceBookVersion[]>;

  constructor(books: ReadonlyMap<string, readonly PriceBookVersion[]> = new Map()) {
    this.#books = books;
  }

  with(version: PriceBookVersion): PriceBooks {
    const versions = (this.#books.get(version.name) ?? []).filter(
      (other) => other.version !== version.version,
    );
    const books = new Map(this.#books);
    books.set(
      version.name,
      [...versions, version].sort((a, b) => a.version - b.version),
    );
    return new PriceBooks(books);
  }

  version(name: string, version: number): PriceBookVersion | undefined {
    return this.#books.get(name)?.find((candidate) => candidate.version === version);
  }

  latest(name: string): PriceBookVersion | undefined {
    return this.#books.get(name)?.at(-1);
  }

  inForce(name: string, at: number): PriceBookVersion | undefined {
    return this.#books.get(name)?.findLast(({ effectiveFrom }) => effectiveFrom <= at);
  }

  /** The price of a usage by the version in force at `at`. */
  price(name: string, at: number, model: string, usage: Usage): Priced | Unpriced {
    const book = this.inForce(name, at);
    if (book === undefined) return { status: 'unpriced', reason: 'no_price_book', missing: name };
    return priceUsage(book, model, usage);
  }

  /**
   * As `price`; where that has none, by the earliest later version that is in force by `now` and
   * has (reprice only; it says so).
   */
  priceLater(
    name: string,
    at: number,
    model: string,
    usage: Usage,
    now: number,
  ): { outcome: Priced | Unpriced; by: 'in_force' | 'later_version' } {
    const first = this.price(name, at, model, usage);
    if (first.status === 'priced') return { outcome: first, by: 'in_force' };
    const inForce = this.inForce(name, at)?.version ?? 0;
    for (const book of this.#books.get(name) ?? []) {
      if (book.version <= inForce || book.effectiveFrom > now) continue;
      const later = priceUsage(book, model, usage);
      if (later.status === 'priced') return { outcome: later, by: 'later_version' };
    }
    return { outcome: first, by: 'in_force' };
  }
}
