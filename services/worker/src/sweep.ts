/**
 * Finds wallets in which something has fallen due, and puts a job in for each. It runs in the worker itself, not in the
 * engine: it is what makes up for an engine that has lost its jobs. Any number of processes may sweep, since a fact put in
 * twice in a round is one job.
 */
import { type Job, type Jobs, periodically } from '@tallystick/jobs';
import { type DueAccount, listDues, type Reads } from '@tallystick/projections';
import { type Letters, mayComeAgain } from './dead-wakes.ts';
import { WAKE } from './wake.ts';

export interface SweepParts {
  readonly jobs: Pick<Jobs, 'enqueueAll'> & Letters;
  readonly queries: Reads;
  /** Milliseconds since 1970, of the ledger's clock. */
  readonly now: () => number;
  /** While the clock of a test store is being moved, whoever moves it carries out what is due, in order. */
  readonly isPaused: () => boolean;
  readonly everyMs?: number;
  readonly onError: (error: unknown) => void;
}

const PAGE = 500;
const PAGES_MAX = 10;
/**
 * For so long a job that waits for its next attempt, or whose process has died without its engine knowing, is left
 * alone; then the fact is put in again beside it.
 */
const ROUND_MS = 60_000;

/** @returns how to stop it; resolves when the sweep under way has ended */
export function startSweep({
  jobs,
  queries,
  now,
  isPaused,
  everyMs = 1_000,
  onError,
}: SweepParts): () => Promise<void> {
  async function sweep(): Promise<void> {
    if (isPaused()) return;
    const until = now();
    // Of the clock on the wall: the engines' own waiting goes by it.
    const round = Math.floor(Date.now() / ROUND_MS);
    let last: DueAccount | null = null;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const due: readonly DueAccount[] = await listDues(queries, until, PAGE, last);
      const wakes = due.map((found) => wakeJob(found, round));
      await jobs.enqueueAll(WAKE, await mayComeAgain(jobs, wakes, Date.now()));
      if (due.length < PAGE) return;
      last = due.at(-1) ?? null;
    }
  }
  return periodically(() => everyMs, sweep, onError);
}

function wakeJob({ account, dueAt }: DueAccount, round: number): Job {
  const due_at = new Date(dueAt).toISOString();
  return { fact: `wake:${account}:${due_at}`, round, data: { account, due_at } };
}
