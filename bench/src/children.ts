/** Processes of this bench: each does one job at a time, told by a message and answered by one. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Child<J, R> {
  readonly pid: number;
  /** Rejects where the job failed or the process ended. */
  ask(job: J): Promise<R>;
  stop(): Promise<void>;
}

type Reply<R> = { readonly done: R } | { readonly failed: string };

/** The young generation is as large as the ledger's own: no side gets what the other has not. */
const FLAGS = ['--max-semi-space-size=64'];

/** @param file beside this one */
export function startChild<J, R>(file: string): Child<J, R> {
  const child = fork(join(import.meta.dirname, file), {
    execArgv: FLAGS,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  return {
    pid: child.pid ?? 0,
    ask: (job) => askOf<J, R>(child, file, job),
    async stop() {
      process.off('exit', end);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

function askOf<J, R>(child: ChildProcess, file: string, job: J): Promise<R> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`${file} ended with ${code} in the middle of its job`));
    child.once('exit', ended);
    child.once('message', (reply) => {
      child.off('exit', ended);
      const answer = reply as Reply<R>;
      if ('done' in answer) resolve(answer.done);
      else reject(new Error(`${file}: ${answer.failed}`));
    });
    child.send(job as object);
  });
}

/** The other end, in the process that was started. */
export function serveJobs<J, R>(work: (job: J) => Promise<R>): void {
  process.on('message', (job) => {
    work(job as J).then(
      (done) => process.send?.({ done }),
      (error: unknown) =>
        process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit(0));
}
