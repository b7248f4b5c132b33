/** Child processes that simulate: seeds are independent, so they share nothing but the database server. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Run } from './simulate.ts';
import type { Job, Report } from './worker.ts';

export interface Worker {
  /** Rejects where the process ends instead. */
  simulate(seed: number, keepsLog?: boolean): Promise<Run>;
  stop(): Promise<void>;
}

export interface WorkerOptions {
  /** Of an empty database. */
  readonly url: string;
  /** Of its schemas: no other worker has the same. */
  readonly prefix: string;
}

export async function startWorker({ url, prefix }: WorkerOptions): Promise<Worker> {
  const child = fork(join(import.meta.dirname, 'worker.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await ask(child, { open: { url, prefix } });
  return {
    async simulate(seed, keepsLog = false) {
      const report = await ask(child, { seed, keepsLog });
      if (!('run' in report)) throw new Error('a worker answered something else');
      return report.run;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

function ask(child: ChildProcess, job: Job): Promise<Report> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a worker ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (report) => {
      child.off('exit', ended);
      resolve(report as Report);
    });
    child.send(job);
  });
}

/** The first seed that fails, of those from `from` on; null where none of `count` does. All workers take part. */
export async function findFailure(
  workers: readonly Worker[],
  { from, count }: { readonly from: number; readonly count: number },
  onRun: (run: Run) => void = () => undefined,
): Promise<Run | null> {
  const failures: Run[] = [];
  let next = from;
  await Promise.all(
    workers.map(async (worker) => {
      while (next < from + count && failures.length === 0) {
        const run = await worker.simulate(next++);
        onRun(run);
        if (run.failure !== null) failures.push(run);
      }
    }),
  );
  return failures.sort((a, b) => a.seed - b.seed)[0] ?? null;
}
