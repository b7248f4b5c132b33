/** What the contract's tests are made of. Every test has a ledger of its own, so servers may hold other data. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { engineId } from '../engine.ts';
import { createJobs, type JobsOptions } from '../jobs.ts';
import type { Jobs, Outcome } from '../port.ts';

export interface Setting {
  readonly postgresUrl: string;
  /** Null: pg-boss. */
  readonly redisUrl: string | null;
  /** Makes the engine believe that the process died in which this entry runs. */
  forsake(namespace: string, queue: string, id: string): Promise<void>;
}

export interface Process {
  readonly jobs: Jobs;
  readonly outcomes: Outcome[];
  readonly errors: unknown[];
  readonly warnings: string[];
}

export const someNamespace = (): string => `t${randomBytes(6).toString('hex')}`;

/** As if in a process of its own; closed with the test. */
export async function openProcess(
  t: Test,
  { postgresUrl, redisUrl }: Pick<Setting, 'postgresUrl' | 'redisUrl'>,
  namespace: string,
  options: Partial<JobsOptions> = {},
): Promise<Process> {
  const outcomes: Outcome[] = [];
  const errors: unknown[] = [];
  const warnings: string[] = [];
  const jobs = await createJobs({
    namespace,
    postgresUrl,
    redisUrl,
    pace: { firstSeconds: 1, secondsMax: 1 },
    onDone: (_, outcome) => outcomes.push(outcome),
    onError: (error) => errors.push(error),
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  t.teardown(() => jobs.close(100));
  return { jobs, outcomes, errors, warnings };
}

export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await pause(20);
  }
}

/** Something to wait at, for a handler under test. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

export const idle = (jobs: Jobs, queue: string) => async (): Promise<boolean> => {
  const { waiting, running, retrying } = await jobs.counts(queue);
  return waiting + running + retrying === 0;
};

/** Long enough for what should not happen to happen: engines deliver within half a second. */
export const aWhile = (): Promise<void> => pause(1_500);

export { engineId };
