/** How jobs fare: how long each took and how it ended, and how many are where. */
import { type Meter, SECONDS } from '@tallystick/connect';
import type { Jobs, JobsOptions } from '@tallystick/jobs';

/** @returns to be told of every job */
export function measureJobs(meter: Meter): NonNullable<JobsOptions['onDone']> {
  const seconds = meter.histogram(
    'tallystick_job_seconds',
    'From the beginning of an attempt to its end. `failed` is tried again; `dead` is not; `left` was cut short.',
    SECONDS,
    ['queue', 'outcome'],
  );
  return (queue, outcome, took) => seconds({ queue, outcome }).observe(took);
}

export function measureQueues(meter: Meter, jobs: Pick<Jobs, 'counts'>, queues: readonly string[]): void {
  meter.read(
    'gauge',
    'tallystick_jobs',
    'Jobs in the engine, and dead letters, of all processes.',
    async () => {
      const counts = await Promise.all(queues.map((queue) => jobs.counts(queue)));
      return queues.flatMap((queue, n) =>
        Object.entries(counts[n] ?? {}).map(([state, count]) => [{ queue, state }, count] as const),
      );
    },
    ['queue', 'state'],
  );
}
