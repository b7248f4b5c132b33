/** P4: a charge is the exact sum of its lines, rounded up once, by prices that are written out here again. */
import { bookContent } from '../books.ts';
import { stepsOf } from '../refold.ts';
import { broken, type Evidence } from './evidence.ts';

interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

export function chargesAreRoundedOnce({ wallets }: Evidence): void {
  for (const { stream, events } of wallets) {
    for (const event of events) {
      if (event.type !== 'UsageCharged') continue;
      const { model, usage, credits, price_book } = event.data;
      const expected = priceOf(price_book.version, model, usage);
      if (stepsOf(credits) !== expected)
        broken('a charge is rounded once', { stream, revision: event.revision, credits, expected });
    }
  }
}

function priceOf(version: number, model: string, usage: { readonly [dimension: string]: number }): bigint {
  const book = bookContent(version);
  const found = book.models[model] ?? broken('a charge has a price in its book', { version, model });
  const value = stepsOf(book.credit_value?.amount ?? '1', 'USD');
  let sum: Fraction = { n: 0n, d: 1n };
  for (const [dimension, quantity] of Object.entries(usage)) {
    const price = (found.prices as { readonly [dimension: string]: Priced | undefined })[dimension];
    if (price === undefined) continue;
    const each = creditsOf(price, value);
    sum = add(sum, { n: each.n * BigInt(quantity), d: each.d * BigInt(price.per) });
  }
  const step = stepsOf(found.round_to ?? '1');
  return ((sum.n + sum.d * step - 1n) / (sum.d * step)) * step;
}

interface Priced {
  readonly per: number;
  readonly credits?: string;
  readonly cost?: { readonly amount: string };
  readonly markup?: string;
}

/** Millionths of a credit for `per` units. */
function creditsOf({ credits, cost, markup = '0' }: Priced, value: bigint): Fraction {
  if (credits !== undefined) return { n: stepsOf(credits), d: 1n };
  const withMarkup = stepsOf(cost?.amount ?? '0', 'USD') * (1_000_000n + stepsOf(markup));
  return { n: withMarkup, d: value };
}

const add = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
