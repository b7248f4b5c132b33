/** Values as the read models' columns give them in text: what is compared is text with text, exactly. */
import { stepsOf, textOf } from '../decimal.ts';

/** Null: SQL's null. */
export type Cell = string | null;

/** Credits are stored in steps of 10^-6. */
export const creditCell = (steps: bigint): string => (steps === 0n ? '0' : (steps / 1_000n).toString());

/** Any unit in its own smallest steps: credits 10^-6, currencies 10^-9, quotas whole. */
export function unitCell(steps: bigint, unit: string): string {
  if (unit === 'credits') return creditCell(steps);
  return (/^[A-Z]{3}$/.test(unit) ? steps : steps / 1_000_000_000n).toString();
}

/** The other way round: a decimal. */
export function decimalOf(cell: string, unit: string): string {
  if (unit === 'credits') return textOf(BigInt(cell) * 1_000n);
  return /^[A-Z]{3}$/.test(unit) ? textOf(BigInt(cell)) : cell;
}

export const creditTextCell = (text: string): string => creditCell(stepsOf(text));

let lastTime = '';
let lastCell = '';

/**
 * RFC 3339 in UTC to seconds, as `date_part('epoch', …)` gives them: both sides write the shortest text of a float, which
 * tells microseconds apart. Events of one append, and an event and its call, share a time more often than not.
 */
export function timeCell(time: string): string {
  if (time !== lastTime) {
    lastCell = String(Date.parse(time) / 1_000);
    lastTime = time;
  }
  return lastCell;
}

export const timeCellOf = (time: string | null | undefined): Cell => (time == null ? null : timeCell(time));

/** A member of an event that may be missing, as text. */
export const textCell = (value: unknown): Cell =>
  value === undefined || value === null ? null : String(value);
