/**
 * Takes jobs of one queue out of pg-boss and runs them, at most so many at a time. A look costs one statement; it is
 * made at once after a job was put in by this process, and twice a second otherwise.
 */
import type { PgBoss } from 'pg-boss';
import type { Delivery, Envelope } from './engine.ts';

export interface PumpParts {
  readonly boss: Pick<PgBoss, 'fetch' | 'deleteJob' | 'fail' | 'touch'>;
  readonly queue: string;
  readonly concurrency: number;
  readonly run: (delivery: Delivery) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface Pump {
  /** There may be something now. */
  wake(): void;
  /** Takes nothing more; resolves when what runs has ended and its end is told. */
  drain(): Promise<void>;
}

const LOOK_MS = 500;
const BEAT_MS = 10_000;

interface Claim<D> {
  readonly id: string;
  readonly retryCount: number;
  readonly data: D;
}

export function startPump<D extends Envelope>({ boss, queue, concurrency, run, onError }: PumpParts): Pump {
  const running = new Set<Promise<void>>();
  let draining = false;
  let awake = false;
  let wake = (): void => undefined;

  /** Until somebody wakes us, or it is time to look again. */
  function rest(): Promise<void> {
    return new Promise((resolve) => {
      if (awake || draining) {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, LOOK_MS);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function look(): Promise<number> {
    const found = await boss.fetch<D>(queue, { batchSize: concurrency - running.size });
    for (const claim of found) {
      const ended = settle(claim)
        .catch(onError)
        .finally(() => running.delete(ended));
      running.add(ended);
    }
    return found.length;
  }

  /** Runs one and tells its end. Fenced by the attempt: where the claim was lost meanwhile, nothing is told. */
  async function settle(claim: Claim<D>): Promise<void> {
    const beat = setInterval(() => void boss.touch(queue, claim).catch(onError), BEAT_MS);
    try {
      await run({ id: claim.id, envelope: claim.data, attempt: claim.retryCount + 1 });
    } catch (error) {
      await boss.fail(queue, claim, { message: error instanceof Error ? error.message : String(error) });
      return;
    } finally {
      clearInterval(beat);
    }
    await boss.deleteJob(queue, claim);
  }

  async function pump(): Promise<void> {
    while (!draining) {
      awake = false;
      const found = await look().catch((error: unknown) => {
        onError(error);
        return 0;
      });
      if (running.size >= concurrency) await Promise.race(running);
      // What came back full may have more behind it.
      else if (found === 0) await rest();
    }
  }
  const pumping = pump();

  return {
    wake() {
      awake = true;
      wake();
    },
    async drain() {
      draining = true;
      wake();
      await pumping;
      await Promise.all(running);
    },
  };
}
