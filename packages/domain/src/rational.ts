/**
 * Exact fractions for prices: a price is cost x (1 + markup) x factor / value / per, a charge is a sum of such
 * prices times quantities, and only that sum is rounded, once. A fraction of bigints cannot lose a digit on the way.
 */
import { divideUp, formatScaled, powerOfTen } from './amount.ts';

export interface Rational {
  readonly n: bigint;
  /** Positive. */
  readonly d: bigint;
}

export const ZERO: Rational = { n: 0n, d: 1n };

const DECIMAL = /^(\d{1,30})(?:\.(\d{1,30}))?$/;

/** A non-negative decimal string as a fraction, undefined where it is none. */
export function readRational(text: string): Rational | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const fraction = match[2] ?? '';
  return reduce({ n: BigInt((match[1] ?? '') + fraction), d: powerOfTen(fraction.length) });
}

export function multiply(a: Rational, b: Rational): Rational {
  return reduce({ n: a.n * b.n, d: a.d * b.d });
}

/** b is not zero. */
export function divide(a: Rational, b: Rational): Rational {
  return reduce({ n: a.n * b.d, d: a.d * b.n });
}

/** Not reduced: sums of charges share few denominators, and a gcd for each line would cost more than it saves. */
export function add(a: Rational, b: Rational): Rational {
  if (a.d === b.d) return { n: a.n + b.n, d: a.d };
  return { n: a.n * b.d + b.n * a.d, d: a.d * b.d };
}

export function times(a: Rational, factor: bigint): Rational {
  return { n: a.n * factor, d: a.d };
}

/** Up to the next multiple of `step`, both in smallest steps. */
export function roundUpTo(value: Rational, step: bigint): bigint {
  return divideUp(value.n, value.d * step) * step;
}

export function reduce(value: Rational): Rational {
  const divisor = greatestCommonDivisor(value.n < 0n ? -value.n : value.n, value.d);
  return divisor === 1n ? value : { n: value.n / divisor, d: value.d / divisor };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x === 0n ? 1n : x;
}

/**
 * `value` in smallest steps of `scale` as text: a decimal where the fraction ends, else `"22/3"`: exact either way.
 */
export function formatRational(value: Rational, scale: number): string {
  // Nearly every price ends within a few digits: found by trying, which is cheaper than reducing the fraction.
  let { n } = value;
  for (let places = scale; places <= scale + DIGITS_TRIED; places += 1) {
    if (n % value.d === 0n) return formatScaled(n / value.d, places);
    n *= 10n;
  }
  return formatReduced(value, scale);
}
const DIGITS_TRIED = 8;

function formatReduced(value: Rational, scale: number): string {
  const { n, d } = reduce({ n: value.n, d: value.d * powerOfTen(scale) });
  let rest = d;
  let places = 0;
  while (rest % 10n === 0n) [rest, places] = [rest / 10n, places + 1];
  while (rest % 2n === 0n) [rest, places] = [rest / 2n, places + 1];
  while (rest % 5n === 0n) [rest, places] = [rest / 5n, places + 1];
  if (rest !== 1n) return `${n}/${d}`;
  return formatScaled((n * powerOfTen(places)) / d, places);
}
