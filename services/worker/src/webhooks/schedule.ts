/**
 * When a message is tried again, and when an endpoint is left alone. Both are the Standard Webhooks' own suggestion: tries
 * over three days, further and further apart and never all at the same moment; and a break for a receiver that fails
 * again and again, ended by one message that finds out.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** After the first attempt, the second, …; after the one that follows the last of these it has failed. */
export const RETRY_AFTER_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** At most so much later than the schedule says. */
const JITTER = 0.2;

/**
 * Until the next attempt; null where there is none.
 * @param attempts that have failed
 * @param askedMs how long the receiver wants to be left alone
 * @param random from 0 up to, but not including, 1
 */
export function retryAfterMs(attempts: number, askedMs: number | null, random: number): number | null {
  const ms = RETRY_AFTER_MS[attempts - 1];
  return ms === undefined ? null : Math.max(Math.round(ms * (1 + JITTER * random)), askedMs ?? 0);
}

/** So many attempts at an endpoint that fail in a row, of whatever messages, and it rests. */
export const FAILURES_MAX = 10;

const REST_MS = MINUTE;
const REST_MS_MAX = 30 * MINUTE;

/** How long an endpoint rests after so many failures in a row; null where it does not. */
export function restMs(failures: number): number | null {
  if (failures < FAILURES_MAX) return null;
  return Math.min(REST_MS_MAX, REST_MS * 2 ** Math.min(failures - FAILURES_MAX, 10));
}
