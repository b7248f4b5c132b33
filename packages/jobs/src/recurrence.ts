/**
 * The times of a recurrence. Cron is read forwards only: at the hours that the clock skips or repeats, looking back finds
 * other times than looking ahead (cron-parser 5: backwards a skipped time is left out, and a repeated one is the later).
 */
import { CronExpressionParser } from 'cron-parser';
import type { Recurrence } from './port.ts';

const EVERY_MS_MIN = 1_000;
const DAY_MS = 86_400_000;

/** The first time after `after`. @throws where the recurrence makes no sense */
export function nextTime(when: Recurrence, after: number): number {
  if ('cron' in when) return cronFrom(when, after).next().getTime();
  const { everyMs } = when;
  if (!(Number.isInteger(everyMs) && everyMs >= EVERY_MS_MIN))
    throw new Error(`a job may recur every ${EVERY_MS_MIN} ms at most, not every ${everyMs}`);
  return (Math.floor(after / everyMs) + 1) * everyMs;
}

/** The last time after `after` that is not after `now`; null where there is none. */
export function latestTime(when: Recurrence, after: number, now: number): number | null {
  let latest: number | null = null;
  for (let at = nextTime(when, startOf(when, after, now)); at <= now; at = nextTime(when, at)) latest = at;
  return latest;
}

/** Nearer than `after` where that is long ago, so that a month of minutes is not counted one by one. */
function startOf(when: Recurrence, after: number, now: number): number {
  if ('everyMs' in when) return Math.max(after, now - when.everyMs);
  if (now - after <= 2 * DAY_MS) return after;
  return Math.max(
    after,
    cronFrom(when, now - DAY_MS)
      .prev()
      .getTime() - DAY_MS,
  );
}

function cronFrom({ cron, timeZone = 'UTC' }: Extract<Recurrence, { cron: string }>, from: number) {
  // Six would be seconds: what is that frequent has no need of a calendar.
  if (cron.trim().split(/\s+/).length !== 5) throw new Error(`cron has five fields: ${JSON.stringify(cron)}`);
  return CronExpressionParser.parse(cron, { currentDate: new Date(from), tz: timeZone });
}
