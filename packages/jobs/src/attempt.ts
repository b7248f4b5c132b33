/** One delivery of a job: within its time, counted, and buried where it has failed too often. */
import { bury, unbury } from './dead-letters.ts';
import { type Delivery, TIMEOUT_MS_MAX } from './engine.ts';
import type { Handler, Outcome, RunningJob, WorkOptions } from './port.ts';
import { forgetProgress, tellProgress } from './progress.ts';
import type { Tables } from './schema.ts';

export interface AttemptParts {
  readonly queue: string;
  readonly handler: Handler;
  readonly options: Required<WorkOptions>;
  readonly tables: Tables;
  /** Aborted when this process can wait no longer. */
  readonly leaving: AbortSignal;
  readonly onDone: (queue: string, outcome: Outcome, seconds: number) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Deliveries beyond the attempts that are forgiven: the process died, or its end could not be told. A job that kills
 * whoever runs it must come to an end all the same.
 */
const FORGIVEN = 3;

export function withDefaults({ concurrency = 1, attempts = 5, timeoutMs = 60_000 }: WorkOptions): {
  concurrency: number;
  attempts: number;
  timeoutMs: number;
} {
  if (timeoutMs > TIMEOUT_MS_MAX) throw new Error(`a job may take ${TIMEOUT_MS_MAX} ms at most`);
  return { concurrency, attempts, timeoutMs };
}

/** Resolves where the entry is to go: done, or dead and buried. Rejects where it is to come again. */
export async function attempt(parts: AttemptParts, delivery: Delivery): Promise<void> {
  const { queue, options, tables, leaving, onDone, onError } = parts;
  const { id, envelope } = delivery;
  const began = performance.now();
  const ended = (outcome: Outcome): void => onDone(queue, outcome, (performance.now() - began) / 1_000);
  let told = false;
  const tell = async (done: number, total: number): Promise<void> => {
    told = true;
    await tellProgress(tables, id, done, total);
  };
  const die = async (error: unknown): Promise<void> => {
    // Where this fails the entry stays, and is buried at its next failure.
    await bury(tables, queue, envelope, delivery.attempt, error);
    ended('dead');
  };
  try {
    if (delivery.attempt > options.attempts + FORGIVEN)
      return await die(new Error('it was begun again and again, and never came to an end'));
    await withinTime(parts, delivery, tell);
  } catch (error) {
    if (leaving.aborted) ended('left');
    else if (delivery.attempt >= options.attempts) return await die(error);
    else ended('failed');
    throw error;
  } finally {
    if (told) await forgetProgress(tables, id).catch(onError);
  }
  // It has been done: a letter of an earlier round is none any more. Not worth doing the job again.
  await unbury(tables, queue, envelope.fact).catch(onError);
  ended('done');
}

/** A handler that goes on after its time is not waited for; nothing that it does then is told. */
async function withinTime(
  { queue, handler, options, leaving }: AttemptParts,
  { envelope, attempt }: Delivery,
  progress: RunningJob['progress'],
): Promise<void> {
  const { timeoutMs } = options;
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new Error(`it did not end within ${timeoutMs / 1_000} s`)),
    timeoutMs,
  );
  const signal = AbortSignal.any([late.signal, leaving]);
  const cut = Promise.withResolvers<never>();
  const onAbort = (): void => cut.reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    const running = (async () => handler({ queue, ...envelope, attempt, signal, progress }))();
    // When it loses the race nobody waits for it any more.
    running.catch(() => undefined);
    await Promise.race([running, cut.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
