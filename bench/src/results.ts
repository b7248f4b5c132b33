/** What the rows of the table say, and what is judged by them. */
import type { Cost, Run } from './measure.ts';
import { median, pairwiseRatios, type Spread, spreadOf } from './statistics.ts';

export interface Measured {
  readonly name: string;
  readonly perSecond: Spread;
  readonly cost: Cost;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly drainSeconds: number | null;
}

/**
 * One line of the table: a rate beside its yardstick, or a time beside its limit. The aim is one of the ratio, or, where
 * the kind is `rate`, so many a second.
 */
export type Result =
  | {
      readonly kind: 'ratio' | 'rate';
      readonly row: number;
      readonly ours: Measured;
      readonly yardstick: Measured;
      readonly ratio: Spread;
      readonly aim: number;
      readonly note: string | null;
      readonly faults: readonly string[];
    }
  | {
      readonly kind: 'time';
      readonly row: number;
      readonly name: string;
      /** Milliseconds; null where it could not be measured. */
      readonly value: number | null;
      readonly limit: number;
      readonly note: string | null;
      readonly faults: readonly string[];
    };

/** Rows that were measured on one ledger. */
export interface Done {
  readonly results: readonly Result[];
  /** Of its PostgreSQL. */
  readonly version: string;
}

export interface Compared {
  /** `ratio` where left out. */
  readonly kind?: 'ratio' | 'rate';
  readonly row: number;
  readonly ours: readonly [name: string, runs: readonly Run[]];
  readonly yardstick: readonly [name: string, runs: readonly Run[]];
  readonly aim: number;
  readonly note?: string;
}

export function compare({ kind = 'ratio', row, ours, yardstick, aim, note = '' }: Compared): Result {
  return {
    kind,
    row,
    ours: measured(...ours),
    yardstick: measured(...yardstick),
    ratio: pairwiseRatios(
      ours[1].map(({ perSecond }) => perSecond),
      yardstick[1].map(({ perSecond }) => perSecond),
    ),
    aim,
    note: note === '' ? null : note,
    faults: [...ours[1], ...yardstick[1]].flatMap(({ faults }) => faults),
  };
}

/** A row with a fault meets no aim, whatever its figures. */
export function meetsAim(result: Result): boolean {
  if (result.faults.length > 0) return false;
  if (result.kind === 'time') return result.value !== null && result.value < result.limit;
  const { median } = result.kind === 'rate' ? result.ours.perSecond : result.ratio;
  return median >= result.aim;
}

function measured(name: string, runs: readonly Run[]): Measured {
  return {
    name,
    perSecond: spreadOf(runs.map(({ perSecond }) => perSecond)),
    cost: medianCost(runs),
    p50Ms: medianOf(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: medianOf(runs.map(({ p99Ms }) => p99Ms)),
    drainSeconds: medianOf(runs.map(({ drainSeconds }) => drainSeconds)),
  };
}

function medianCost(runs: readonly Run[]): Cost {
  const groups = Object.keys(runs[0]?.cost ?? {});
  if (groups.length === 0) return null;
  return Object.fromEntries(
    groups.map((group) => [group, medianOf(runs.map(({ cost }) => cost?.[group] ?? null)) ?? 0]),
  );
}

function medianOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
