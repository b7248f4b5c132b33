/**
 * Work that is done behind a caller's back, again if it fails.
 *
 * - A job is named by the fact it is about, such as `wake:acme:2026-03-01T00:00:00.000Z`. While a job of a fact waits or
 *   runs, putting in the same fact of the same round changes nothing.
 * - A job is delivered at least once, and now and then twice: where its process died, stood still for half a minute, or
 *   could not say that it was done. **Handlers must be idempotent.**
 * - Nothing is true because a job exists: an engine that loses everything loses only time. Whoever puts jobs in has a
 *   sweep over Postgres that finds what was left undone.
 * - Jobs are for now. When something falls due is kept in Postgres, not in an engine (billing rule 13).
 */

/** Plain JSON. */
export type JobData = Readonly<Record<string, unknown>>;

export interface Job {
  /** Names the business fact: `kind:subject:instant`. At most 512 characters. */
  readonly fact: string;
  readonly data: JobData;
  /** Of a sweep. Another round may put in a fact again although a job of it still waits, runs or hangs. '' if left out. */
  readonly round?: string | number;
}

/** A job as its handler gets it. */
export interface RunningJob {
  readonly queue: string;
  readonly fact: string;
  readonly round: string;
  readonly data: JobData;
  /** 1 at the first delivery. */
  readonly attempt: number;
  /** Aborted when the time for this job is up, and when the process can wait for it no longer. */
  readonly signal: AbortSignal;
  /** Tells how far it is; whoever asks `Jobs.progress` sees it until the job has ended. */
  progress(done: number, total: number): Promise<void>;
}

/** Resolves when the job is done; rejects where it is to be tried again. */
export type Handler = (job: RunningJob) => Promise<void>;

export interface WorkOptions {
  /** Jobs of this queue at a time in this process: 1 if left out. */
  readonly concurrency?: number;
  /** Attempts, the first included, before a job is dead: 5 if left out. */
  readonly attempts?: number;
  /** After this a job counts as failed, whatever its handler still does: a minute if left out, ten at most. */
  readonly timeoutMs?: number;
}

/** At least a second apart. `cron` has five fields, read in `timeZone` (UTC if left out). */
export type Recurrence = { readonly everyMs: number } | { readonly cron: string; readonly timeZone?: string };

export interface Schedule {
  readonly queue: string;
  readonly when: Recurrence;
  readonly data?: JobData;
}

export interface Counts {
  /** To be taken as soon as there is a worker. */
  readonly waiting: number;
  readonly running: number;
  /** Failed, and waiting for their next attempt. */
  readonly retrying: number;
  /** Dead letters. */
  readonly dead: number;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** When the handler told, in milliseconds since 1970. */
  readonly at: number;
}

export interface DeadLetter {
  readonly queue: string;
  readonly fact: string;
  readonly round: string;
  readonly data: JobData;
  /** Of the last attempt, as its handler threw it: for people, not for callers of the API. */
  readonly error: string;
  readonly attempts: number;
  /** How many rounds of this fact have died. */
  readonly deaths: number;
  readonly firstDiedAt: number;
  readonly diedAt: number;
}

/** Jobs that failed at every attempt: one letter for a fact. It goes when the fact is done in a later round. */
export interface DeadLetters {
  /** Latest deaths first. */
  list(options?: { readonly queue?: string; readonly limit?: number }): Promise<readonly DeadLetter[]>;
  /** Of these facts; those that have none are left out. */
  find(queue: string, facts: readonly string[]): Promise<readonly DeadLetter[]>;
  /** Puts it in again, in a round of its own. False where there is no such letter. */
  retry(queue: string, fact: string): Promise<boolean>;
  /** Forgets it. False where there is no such letter. */
  discard(queue: string, fact: string): Promise<boolean>;
}

export interface Jobs {
  /** Resolves when the engine has it. @throws JobsUnavailable where the engine is away: nothing is kept here */
  enqueue(queue: string, job: Job): Promise<void>;
  enqueueAll(queue: string, jobs: readonly Job[]): Promise<void>;
  /** One handler for a queue in a process; any number of processes share the queue. */
  work(queue: string, handler: Handler, options?: WorkOptions): Promise<void>;
  /**
   * From now on puts a job in at every time of the recurrence, once for all processes that schedule the same name; its
   * fact is `schedule:{name}`, and its data say `at`. Of the times that passed while no process ran only the last counts.
   */
  schedule(name: string, schedule: Schedule): void;
  /** Null where there is no such job, or it has told nothing. */
  progress(queue: string, fact: string, round?: string | number): Promise<Progress | null>;
  counts(queue: string): Promise<Counts>;
  readonly deadLetters: DeadLetters;
  /**
   * Takes nothing more and waits for what runs, for `graceMs` at most (10 s if left out); then tells the handlers by
   * their signal and leaves. What was not done is delivered again, here or elsewhere.
   */
  close(graceMs?: number): Promise<void>;
}

/** How an attempt ended: `failed` is tried again, `dead` is not, `left` was cut short by the process's end. */
export type Outcome = 'done' | 'failed' | 'dead' | 'left';

/** The engine cannot be reached, or does not answer. The next sweep tries again. */
export class JobsUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JobsUnavailable';
  }
}
