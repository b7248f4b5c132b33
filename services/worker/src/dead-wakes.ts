/**
 * Wakes that have failed for good, one letter each. What is still due comes again by the sweep, later and later: a wallet
 * that cannot be carried out is no reason to try a thousand times a day. A letter whose due has been carried out by
 * somebody else, such as the account's next command, says nothing any more and is dropped.
 */
import { type DeadLetter, type Job, type Jobs, periodically } from '@tallystick/jobs';
import type { Reads } from '@tallystick/projections';
import { WAKE } from './wake.ts';

/** After the first death; doubled for each further one. Whole rounds of the sweep, so no round has the same job twice. */
const AGAIN_MS = 60_000;
const AGAIN_MS_MAX = 30 * 60_000;

export interface Letters {
  readonly deadLetters: Pick<Jobs['deadLetters'], 'find'>;
}

/** Those that have not died, or long enough ago. */
export async function mayComeAgain(
  { deadLetters }: Letters,
  jobs: readonly Job[],
  now: number,
): Promise<readonly Job[]> {
  const letters = await deadLetters.find(
    WAKE,
    jobs.map(({ fact }) => fact),
  );
  if (letters.length === 0) return jobs;
  const resting = new Set(letters.filter((letter) => againAt(letter) > now).map(({ fact }) => fact));
  return jobs.filter(({ fact }) => !resting.has(fact));
}

const againAt = ({ diedAt, deaths }: DeadLetter): number =>
  diedAt + Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** Math.min(deaths - 1, 10));

export interface DeadWakesParts {
  readonly jobs: Pick<Jobs, 'deadLetters'>;
  readonly queries: Reads;
  readonly everyMs?: number;
  readonly onError: (error: unknown) => void;
}

/** @returns how to stop it; resolves when the look under way has ended */
export function startDroppingWakes({
  jobs,
  queries,
  everyMs = 60_000,
  onError,
}: DeadWakesParts): () => Promise<void> {
  return periodically(
    () => everyMs,
    () => dropDeadWakes(jobs, queries),
    onError,
  );
}

const LETTERS_MAX = 1_000;

/** Drops the letters of dues that their accounts do not have any more. Where one is wrong, the sweep finds the due again. */
export async function dropDeadWakes(
  { deadLetters }: Pick<Jobs, 'deadLetters'>,
  { pool, schema }: Reads,
): Promise<void> {
  const letters = await deadLetters.list({ queue: WAKE, limit: LETTERS_MAX });
  if (letters.length === 0) return;
  const accounts = letters.map(({ data }) => String(data.account));
  const { rows } = await pool.query<{ account: string; next_due_at: Date }>(
    `select account, next_due_at from ${schema}.balances where account = any ($1) and next_due_at is not null`,
    [accounts],
  );
  const due = new Set(rows.map(({ account, next_due_at }) => keyOf(account, next_due_at.toISOString())));
  for (const { fact, data } of letters) {
    if (!due.has(keyOf(String(data.account), String(data.due_at)))) await deadLetters.discard(WAKE, fact);
  }
}

const keyOf = (account: string, dueAt: string): string => `${account} ${dueAt}`;
