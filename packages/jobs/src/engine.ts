/** What an engine has to do, and no more: everything else of the port is made once, on top of it. */
import { v5 as uuidOf } from 'uuid';
import type { JobData } from './port.ts';

/** What lies in the engine. */
export interface Envelope {
  readonly fact: string;
  readonly round: string;
  readonly data: JobData;
}

export interface Entry {
  /** An entry whose id the engine has already, in whatever state, is not added. */
  readonly id: string;
  readonly envelope: Envelope;
}

export interface Delivery extends Entry {
  /** 1 at the first delivery; counts those that never came to an end as well. */
  readonly attempt: number;
}

export interface EngineCounts {
  readonly waiting: number;
  readonly running: number;
  readonly retrying: number;
}

export interface Engine {
  /** @throws where it is away; never waits for it to come back */
  add(queue: string, entries: readonly Entry[]): Promise<void>;
  /** Where `run` resolves the entry is gone, and its id free again; where it rejects it is delivered later, for ever. */
  work(queue: string, concurrency: number, run: (delivery: Delivery) => Promise<void>): Promise<void>;
  counts(queue: string): Promise<EngineCounts>;
  /** Takes nothing more; resolves when what runs has ended and its end is told. May wait for a server that is away. */
  drain(): Promise<void>;
  /** Lets go of all connections, at once. */
  end(): Promise<void>;
}

export interface RetryPace {
  /** Whole seconds before the second attempt; doubled for each further one. */
  readonly firstSeconds: number;
  readonly secondsMax: number;
}

/**
 * Of all namespaces' jobs; any fixed UUID does. BullMQ takes no `:` in an id (unless there are two), and pg-boss no id
 * but a UUID, so the fact itself cannot be one.
 */
const NAMESPACE = '6f0d9c52-3c1e-5b0e-9d57-1b6c2a9b8e41';

export function engineId(queue: string, fact: string, round: string): string {
  return uuidOf(JSON.stringify([queue, fact, round]), NAMESPACE);
}

/** The same for both engines: between one and two times the doubled pace, so that what failed together comes apart. */
export function retryDelayMs(failures: number, pace: RetryPace, random = Math.random): number {
  const least = pace.firstSeconds * 1_000 * 2 ** Math.min(15, failures - 1);
  return Math.round(Math.min(pace.secondsMax * 1_000, least * (1 + random())));
}

/** The longest that a handler may take: pg-boss gives a job up after fifteen minutes. */
export const TIMEOUT_MS_MAX = 600_000;
