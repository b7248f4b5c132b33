/** What the terms of plans, packages and coupons have in common when they are checked: faults, decimals, names. */
import { isCurrency, type Money, readAmount } from '../amount.ts';
import { type Rational, readRational } from '../rational.ts';

export interface TermsFault {
  /** Path in the body: `included.0.amount`. */
  readonly field: string;
  readonly rule: string;
}

/** Ends a check with the first fault that it found; `checked` turns it into an answer. */
export class BadTerms extends Error {
  readonly fault: TermsFault;
  constructor(field: string, rule: string) {
    super(`${field} ${rule}`);
    this.name = 'BadTerms';
    this.fault = { field, rule };
  }
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: TermsFault };

export function checked<T>(check: () => T): Checked<T> {
  try {
    return { ok: true, value: check() };
  } catch (error) {
    if (error instanceof BadTerms) return { ok: false, fault: error.fault };
    throw error;
  }
}

/** An event must stay below the 64 KiB that event stores like, its envelope included. */
const TERMS_BYTES_MAX = 60_000;

export function checkSize(terms: object): void {
  if (new TextEncoder().encode(JSON.stringify(terms)).length > TERMS_BYTES_MAX)
    throw new BadTerms('body', `must not be more than ${TERMS_BYTES_MAX} bytes of JSON in all`);
}

export function checkCount(list: readonly unknown[] | undefined, max: number, field: string): void {
  if (list !== undefined && list.length > max) throw new BadTerms(field, `must have at most ${max} items`);
}

/** What is left out passes. */
export function wholeNumber(
  value: number | undefined,
  { min, max, field }: { readonly min: number; readonly max: number; readonly field: string },
): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < min || value > max)
    throw new BadTerms(field, `must be a whole number from ${min} to ${max}`);
}

/** In smallest steps, not negative. */
export function amountIn(text: string, unit: string, field: string): bigint {
  const steps = readAmount(text, unit);
  if (typeof steps === 'bigint' && steps >= 0n) return steps;
  const places = unit === 'credits' ? 6 : isCurrency(unit) ? 9 : 0;
  throw new BadTerms(
    field,
    `must be a decimal string from 0 to 1000000000 with at most ${places} decimals and no exponent`,
  );
}

export function moneyIn(money: Money, field: string): bigint {
  if (!isCurrency(money.currency)) throw new BadTerms(`${field}.currency`, 'must be three capital letters');
  return amountIn(money.amount, money.currency, `${field}.amount`);
}

/** Factors, percentages and prices by the piece may be finer than an amount: only what they come to is rounded. */
export function decimalIn(text: string, field: string): Rational {
  const value = /^\d{1,12}(\.\d{1,18})?$/.test(text) ? readRational(text) : undefined;
  if (value !== undefined) return value;
  throw new BadTerms(
    field,
    'must be a decimal string, not negative, with at most 12 digits before and 18 after the point',
  );
}

/** "01.50" and "1.5" are the same content: what is no decimal is left for the check to refuse. */
export function canonicalDecimal(text: string): string {
  const match = /^0*(\d+)(?:\.(\d*?)0*)?$/.exec(text);
  if (match === null) return text;
  return match[2] ? `${match[1]}.${match[2]}` : (match[1] ?? '');
}

export function canonicalMoney({ amount, currency }: Money): Money {
  return { amount: canonicalDecimal(amount), currency };
}

const MODEL_MAX = 256;

/** Models may hold any printable characters (rule 18). */
export function checkModel(model: string, field: string): void {
  const fits = model.length > 0 && model.length <= MODEL_MAX && model.isWellFormed();
  if (!fits || /\p{Cc}/u.test(model))
    throw new BadTerms(field, `must be a model: 1 to ${MODEL_MAX} printable characters`);
}
