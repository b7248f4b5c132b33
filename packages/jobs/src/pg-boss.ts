/**
 * Jobs on Postgres, by pg-boss. Facts of its source that this file stands on:
 * - ids are UUIDs, and an insert of one that exists in any state does nothing (`on conflict do nothing`): so jobs are
 *   deleted when they are done, and never reach `failed`, where they would stay for a week;
 * - a job whose heartbeat was missed for 30 s, or that runs for fifteen minutes, is delivered again;
 * - its own `work` takes one batch a poll, so we fetch ourselves (`pg-boss-pump.ts`).
 */
import type { Pool } from 'pg';
import { PgBoss } from 'pg-boss';
import type { Engine, Envelope, RetryPace } from './engine.ts';
import { type Pump, startPump } from './pg-boss-pump.ts';
import { JobsUnavailable } from './port.ts';

export interface PgBossOptions {
  readonly pool: Pool;
  readonly namespace: string;
  readonly pace: RetryPace;
  readonly onError: (error: unknown) => void;
  readonly onWarning: (message: string) => void;
}

/** Attempts are counted by us, and what has failed too often is taken out: the engine itself never gives up. */
const ENDLESS = 1_000_000;
const HEARTBEAT_SECONDS = 30;
const SUPERVISE_SECONDS = 15;
const FIFTEEN_MINUTES = 900;

export async function openPgBoss({
  pool,
  namespace,
  pace,
  onError,
  onWarning,
}: PgBossOptions): Promise<Engine> {
  const schema = `${namespace}_pgboss`;
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values) },
    schema,
    // Recurring jobs are ours, for both engines alike.
    schedule: false,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
  });
  boss.on('error', (error) => onError(asError(error)));
  boss.on('warning', ({ message }) => onWarning(`pg-boss: ${message}`));
  await boss.start();

  const pumps = new Map<string, Pump>();
  const known = new Map<string, Promise<void>>();

  async function makeQueue(name: string): Promise<void> {
    const terms = {
      retryLimit: ENDLESS,
      retryDelay: pace.firstSeconds,
      retryBackoff: true,
      retryDelayMax: pace.secondsMax,
      expireInSeconds: FIFTEEN_MINUTES,
      heartbeatSeconds: HEARTBEAT_SECONDS,
    };
    await boss.createQueue(name, terms);
    // One that is there already keeps the terms of its maker.
    await boss.updateQueue(name, terms);
  }

  function queueReady(name: string): Promise<void> {
    const found = known.get(name);
    if (found !== undefined) return found;
    const making = makeQueue(name);
    known.set(name, making);
    making.catch(() => known.delete(name));
    return making;
  }

  async function asked<T>(name: string, question: () => Promise<T>): Promise<T> {
    try {
      await queueReady(name);
      return await question();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new JobsUnavailable(`Postgres does not take jobs: ${reason}`, { cause: error });
    }
  }

  return {
    async add(name, entries) {
      await asked(name, () =>
        boss.insert(
          name,
          entries.map(({ id, envelope }) => ({ id, data: envelope })),
        ),
      );
      // Other processes find it by looking twice a second.
      pumps.get(name)?.wake();
    },

    async work(name, concurrency, run) {
      await asked(name, async () => undefined);
      pumps.set(name, startPump<Envelope>({ boss, queue: name, concurrency, run, onError }));
    },

    async counts(name) {
      const { rows } = await asked(name, () =>
        pool.query<{ state: string; count: string }>(
          `select state::text, count(*) from "${schema}".job where name = $1 group by state`,
          [name],
        ),
      );
      const count = (state: string): number => Number(rows.find((row) => row.state === state)?.count ?? 0);
      return { waiting: count('created'), running: count('active'), retrying: count('retry') };
    },

    async drain() {
      await Promise.all([...pumps.values()].map((pump) => pump.drain()));
    },

    end: () => boss.stop({ graceful: false, close: false }),
  };
}

/** What goes wrong in some of pg-boss' parts is handed on as a plain object with an error's members. */
function asError(error: { readonly message: string; readonly stack?: string }): Error {
  if (error instanceof Error) return error;
  const { message, stack } = error;
  return Object.assign(new Error(message, { cause: error }), stack === undefined ? {} : { stack });
}
