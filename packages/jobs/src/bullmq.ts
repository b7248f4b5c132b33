/**
 * Jobs on Redis, by BullMQ. Facts of its source that this file stands on:
 * - an id that exists in any state, `failed` too, is ignored without a word (`addStandardJob`, `handleDuplicatedJob`):
 *   so jobs are removed when they are done, and never reach `failed`;
 * - a job whose lock was not renewed for 30 s is delivered again (`moveStalledJobsToWait`);
 * - a worker's blocking connection is a copy of the one it is given, and refuses a limit to its retries.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionOptions, Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { type Engine, type Envelope, type RetryPace, retryDelayMs } from './engine.ts';
import { onceInAWhile } from './once-in-a-while.ts';
import { JobsUnavailable } from './port.ts';
import { warnOfEviction } from './redis-eviction.ts';

export interface BullmqOptions {
  readonly redisUrl: string;
  readonly namespace: string;
  readonly pace: RetryPace;
  readonly onError: (error: unknown) => void;
  readonly onWarning: (message: string) => void;
}

const LOCK_MS = 30_000;
/** No server is that long silent on a connection that asks it something: blocking commands answer after 5 s. */
const SILENT_MS_MAX = 20_000;
const FIRST_CONNECT_MS = 2_000;
/** Attempts are counted by us, and what has failed too often is taken out: the engine itself never gives up. */
const ENDLESS = 1_000_000;
const BACKOFF = 'ledger';

const PATIENT = {
  maxRetriesPerRequest: null,
  retryStrategy: (times: number) => Math.min(times * 100, 2_000),
  connectTimeout: 5_000,
  socketTimeout: SILENT_MS_MAX,
  keepAlive: 5_000,
} satisfies RedisOptions;
/** For whoever waits for an answer: while Redis is away it fails at once. */
const IMPATIENT = {
  ...PATIENT,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  commandTimeout: 5_000,
} satisfies RedisOptions;

export async function openBullmq(options: BullmqOptions): Promise<Engine> {
  const { namespace, redisUrl, pace, onWarning } = options;
  const onError = onceInAWhile(options.onError);
  const prefix = `tallystick:${namespace}`;
  const queues = new Map<string, Queue>();
  const workers: Worker[] = [];
  const asking = new Redis(redisUrl, IMPATIENT);
  asking.on('error', onError);
  const policyKnown = warnOfEviction(asking, onWarning, onError);
  let working: Redis | null = null;
  // The first moments of a connection are no outage; a Redis that is not there is.
  await Promise.race([policyKnown, pause(FIRST_CONNECT_MS, undefined, { ref: false })]);

  function queueOf(name: string): Queue {
    let queue = queues.get(name);
    if (queue === undefined) {
      const connection = asking as ConnectionOptions;
      queue = new Queue(name, { connection, prefix, skipVersionCheck: true, streams: EVENTS });
      queue.on('error', onError);
      queues.set(name, queue);
    }
    return queue;
  }

  async function asked<T>(name: string, question: (queue: Queue) => Promise<T>): Promise<T> {
    // BullMQ itself would wait until it is there.
    if (asking.status !== 'ready') throw new JobsUnavailable('Redis is away');
    try {
      return await question(queueOf(name));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new JobsUnavailable(`Redis does not answer: ${reason}`, { cause: error });
    }
  }

  return {
    async add(name, entries) {
      await asked(name, (queue) =>
        queue.addBulk(
          entries.map(({ id, envelope }) => ({
            name,
            data: envelope,
            opts: { jobId: id, attempts: ENDLESS, backoff: { type: BACKOFF }, ...REMOVED },
          })),
        ),
      );
    },

    async work(name, concurrency, run) {
      if (working === null) {
        working = new Redis(redisUrl, PATIENT);
        working.on('error', onError);
      }
      const worker = new Worker<Envelope>(
        name,
        async ({ id = '', data, attemptsStarted }) => run({ id, envelope: data, attempt: attemptsStarted }),
        {
          connection: working as ConnectionOptions,
          prefix,
          concurrency,
          skipVersionCheck: true,
          lockDuration: LOCK_MS,
          stalledInterval: LOCK_MS,
          maxStalledCount: ENDLESS,
          runRetryDelay: 1_000,
          settings: { backoffStrategy: (failures) => retryDelayMs(failures, pace) },
        },
      );
      worker.on('error', onError);
      workers.push(worker);
    },

    async counts(name) {
      const found = await asked(name, (queue) => queue.getJobCounts('wait', 'active', 'delayed'));
      const { wait = 0, active = 0, delayed = 0 } = found;
      return { waiting: wait, running: active, retrying: delayed };
    },

    async drain() {
      await Promise.all(workers.map((worker) => worker.close()));
    },

    async end() {
      // `close` of a worker that drains would wait for its drain; its connections go all the same.
      await Promise.allSettled([
        ...workers.map((worker) => worker.getBackend().close(true)),
        ...[...queues.values()].map((queue) => queue.close()),
      ]);
      asking.disconnect();
      working?.disconnect();
    },
  };
}

const REMOVED = { removeOnComplete: true, removeOnFail: true } as const;
/** Nobody reads BullMQ's stream of events; left alone it keeps ten thousand for each queue. */
const EVENTS = { events: { maxLen: 100 } };
