/**
 * Amounts. In code an amount is a bigint of its unit's smallest step; outside it is a decimal string without
 * exponent and without trailing zeros. Never a float: a float that rounds once a million charges is a lost audit.
 *
 * Units: `credits` count in steps of 10^-6; currencies (three capital letters) in steps of 10^-9, because one
 * token costs less than a micro-dollar; every other unit is a quota unit and counts whole.
 */

export const CREDITS = 'credits';
/** The most that one amount may be, in whole units: keeps every sum of a wallet inside Postgres' bigint. */
export const AMOUNT_MAX = 1_000_000_000n;

/** As it is outside: a decimal string of a currency. */
export interface Money {
  readonly amount: string;
  readonly currency: string;
}

const CREDIT_SCALE = 6;
const CURRENCY_SCALE = 9;

export function isCurrency(unit: string): boolean {
  return /^[A-Z]{3}$/.test(unit);
}

/** Decimal places of a unit's smallest step. */
export function scaleOf(unit: string): number {
  if (unit === CREDITS) return CREDIT_SCALE;
  return isCurrency(unit) ? CURRENCY_SCALE : 0;
}

const POWERS = Array.from({ length: 40 }, (_, exponent) => 10n ** BigInt(exponent));
export function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

export type AmountFault = 'not_a_decimal' | 'too_many_decimals' | 'too_large';

/** `"1.50"` in a unit to its smallest steps; a fault names the rule that was broken. Trailing zeros are let pass. */
export function readAmount(text: string, unit: string): bigint | AmountFault {
  const match = DECIMAL.exec(text);
  if (match === null) return 'not_a_decimal';
  const scale = scaleOf(unit);
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > scale) return 'too_many_decimals';
  const whole = match[2] ?? '';
  if (whole.length > 30 || BigInt(whole) > AMOUNT_MAX) return 'too_large';
  const steps = BigInt(whole + fraction.padEnd(scale, '0'));
  if (steps > AMOUNT_MAX * powerOfTen(scale)) return 'too_large';
  return match[1] === '-' ? -steps : steps;
}

/** An amount that this ledger wrote itself. Anything else is a bug or a damaged event, so it throws. */
export function parseAmount(text: string, unit: string): bigint {
  const scale = scaleOf(unit);
  const short = shortSteps(text, scale);
  if (short !== null) return short;
  const match = DECIMAL.exec(text);
  const fraction = match?.[3] ?? '';
  if (match === null || fraction.length > scale) throw new Error(`not an amount in ${unit}: ${text}`);
  const steps = BigInt((match[2] ?? '') + fraction.padEnd(scale, '0'));
  return match[1] === '-' ? -steps : steps;
}

const TENS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
/** Digits that a Number holds exactly, whatever they are. */
const EXACT_DIGITS = 15;
const ZERO = 48;
const MINUS = 45;
const POINT = 46;

/** The usual amount, read without a bigint until the end; null where it is too long for that, or is none. */
function shortSteps(text: string, scale: number): bigint | null {
  const start = text.charCodeAt(0) === MINUS ? 1 : 0;
  let number = 0;
  let digits = 0;
  let point = -1;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= ZERO + 9) {
      number = number * 10 + (code - ZERO);
      digits += 1;
    } else if (code === POINT && point === -1 && digits > 0) point = digits;
    else return null;
  }
  const missing = point === -1 ? scale : scale - (digits - point);
  if (digits === 0 || point === digits || missing < 0 || digits + missing > EXACT_DIGITS) return null;
  const steps = number * (TENS[missing] ?? 10 ** missing);
  return BigInt(start === 1 ? -steps : steps);
}

/** Smallest steps to the canonical decimal string: `-1500000n` credits is `"-1.5"`. */
export function formatAmount(steps: bigint, unit: string): string {
  return formatScaled(steps, scaleOf(unit));
}

export function formatScaled(steps: bigint, scale: number): string {
  const power = powerOfTen(scale);
  if (steps % power === 0n) return (steps / power).toString();
  const negative = steps < 0n;
  const digits = (negative ? -steps : steps).toString().padStart(scale + 1, '0');
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${fraction}`;
}

export const parseCredits = (text: string): bigint => parseAmount(text, CREDITS);
export const formatCredits = (steps: bigint): string => formatScaled(steps, CREDIT_SCALE);

/** numerator / denominator to the nearest whole, ties to the even neighbour. The denominator is positive. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const floor = floorDivide(numerator, denominator);
  const twice = (numerator - floor * denominator) * 2n;
  if (twice > denominator || (twice === denominator && floor % 2n !== 0n)) return floor + 1n;
  return floor;
}

/** Rounds up, towards positive infinity. The denominator is positive. */
export function divideUp(numerator: bigint, denominator: bigint): bigint {
  return -floorDivide(-numerator, denominator);
}

function floorDivide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}

export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
