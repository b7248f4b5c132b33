/**
 * The edge: what a request says becomes what the domain takes, once. Schemas have checked the shape before (400);
 * here values are held against the rules of money and usage (422). Every reader adds its faults to a list and goes on,
 * so that a caller learns all of them at once; `settle` then ends the request if there are any.
 */
import {
  type AmountFault,
  CREDITS,
  DIMENSIONS,
  type Dimension,
  formatAmount,
  isDimension,
  type Money,
  type QuantityFault,
  readAmount,
  readQuantity,
  scaleOf,
  type Usage,
} from '@tallystick/domain';
import { type Fault, invalid, Refused } from './problems.ts';

export type Faults = Fault[];

export function settle(faults: readonly Fault[]): void {
  if (faults.length > 0) throw new Refused(invalid(faults));
}

const AMOUNT_RULES: Readonly<Record<AmountFault, (unit: string) => string>> = {
  not_a_decimal: () => 'must be a decimal string without exponent',
  too_many_decimals: (unit) => `has too many decimals: at most ${scaleOf(unit)} are allowed`,
  too_large: () => 'must not be more than 1000000000',
};
type Sign = 'positive' | 'not_negative' | 'not_zero';
const SIGN_RULES: Readonly<Record<Sign, string>> = {
  positive: 'must be more than 0',
  not_negative: 'must not be negative',
  not_zero: 'must not be 0',
};

/** Credits in smallest steps; 0n where there is a fault. */
export function creditsOf(text: string, field: string, sign: Sign, faults: Faults): bigint {
  return amountOf(text, CREDITS, field, sign, faults);
}

function amountOf(text: string, unit: string, field: string, sign: Sign, faults: Faults): bigint {
  const steps = readAmount(text, unit);
  if (typeof steps === 'string') {
    faults.push({ field, rule: AMOUNT_RULES[steps](unit) });
    return 0n;
  }
  const fits = sign === 'positive' ? steps > 0n : sign === 'not_negative' ? steps >= 0n : steps !== 0n;
  if (!fits) faults.push({ field, rule: SIGN_RULES[sign] });
  return steps;
}

/** Money, never negative, its amount in canonical form: "0.50" and "0.5" are the same sum (rule 14). */
export function moneyOf(money: Money | undefined, field: string, faults: Faults): Money | null {
  if (money === undefined) return null;
  const steps = amountOf(money.amount, money.currency, `${field}.amount`, 'not_negative', faults);
  return { amount: formatAmount(steps, money.currency), currency: money.currency };
}

const QUANTITY_RULES: Readonly<Record<QuantityFault, string>> = {
  not_a_number: 'must be a finite number',
  negative: 'must not be negative',
  not_whole: 'must be a whole number',
  too_many_decimals: 'must not have more than 3 decimals',
  too_large: 'must not be more than 1000000000000',
};

/** The usage vector, checked dimension by dimension. */
export function usageOf(usage: Usage, field: string, faults: Faults): Usage {
  for (const name in usage) {
    if (!isDimension(name)) continue;
    const quantity = readQuantity(name, usage[name]);
    if (typeof quantity === 'string')
      faults.push({ field: `${field}.${name}`, rule: QUANTITY_RULES[quantity] });
  }
  return usage;
}

/** For fingerprints: a dimension that was not used says the same as one that is not there. */
export function canonicalUsage(usage: Usage): Usage {
  const used: { [D in Dimension]?: number } = {};
  for (const name in DIMENSIONS) {
    const value = usage[name as Dimension];
    if (value !== undefined && value !== 0) used[name as Dimension] = value;
  }
  return used;
}

const INSTANT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

export const YEAR_9999 = Date.UTC(9999, 11, 31);

function isRealDay(text: string): boolean {
  const day = Number(text.slice(8, 10));
  return new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === day;
}

/** RFC 3339 with its zone to milliseconds since 1970; null where it was left out or is wrong. */
export function instantOf(text: string | undefined, field: string, faults: Faults): number | null {
  if (text === undefined) return null;
  const at = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  // Years that every column and every ISO text can hold; a day that the month has, which Date.parse does not ask for.
  if (!(at >= 0) || at > YEAR_9999 || !isRealDay(text)) {
    faults.push({
      field,
      rule: 'must be a time of RFC 3339 with its zone, from 1970 on: 2026-01-31T12:00:00Z',
    });
    return null;
  }
  return at;
}

/** Text that every store can hold: no NUL, no half of a surrogate pair (rule 5). */
export function checkText(text: string | undefined | null, field: string, faults: Faults): void {
  if (text == null || isStorable(text)) return;
  faults.push({ field, rule: 'must not contain NUL or half of a surrogate pair' });
}

export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

export const USAGE_METADATA_MAX = 1_024;
export const ACCOUNT_METADATA_MAX = 16_384;

/** Free JSON of the caller's: bounded in bytes, storable in every text. */
export function metadataOf(
  metadata: object | null | undefined,
  field: string,
  bytesMax: number,
  faults: Faults,
): object | null {
  if (metadata == null) return null;
  const text = textOf(metadata);
  if (text === null || Buffer.byteLength(text) > bytesMax) {
    faults.push({ field, rule: `must not be more than ${bytesMax} bytes of JSON` });
  } else if (text.includes('\\u') && !hasStorableTexts(metadata)) {
    // Such characters are always escaped in JSON text, so the walk is rarely needed.
    faults.push({ field, rule: 'must not contain NUL or half of a surrogate pair' });
  }
  return metadata;
}

/** Null where it is nested more deeply than the stack goes. */
function textOf(value: object): string | null {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function hasStorableTexts(value: unknown): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (value === null || typeof value !== 'object') return true;
  return Object.entries(value).every(([name, member]) => isStorable(name) && hasStorableTexts(member));
}

/** How far ahead of us a caller's clock may be. */
export const AHEAD_MS_MAX = 5 * 60_000;

export function checkNotAhead(at: number | null, now: number, field: string, faults: Faults): void {
  if (at !== null && at > now + AHEAD_MS_MAX)
    faults.push({ field, rule: 'must not be more than 5 minutes ahead' });
}
