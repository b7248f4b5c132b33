/** What engines lose, and how a sweep loses nothing all the same: the due work of a test, in memory. */
import { setTimeout as pause } from 'node:timers/promises';
import { periodically } from '../periodically.ts';
import type { Jobs, RunningJob } from '../port.ts';

export interface DueWork {
  /** What is not done yet. */
  readonly due: ReadonlySet<string>;
  /** How often an effect was made, which may be once only. */
  readonly effects: ReadonlyMap<string, number>;
  readonly handle: (job: RunningJob) => Promise<void>;
  /** Enqueues what is due, in rounds of a second. @returns how to stop it */
  sweep(jobs: Jobs, queue: string, onError: (error: unknown) => void): () => Promise<void>;
}

/** As a command on a stream is: it may come twice, and does its work once. */
export function dueWork(facts: readonly string[], takesMs: number): DueWork {
  const due = new Set(facts);
  const effects = new Map<string, number>();
  return {
    due,
    effects,
    async handle({ fact }) {
      await pause(takesMs);
      if (!due.delete(fact)) return;
      effects.set(fact, (effects.get(fact) ?? 0) + 1);
    },
    sweep(jobs, queue, onError) {
      const put = (): Promise<void> => {
        const round = Math.floor(performance.now() / 1_000);
        return jobs.enqueueAll(
          queue,
          [...due].map((fact) => ({ fact, round, data: {} })),
        );
      };
      return periodically(() => 200, put, onError);
    },
  };
}
