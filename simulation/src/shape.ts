/** What a seed makes a world of: how many of everything, how small its memories are, and what goes wrong how often. */
import type { RunnerLimits } from '@tallystick/event-store';
import type { Chance } from './chance.ts';

/** Rates from 0 to 1. All are 0 once the storm is over. */
export interface Faults {
  /** A step of a process is its last. */
  crash: number;
  /** The store says that it is away: nothing was done. */
  storeAway: number;
  /** An append is done, and its answer lost. */
  answerLost: number;
  /** An append is lost on its way, or comes late, and nobody says which. */
  requestLost: number;
  /** A statement fails with its connection; a commit may have been made. */
  databaseAway: number;
  ringLost: number;
  ringTwice: number;
  /** A step takes seconds. */
  slow: number;
  /** The clock of a process jumps, at one of its steps. */
  clockJump: number;
}

export interface Shape {
  readonly processes: number;
  readonly clients: number;
  readonly wallets: number;
  readonly ordersPerClient: number;
  /** As on Postgres; else as on EventStoreDB, with the projector's key index (rule 3). */
  readonly enforcesKeys: boolean;
  readonly partitions: number;
  /** Who writes the read models: the first process, each of them its share, or all of them everything. */
  readonly projecting: 'first' | 'shares' | 'all';
  readonly batchMax: number;
  readonly gatherMs: number;
  readonly pollMs: number;
  readonly limits: Partial<RunnerLimits>;
  readonly faults: Faults;
  /** Of ids that are sent again with other content. */
  readonly conflicting: number;
  /** Of cold loads that find a snapshot. */
  readonly snapshots: number;
  /** Plans are published, and orders are about subscriptions and quotas so often; 0: neither. */
  readonly plans: number;
  /** The plan that new accounts start with is one of them. */
  readonly startsWithPlan: boolean;
  /** Orders are about purchases, coupons and topping up by itself so often, and friends refer one another; 0: none. */
  readonly shop: number;
  /** Of the turns of a client, those at which all clocks leap by hours, days or weeks: windows and periods pass. */
  readonly leaping: number;
  /** Milliseconds between the orders of one client, at most. */
  readonly thinkMs: number;
}

export const calm = (): Faults => ({
  crash: 0,
  storeAway: 0,
  answerLost: 0,
  requestLost: 0,
  databaseAway: 0,
  ringLost: 0,
  ringTwice: 0,
  slow: 0,
  clockJump: 0,
});

export const PARTITIONS_MAX = 3;

export function drawShape(chance: Chance): Shape {
  /** Half of the worlds do without a given fault: what shows without it is not hidden by it. */
  const rate = (most: number): number => (chance.happens(0.5) ? 0 : chance.fraction() * most);
  const [plans, shop] = chance.pick<readonly [number, number]>([
    [0, 0],
    [1, 0],
    [2, 0],
    [0, 1],
    [1, 1],
  ]);
  const batchMax = chance.pick([3, 10, 40, 1_000]);
  return {
    processes: chance.int(1, 3),
    clients: chance.int(2, 5),
    wallets: chance.int(shop === 0 ? 1 : 2, 3),
    ordersPerClient: chance.int(4, plans + shop === 0 ? 14 : 18),
    enforcesKeys: chance.happens(0.5),
    partitions: chance.pick([1, 1, 2, PARTITIONS_MAX]),
    projecting: chance.pick(['first', 'shares', 'all']),
    batchMax,
    // Gathering is done for every batch: small ones that gather long are not done in time.
    gatherMs: chance.pick(batchMax === 3 ? [100, 1_000] : [100, 1_000, 5_000]),
    pollMs: chance.pick([1_000, 10_000]),
    limits: {
      keysRemembered: chance.pick([1, 2, 5, 256]),
      memoryBytes: chance.pick([0, 3_000, 1_000_000]),
      appendBytes: chance.pick([1_000, 4_000, 524_288]),
      unknownMs: chance.pick([100, 2_000, 10_000]),
      queue: chance.pick([6, 40, 20_000]),
      keyGap: chance.pick([6, 20_000]),
    },
    faults: {
      crash: rate(0.02),
      storeAway: rate(0.08),
      answerLost: rate(0.6),
      requestLost: rate(0.4),
      databaseAway: rate(0.02),
      ringLost: rate(0.8),
      ringTwice: rate(0.3),
      slow: rate(0.03),
      clockJump: rate(0.01),
    },
    conflicting: rate(0.1),
    snapshots: rate(0.8),
    thinkMs: chance.pick([5, 200, 2_000]),
    plans,
    startsWithPlan: chance.happens(0.3),
    shop,
    leaping: plans + shop === 0 ? chance.pick([0, 0, 0.03]) : chance.pick([0, 0.06, 0.15]),
  };
}
