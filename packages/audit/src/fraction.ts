/** Exact fractions, as prices have them: `"0.25"`, or `"22/3"` where the decimal would not end. */
import { stepsOf } from './decimal.ts';

export interface Fraction {
  readonly n: bigint;
  /** Above zero. */
  readonly d: bigint;
}

export function fractionOf(text: string): Fraction {
  const [numerator = '0', denominator = '1'] = text.split('/');
  const [whole = '0', places = ''] = numerator.split('.');
  return { n: BigInt(whole + places), d: 10n ** BigInt(places.length) * BigInt(denominator) };
}

export const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });

export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });

export const isSame = (a: Fraction, b: Fraction): boolean => a.n * b.d === b.n * a.d;

/** Quantities have at most three decimals. */
export const thousandthsOf = (quantity: number): bigint => BigInt(Math.round(quantity * 1_000));

/** To a multiple of `roundTo`, once. */
export function roundedUp({ n, d }: Fraction, roundTo: string): Fraction {
  const step = stepsOf(roundTo);
  const per = d * step;
  return { n: ((n * STEPS + per - 1n) / per) * step, d: STEPS };
}
const STEPS = 10n ** 9n;

/** A decimal, or a fraction where that would not end. */
export function textOfFraction(fraction: Fraction): string {
  const divisor = greatestCommonDivisor(fraction.n, fraction.d);
  const [n, d] = [fraction.n / divisor, fraction.d / divisor];
  let rest = d;
  let places = 0;
  for (const prime of [10n, 2n, 5n]) {
    for (; rest % prime === 0n; places += 1) rest /= prime;
  }
  if (rest !== 1n) return `${n}/${d}`;
  const digits = ((n * 10n ** BigInt(places)) / d).toString().padStart(places + 1, '0');
  if (places === 0) return digits;
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x === 0n ? 1n : x;
}
