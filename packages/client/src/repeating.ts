/**
 * The same request again, until the ledger has answered it or the time is over. What is sent never changes between the
 * tries, its id least of all: a first try whose answer was lost is answered as it was, and nothing happens twice.
 */
import pRetry from 'p-retry';
import { isPassing } from './errors.ts';

const FIRST_PAUSE_MS = 50;
const PAUSE_MS_MAX = 2_000;
const TRY_MS_MIN = 20;

/**
 * @param work one try, told how many milliseconds are left
 * @throws what the last try ended with
 */
export function repeating<T>(work: (leftMs: number) => Promise<T>, withinMs: number): Promise<T> {
  const endAt = performance.now() + withinMs;
  let last: unknown;
  const once = async (): Promise<T> => {
    const leftMs = endAt - performance.now();
    // A try that has hardly any time would end in nothing but a time-out, and hide why the one before has failed.
    if (leftMs < TRY_MS_MIN && last !== undefined) throw last;
    return work(leftMs);
  };
  return pRetry(once, {
    retries: Number.POSITIVE_INFINITY,
    maxRetryTime: withinMs,
    minTimeout: FIRST_PAUSE_MS,
    maxTimeout: PAUSE_MS_MAX,
    // Callers that were turned away together must not come back together.
    randomize: true,
    shouldRetry: ({ error }) => isPassing(error),
    onFailedAttempt: async ({ error }) => {
      last = error;
      if (!isPassing(error) || error.retryAfterMs === null) return;
      if (performance.now() + error.retryAfterMs >= endAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? 0));
    },
  });
}
