/**
 * Windows of wall-clock time: days, weeks, months and years of somebody's zone (billing rule 7).
 * - counted from the *original* anchor: the 31st gives 28 February and then again 31 March, never the 28th for ever
 * - an hour that a zone skips is the hour after it, one that it repeats is the first of the two ("compatible")
 * - anchored to the subscription, a day begins at its time of day; to the calendar, at midnight, on Monday, on the first
 */
import { Temporal } from 'temporal-polyfill';
import type { Anchor } from '../../plans/terms.ts';

export type Span = 'day' | 'week' | 'month' | 'year';

export interface Rhythm {
  /** IANA name. */
  readonly zone: string;
  readonly anchor: Anchor;
  /** Milliseconds since 1970. */
  readonly anchorAt: number;
}

/** From the one up to, not including, the other. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

const DAY_MS = 86_400_000;
/** Rough, to guess where to look. */
const LENGTH_MS: Record<Span, number> = {
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30.436875 * DAY_MS,
  year: 365.2425 * DAY_MS,
};

/** The window of a rhythm that holds the instant `at`. */
export function windowAt(rhythm: Rhythm, span: Span, at: number): TimeWindow {
  const first = firstBoundary(rhythm, span);
  let index = Math.floor((at - rhythm.anchorAt) / LENGTH_MS[span]);
  let start = boundary(first, rhythm.zone, span, index);
  while (start > at) {
    index -= 1;
    start = boundary(first, rhythm.zone, span, index);
  }
  for (;;) {
    const end = boundary(first, rhythm.zone, span, index + 1);
    if (end > at) return { start, end };
    index += 1;
    start = end;
  }
}

/** `days` of 24 hours on the wall of the zone after `at`: a trial or a grace ends at the hour at which it began. */
export function daysAfter(at: number, days: number, zone: string): number {
  return wallClock(at, zone).add({ days }).toZonedDateTime(zone).epochMilliseconds;
}

export function isTimeZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

function wallClock(at: number, zone: string): Temporal.PlainDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDateTime();
}

function firstBoundary({ zone, anchor, anchorAt }: Rhythm, span: Span): Temporal.PlainDateTime {
  const at = wallClock(anchorAt, zone);
  if (anchor === 'subscription') return at;
  const midnight = at.toPlainDate().toPlainDateTime();
  switch (span) {
    case 'day':
      return midnight;
    case 'week':
      return midnight.subtract({ days: at.dayOfWeek - 1 });
    case 'month':
      return midnight.with({ day: 1 });
    case 'year':
      return midnight.with({ month: 1, day: 1 });
  }
}

function boundary(first: Temporal.PlainDateTime, zone: string, span: Span, index: number): number {
  const at = first.add({ [`${span}s`]: index }, { overflow: 'constrain' });
  return at.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds;
}
