/**
 * How the credits of a charge or a hold came about, from the numbers that its event carries: nothing is priced again
 * (rule 31). A price may have been published as a cost with a markup; its owner is shown what it comes to in credits,
 * exactly, as a quote does (P8).
 */
import { counted } from './explain-counts.ts';
import { fractionOf, plus, roundedUp, textOfFraction, thousandthsOf } from './fraction.ts';

/** A line as the event's facts have it. */
export interface PricedLine {
  readonly dimension: string;
  readonly quantity: number;
  /** Credits before rounding: a decimal, or a fraction `22/3` where the decimal would not end. */
  readonly exact: string;
  readonly price: PublishedPrice;
}

export interface PublishedPrice {
  readonly credits?: string;
  readonly cost?: { readonly amount: string; readonly currency: string };
  readonly markup?: string;
  readonly demand_factor?: string;
  readonly per?: number;
  readonly up_to?: number;
}

export interface PriceFacts {
  readonly exact: string;
  readonly round_to: string;
  readonly lines: readonly PricedLine[];
  readonly factors?: readonly { readonly kind: string; readonly value: string; readonly version: string }[];
}

export interface LineInCredits {
  readonly dimension: string;
  readonly quantity: number;
  readonly price: { readonly credits: string; readonly per?: number; readonly up_to?: number };
  readonly credits_exact: string;
}

export function lineInCredits({ dimension, quantity, exact, price }: PricedLine): LineInCredits {
  return { dimension, quantity, price: priceInCredits(price, quantity, exact), credits_exact: exact };
}

/** Of a step of lengths the whole line is the price; else the line is so many times the price of `per`. */
function priceInCredits(
  { credits, per, up_to }: PublishedPrice,
  quantity: number,
  exact: string,
): LineInCredits['price'] {
  if (per === undefined) return { credits: exact, ...(up_to === undefined ? {} : { up_to }) };
  return { credits: credits ?? perPrice(exact, per, quantity), per };
}

/** exact x per / quantity, as a decimal, or as a fraction where that would not end. */
function perPrice(exact: string, per: number, quantity: number): string {
  const { n, d } = fractionOf(exact);
  return textOfFraction({ n: n * BigInt(per) * 1_000n, d: d * thousandthsOf(quantity) });
}

/** As finance reads it: `500 input_tokens at 0.0025 USD per 1000, markup 0.3, a credit at 0.01 USD = 0.1625 credits`. */
export function formulaOf(line: PricedLine): string {
  const { dimension, quantity, exact, price } = line;
  const { cost, credits, per, up_to, markup, demand_factor } = price;
  const each = cost === undefined ? `${credits} credits` : `${cost.amount} ${cost.currency}`;
  const unit = per === undefined ? (up_to === undefined ? '' : ` up to ${up_to}`) : ` per ${per}`;
  const factors = [
    ...(markup === undefined ? [] : [`, markup ${markup}`]),
    ...(demand_factor === undefined ? [] : [`, demand factor ${demand_factor}`]),
    ...creditValueOf(line),
  ];
  return `${counted(quantity, dimension)} at ${each}${unit}${factors.join('')} = ${exact} credits`;
}

/**
 * What a credit was worth in the version of the book follows from what came of it, exactly:
 * amount x (1 + markup) x demand factor x quantity / per / credits.
 */
function creditValueOf({ quantity, exact, price }: PricedLine): string[] {
  const { cost, markup = '0', demand_factor = '1', per } = price;
  const credits = fractionOf(exact);
  if (cost === undefined || credits.n === 0n) return [];
  const [amount, added, demand] = [fractionOf(cost.amount), fractionOf(markup), fractionOf(demand_factor)];
  const [times, each] = per === undefined ? [1n, 1n] : [thousandthsOf(quantity), BigInt(per) * 1_000n];
  const n = amount.n * (added.d + added.n) * demand.n * times * credits.d;
  const d = amount.d * added.d * demand.d * each * credits.n;
  return [`, a credit at ${textOfFraction({ n, d })} ${cost.currency}`];
}

/**
 * What stands between the lines and the price: `5.4 x overage 1.5 = 8.1 credits`. The lines are of what quotas do not
 * cover; their sum is what the factors multiply.
 */
export function factoringOf({ lines, exact, factors = [] }: PriceFacts): string[] {
  if (factors.length === 0) return [];
  const sum = lines.reduce((total, line) => plus(total, fractionOf(line.exact)), { n: 0n, d: 1n });
  const times = factors.map(({ kind, value, version }) => `x ${kind} ${value} (${version})`);
  return [`${textOfFraction(sum)} ${times.join(' ')} = ${exact} credits`];
}

/** `4.34 rounded up to a multiple of 0.01 = 4.35 credits`. */
export function roundingOf({ exact, round_to }: PriceFacts): string {
  return `${exact} rounded up to a multiple of ${round_to} = ${textOfFraction(roundedUp(fractionOf(exact), round_to))} credits`;
}
