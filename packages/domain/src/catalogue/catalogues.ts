/** What decisions are made on beside a wallet's own events: an immutable picture of all catalogues. */
import { Plans } from '../plans/plans.ts';
import { PriceBooks } from '../pricing/price-books.ts';
import { Packages } from './packages.ts';

export interface Catalogues {
  readonly books: PriceBooks;
  readonly plans: Plans;
  readonly packages: Packages;
}

export const NO_CATALOGUES: Catalogues = {
  books: new PriceBooks(),
  plans: new Plans(),
  packages: new Packages(),
};
