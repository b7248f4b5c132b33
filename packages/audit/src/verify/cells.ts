/** Values as the read models' columns give them in text: what is compared is text with text, exactly. */
import { stepsOf, textOf } from '../decimal.ts';

/** Null: SQL's null. */
export type Cell = string | null;

/** Credits are stored in steps of 10^-6. */
export const creditCell = (steps: bigint): string => (steps / 1_000n).toString();

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

/** RFC 3339 in UTC to seconds with six places, as `extract(epoch from …)` gives them. */
export function timeCell(time: string): string {
  const ms = Date.parse(time);
  const seconds = Math.floor(ms / 1_000);
  return `${seconds}.${String(ms - seconds * 1_000).padStart(3, '0')}000`;
}

export const timeCellOf = (time: string | null | undefined): Cell => (time == null ? null : timeCell(time));

/** A member of an event that may be missing, as text. */
export const textCell = (value: unknown): Cell =>
  value === undefined || value === null ? null : String(value);
