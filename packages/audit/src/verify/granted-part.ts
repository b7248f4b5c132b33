/**
 * The most that a line of a plan grants at once: its amount for a whole window, and of a window that is cut its part, down
 * to a whole number (up, where it goes on after its period, whose next part is less by it). Windows end with a period that
 * is shorter than the plan's interval. What a change of plan adds counts up to the period's end only; a provisional grace
 * grants of a period's line what its days are of the period. Nothing here counts months: how long a whole window is, is
 * said by the window where it begins whole, and else is at least what such a window can be.
 */
import { stepsOf } from '../decimal.ts';
import { isLimited, type LineText, type Picture, type PlanTermsText, sameLine } from './picture.ts';
import type { QuotaText } from './quotas.ts';

interface Opening {
  readonly now: Picture;
  /** The plan's. */
  readonly interval: string;
  /** The terms before the event; null: it starts, or nobody knows. */
  readonly before: PlanTermsText | null;
}

const WHOLE = 10n ** 9n;
const HOUR = 3_600_000;
/** Clocks are put forward by two hours at most. */
const SHORTEST: ReadonlyMap<string, number> = new Map([
  ['hour', HOUR],
  ['day', 22 * HOUR],
  ['week', (7 * 24 - 2) * HOUR],
  ['month', (28 * 24 - 2) * HOUR],
  ['year', (365 * 24 - 2) * HOUR],
]);

/** In steps of 10^-9. */
export function mostOf(
  line: LineText,
  { starts_at, expires_at, origin }: QuotaText,
  opening: Opening,
): bigint {
  const { now, interval, before } = opening;
  const [start, end] = [Date.parse(starts_at), Date.parse(expires_at)];
  const period = { start: Date.parse(now.period_start), end: Date.parse(now.period_end) };
  const isOfPeriod = line.per === 'period';
  const isExtra = origin.kind === 'plan' && origin.extra === true;
  const isTrial = now.status === 'trialing';
  const shortest = isOfPeriod ? (isTrial ? 0 : SHORTEST.get(interval)) : SHORTEST.get(line.per);
  const whole = Math.max(end - start, isOfPeriod ? period.end - period.start : 0, shortest ?? 0);
  const until = isExtra ? Math.min(end, period.end) : end;
  const isCut = !isOfPeriod && end === period.end && end - start < (shortest ?? 0);
  const amount = stepsOf(line.amount) - (isExtra ? amountBefore(line, before) : 0n);
  const part = down(
    (amount * BigInt(Math.max(0, until - start))) / BigInt(whole) + (isCut ? WHOLE - 1n : 0n),
  );
  if (now.status !== 'past_due' || !isOfPeriod || now.grace_quota !== 'provisional') return part;
  const lapses = Date.parse(now.grace_ends_at ?? now.period_start);
  return down((part * BigInt(lapses - period.start)) / BigInt(period.end - period.start));
}

/** What was without limit was never granted. */
function amountBefore(line: LineText, before: PlanTermsText | null): bigint {
  const was = before?.included[sameLine(line, before.included)];
  if (was === undefined) return 0n;
  return isLimited(was) ? stepsOf(was.amount) : 0n;
}

/** The period is a part of the plan's interval: its windows end with it. A part of all but some days passes for the whole. */
export function isShort({ now, interval }: Pick<Opening, 'now' | 'interval'>): boolean {
  const length = Date.parse(now.period_end) - Date.parse(now.period_start);
  return now.status === 'trialing' || length < (SHORTEST.get(interval) ?? 0);
}

const down = (steps: bigint): bigint => steps - (steps % WHOLE);
