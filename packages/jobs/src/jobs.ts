/** The port, made of an engine and of our own tables in Postgres. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { attempt, withDefaults } from './attempt.ts';
import { openBullmq } from './bullmq.ts';
import { countLetters, findLetters, jobOfLetter, listLetters, unbury } from './dead-letters.ts';
import { type Engine, type Entry, engineId, type RetryPace } from './engine.ts';
import { openPgBoss } from './pg-boss.ts';
import type { Job, Jobs, Outcome } from './port.ts';
import { readProgress } from './progress.ts';
import { startSchedules } from './schedules.ts';
import { openTables, type Tables } from './schema.ts';

export interface JobsOptions {
  /** One deployment's: schemas `<namespace>_jobs` and `<namespace>_pgboss`, keys `tallystick:<namespace>:`. */
  readonly namespace: string;
  readonly postgresUrl: string;
  /** Null: jobs are in Postgres as well. */
  readonly redisUrl: string | null;
  readonly pace?: RetryPace;
  /** Milliseconds since 1970, for schedules; a real clock's. */
  readonly now?: () => number;
  /** Told of every delivery that ended here. */
  readonly onDone?: (queue: string, outcome: Outcome, seconds: number) => void;
  /** Told of outages and of what the engines complain about; work goes on by itself. */
  readonly onError?: (error: unknown) => void;
  /** Told of what people should change. */
  readonly onWarning?: (message: string) => void;
}

const PACE: RetryPace = { firstSeconds: 1, secondsMax: 300 };
const GRACE_MS = 10_000;
/** For telling the engine of handlers that were cut short. */
const FAREWELL_MS = 2_000;
const FACT_CHARACTERS_MAX = 512;
const QUEUE = /^[a-z][a-z0-9-]{0,40}$/;

/** @throws where Postgres is away; Redis may be, and work begins when it is there */
export async function createJobs(options: JobsOptions): Promise<Jobs> {
  const {
    namespace,
    redisUrl,
    pace = PACE,
    onError = () => undefined,
    onWarning = () => undefined,
    onDone = () => undefined,
  } = options;
  const pool = openPool(options.postgresUrl, onError);
  let tables: Tables;
  let engine: Engine;
  try {
    tables = await openTables(pool, namespace);
    const common = { namespace, pace, onError, onWarning };
    engine =
      redisUrl === null ? await openPgBoss({ ...common, pool }) : await openBullmq({ ...common, redisUrl });
  } catch (error) {
    await pool.end();
    throw error;
  }

  const leaving = new AbortController();
  const worked = new Set<string>();
  let closing: Promise<void> | null = null;

  async function enqueueAll(queue: string, jobs: readonly Job[]): Promise<void> {
    assertQueue(queue);
    // pg-boss refuses the whole of what names one id twice.
    const entries = new Map(jobs.map((job) => entryOf(queue, job)).map((entry) => [entry.id, entry]));
    if (entries.size > 0) await engine.add(queue, [...entries.values()]);
  }
  const enqueue = (queue: string, job: Job): Promise<void> => enqueueAll(queue, [job]);
  const schedules = startSchedules({ tables, put: enqueue, now: options.now ?? Date.now, onError });

  async function close(graceMs: number): Promise<void> {
    await within(schedules.stop(), FAREWELL_MS);
    const drained = engine.drain().catch(onError);
    if (!(await within(drained, graceMs))) {
      leaving.abort(new Error('the process ends'));
      await within(drained, FAREWELL_MS);
    }
    await within(engine.end().catch(onError), FAREWELL_MS);
    await within(pool.end(), FAREWELL_MS);
  }

  return {
    enqueue,
    enqueueAll,

    async work(queue, handler, workOptions = {}) {
      assertQueue(queue);
      const settled = withDefaults(workOptions);
      if (worked.has(queue)) throw new Error(`${queue} has a handler already`);
      worked.add(queue);
      const parts = { queue, handler, options: settled, tables, leaving: leaving.signal, onDone, onError };
      await engine.work(queue, settled.concurrency, (delivery) => attempt(parts, delivery));
    },

    schedule(name, schedule) {
      assertQueue(schedule.queue);
      schedules.add(name, schedule);
    },

    progress: (queue, fact, round = '') => readProgress(tables, engineId(queue, fact, String(round))),

    async counts(queue) {
      assertQueue(queue);
      const [counts, dead] = await Promise.all([engine.counts(queue), countLetters(tables, queue)]);
      return { ...counts, dead };
    },

    deadLetters: {
      list: (listed) => listLetters(tables, listed),
      find: (queue, facts) => findLetters(tables, queue, facts),
      async retry(queue, fact) {
        const job = await jobOfLetter(tables, queue, fact);
        if (job !== null) await enqueue(queue, job);
        return job !== null;
      },
      discard: (queue, fact) => unbury(tables, queue, fact),
    },

    close(graceMs = GRACE_MS) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}

/** Frozen servers must not hang whoever asks them. pg-boss uses it as well. */
function openPool(connectionString: string, onError: (error: unknown) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: 5,
    application_name: 'tallystick jobs',
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
    statement_timeout: 25_000,
    keepAlive: true,
  });
  pool.on('error', onError);
  return pool;
}

function entryOf(queue: string, { fact, data, round = '' }: Job): Entry {
  if (fact === '' || fact.length > FACT_CHARACTERS_MAX)
    throw new Error(
      `a fact has 1 to ${FACT_CHARACTERS_MAX} characters: ${JSON.stringify(fact.slice(0, 80))}`,
    );
  const envelope = { fact, round: String(round), data };
  return { id: engineId(queue, fact, envelope.round), envelope };
}

function assertQueue(queue: string): void {
  if (!QUEUE.test(queue)) throw new Error(`not a name for a queue: ${JSON.stringify(queue)}`);
}

/** @returns whether it ended in time */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const ended = new AbortController();
  const inTime = work.then(
    () => true,
    () => true,
  );
  const late = pause(ms, false, { signal: ended.signal }).catch(() => false);
  const result = await Promise.race([inTime, late]);
  ended.abort();
  return result;
}
