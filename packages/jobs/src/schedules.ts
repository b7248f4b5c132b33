/**
 * Recurring jobs, for both engines alike: an engine's own would be lost with it, and pg-boss counts in minutes. A row in
 * Postgres says up to when a name has been put in, and whoever moves it on puts the job in within the same transaction:
 * a time is never skipped because a process died in between, and comes twice only where the commit failed.
 */
import { periodically } from './periodically.ts';
import type { Job, Schedule } from './port.ts';
import { latestTime, nextTime } from './recurrence.ts';
import { inTransaction, type Tables } from './schema.ts';

export interface SchedulesParts {
  readonly tables: Tables;
  readonly put: (queue: string, job: Job) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

export interface Schedules {
  /** @throws where the recurrence makes no sense */
  add(name: string, schedule: Schedule): void;
  stop(): Promise<void>;
}

const LOOK_MS = 250;

export function startSchedules({ tables, put, now, onError }: SchedulesParts): Schedules {
  const { pool, schema } = tables;
  const schedules = new Map<string, { readonly schedule: Schedule; nextAt: number }>();

  /** @returns up to when it has been put in now */
  async function putIn(name: string, { queue, when, data = {} }: Schedule, until: number): Promise<number> {
    return inTransaction(pool, async (client) => {
      // One that is new begins with its next time.
      await client.query(`insert into ${schema}.schedules values ($1, $2) on conflict (name) do nothing`, [
        name,
        new Date(until),
      ]);
      const { rows } = await client.query<{ last_at: Date }>(
        `select last_at from ${schema}.schedules where name = $1 for update`,
        [name],
      );
      const last = rows[0]?.last_at.getTime() ?? until;
      const time = latestTime(when, last, until);
      if (time === null) return last;
      const at = new Date(time).toISOString();
      await put(queue, { fact: `schedule:${name}`, round: at, data: { ...data, at } });
      await client.query(`update ${schema}.schedules set last_at = $2 where name = $1`, [name, at]);
      return time;
    });
  }

  async function look(): Promise<void> {
    for (const [name, entry] of schedules) {
      const until = now();
      if (until < entry.nextAt) continue;
      try {
        entry.nextAt = nextTime(entry.schedule.when, await putIn(name, entry.schedule, until));
      } catch (error) {
        onError(error);
      }
    }
  }

  return {
    add(name, schedule) {
      nextTime(schedule.when, now());
      schedules.set(name, { schedule, nextAt: Number.NEGATIVE_INFINITY });
    },
    stop: periodically(() => LOOK_MS, look, onError),
  };
}
