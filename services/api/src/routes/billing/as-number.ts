/**
 * Amounts at the edge of the documented billing paths, whose bodies have JSON numbers where all else here has decimal
 * strings. Everything is computed exactly; one rule rounds, last: to the nearest double, ties to even (IEEE 754). That
 * keeps 15 digits, so a sum below a thousand million credits comes out as it is written.
 */
import { divideHalfEven, formatScaled, powerOfTen, type Rational } from '@tallystick/domain';

/** Of a canonical decimal, or of a whole number of something. */
export function asNumber(exact: string | bigint): number {
  return Number(exact);
}

/** More than any price has; what does not end before is rounded there, ties to even. */
const PLACES = 18;

export function fractionAsNumber({ n, d }: Rational): number {
  return asNumber(formatScaled(divideHalfEven(n * powerOfTen(PLACES), d), PLACES));
}

/** The shortest decimal that is this double and no other: what the caller wrote. Without an exponent. */
export function decimalOf(value: number): string {
  const text = String(Math.abs(value));
  const sign = value < 0 ? '-' : '';
  const [digits = '', exponent] = text.split('e');
  if (exponent === undefined) return `${sign}${text}`;
  const [whole = '', fraction = ''] = digits.split('.');
  const shift = Number(exponent);
  return shift > 0
    ? `${sign}${whole}${fraction.padEnd(shift, '0')}`
    : `${sign}0.${'0'.repeat(-shift - 1)}${whole}${fraction}`;
}
