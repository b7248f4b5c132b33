/** A process that simulates seeds, one at a time, as it is told by messages. */
import { type Databases, openDatabases } from './database.ts';
import { type Run, simulate } from './simulate.ts';

export type Job =
  | { readonly open: { readonly url: string; readonly prefix: string } }
  | { readonly seed: number; readonly keepsLog: boolean };
export type Report = { readonly opened: true } | { readonly run: Run };

let databases: Databases | null = null;

async function work(job: Job): Promise<Report> {
  if ('open' in job) {
    databases = await openDatabases(job.open.url, job.open.prefix);
    return { opened: true };
  }
  if (databases === null) throw new Error('a seed before the database');
  return { run: await simulate(job.seed, databases, { keepsLog: job.keepsLog }) };
}

process.on('message', (job) => {
  work(job as Job).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));
