/**
 * The time that business goes by. It is real time, but for stores that were born with a clock that can be moved: there
 * an offset is added, which is followed from its stream as the catalogues are (billing rule 14). Only what is decided and
 * shown goes by it; time-outs, back-off, authentication and the check of clocks stay on real time.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  TEST_CLOCK_ID,
  type TestClockEvent,
  type TestClockState,
  testClockDecider,
} from '@tallystick/domain';
import { decodeEvent, type EventStore } from '@tallystick/event-store';
import type { ClockProcesses } from './clock-processes.ts';

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export const realClock: Clock = { now: Date.now };

/** A clock that can be moved. */
export interface TestClock extends Clock {
  /** As far as its stream has been read. */
  readonly state: Readonly<TestClockState>;
  /** Reads everything that was recorded before the call. */
  fresh(): Promise<void>;
  /** Milliseconds since this process was last known to go by the right offset, and others knew that it lives. */
  ageMs(): number;
  /** Waits until every living process goes by this offset, or a larger one; false where the time is over. */
  acknowledged(offsetMs: number, timeoutMs: number): Promise<boolean>;
  /** Resolves when the read under way has ended: store and database are closed after this. */
  close(): Promise<void>;
}

export interface TestClockParts {
  readonly store: Pick<EventStore, 'readStream' | 'watch'>;
  readonly processes: ClockProcesses;
  readonly onError?: (error: unknown) => void;
}

const STREAM = `${testClockDecider.category}-${TEST_CLOCK_ID}`;
const PAGE = 500;
const POLL_MS = 250;
/** Between two signs of life. */
const TELL_MS = 1_000;
const LOOK_MS = 20;

/** @returns when the offset is known: nobody may decide anything before */
export async function followTestClock({ store, processes, onError }: TestClockParts): Promise<TestClock> {
  const state = testClockDecider.initial(TEST_CLOCK_ID);
  let revision = -1;
  let told = { offsetMs: -1, at: Number.NEGATIVE_INFINITY };
  let reading: Promise<void> = Promise.resolve();
  let waiting = 0;
  let closed = false;

  async function readToHead(): Promise<void> {
    const at = performance.now();
    for (let atEnd = false; !atEnd; ) {
      const page = await store.readStream(STREAM, { from: revision + 1, limit: PAGE });
      for (const recorded of page) {
        testClockDecider.evolve(state, decodeEvent<TestClockEvent>(recorded), recorded.revision);
        revision = recorded.revision;
      }
      atEnd = page.length < PAGE;
    }
    const { offsetMs } = state;
    if (offsetMs === told.offsetMs && at < told.at + TELL_MS) return;
    await processes.tell(offsetMs);
    told = { offsetMs, at };
  }

  /** One read after the other; each begins after its call. */
  function fresh(): Promise<void> {
    waiting += 1;
    reading = reading
      .catch(() => undefined)
      .then(readToHead)
      .finally(() => {
        waiting -= 1;
      });
    return reading;
  }

  function look(): void {
    // One that waits will see what there is.
    if (closed || waiting > 1) return;
    fresh().catch((error: unknown) => {
      if (!closed) onError?.(error);
    });
  }

  await fresh();
  const unwatch = store.watch(look, [testClockDecider.category]);
  const poll = setInterval(look, POLL_MS);
  poll.unref();

  return {
    state,
    now: () => Date.now() + state.offsetMs,
    fresh,
    ageMs: () => performance.now() - told.at,
    async acknowledged(offsetMs, timeoutMs) {
      const until = performance.now() + timeoutMs;
      while ((await processes.countBehind(offsetMs)) > 0) {
        if (performance.now() >= until || closed) return false;
        await pause(LOOK_MS);
      }
      return true;
    },
    async close() {
      closed = true;
      clearInterval(poll);
      unwatch();
      await reading.catch(() => undefined);
      await processes.leave();
    },
  };
}
