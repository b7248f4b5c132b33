/** Time as the projector knows it: handed in, so that a simulation can turn it. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Time {
  /** Milliseconds since 1970, as the clock on the wall says. */
  now(): number;
  /** Milliseconds that only grow. */
  monotonic(): number;
  /** Ends early, and without an error, where `signal` says so. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
}

export const realTime: Time = {
  now: Date.now,
  monotonic: () => performance.now(),
  pause: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};
