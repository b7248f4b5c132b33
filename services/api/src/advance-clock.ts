/**
 * Moves the clock of a test store from one instant at which something falls due to the next, and lets it happen before
 * the clock goes on (billing rule 14): every process and every later step sees the instants in order. Each step may be
 * repeated, by any process: a broken advance is continued, and two that go to the same instant do no harm.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { TestClock } from '@tallystick/connect';
import {
  type CouponState,
  couponDecider,
  couponOrders,
  TEST_CLOCK_ID,
  type TestClockCommand,
  testClockDecider,
  type WalletCommand,
  walletDecider,
} from '@tallystick/domain';
import { earliestDue, listDueAccounts } from '@tallystick/projections';
import type { Api } from './api.ts';
import { problemOfOutcome } from './orders.ts';
import { Refused, refuse } from './problems.ts';

/** Work that falls due by itself, of one kind. */
export interface DueWork {
  /** The earliest instant, up to `until`, at which there is some; null where there is none. */
  earliest(until: number): Promise<number | null>;
  /** Resolves when all that is due by `at` has been done, and `earliest` knows of it. */
  carryOut(at: number): Promise<void>;
}

export interface Advance {
  /** Milliseconds since 1970, of the moved clock. */
  readonly to: number;
  readonly clock: TestClock;
  readonly due: readonly DueWork[];
  readonly isStopped: () => boolean;
}

/** A step takes as long as its accounts need; of waiting for others it bears so much. */
const PROJECTION_MS = 30_000;
/** More than until a process that was killed is not waited for any longer. */
const ACKNOWLEDGED_MS = 20_000;
/** Callers do not wait for ever, and a proxy between less: asked again, it goes on from where it stands. */
const CALL_MS = 240_000;
const DEADLINE_MS = 10_000;
const AT_ONCE = 200;
const IDLE_ROUNDS_MAX = 3;
const CAUSE = { actor: 'test-clock', request: '' };
const DUES: WalletCommand = { type: 'CarryOutDues', key: null, fingerprint: null };

/** Resolves when the clock shows `to`, and everything that was due by then has happened. */
export async function advanceTo(api: Api, advance: Advance): Promise<void> {
  const { to, clock, due, isStopped } = advance;
  const until = performance.now() + CALL_MS;
  for (;;) {
    if (isStopped()) refuse('shutting_down');
    if (performance.now() > until) refuse('advance_unfinished', { to: new Date(to).toISOString() });
    const next = await earliestOf(due, to);
    // What is due at the end was looked for after the clock got there: a charge meanwhile may have made more.
    if (next === null && clock.now() >= to) break;
    await moveTo(api, clock, next ?? to);
    if (next !== null) for (const work of due) await work.carryOut(next);
  }
  await tell(api, { type: 'EndAdvance', to, key: null, fingerprint: null });
  await clock.fresh();
}

async function earliestOf(due: readonly DueWork[], until: number): Promise<number | null> {
  let earliest: number | null = null;
  for (const work of due) {
    const at = await work.earliest(earliest ?? until);
    if (at !== null) earliest = at;
  }
  return earliest;
}

/** Resolves when every process goes by it. A clock that shows a later time already is left alone. */
async function moveTo(api: Api, clock: TestClock, at: number): Promise<void> {
  if (clock.now() < at) {
    await tell(api, { type: 'MoveTestClock', to: at, realNow: api.realNow(), key: null, fingerprint: null });
    await clock.fresh();
    // Another process has moved it, by a clock of its own that is a little ahead.
    while (clock.now() < at && clock.state.underWay === null) await pause(50);
  }
  if (!(await clock.acknowledged(clock.state.offsetMs, ACKNOWLEDGED_MS)))
    refuse('test_clock_not_acknowledged');
}

/** Ends the request where it was neither recorded nor found done. */
async function tell(api: Api, command: TestClockCommand): Promise<void> {
  const executed = await api.runner.execute(
    testClockDecider,
    [{ id: TEST_CLOCK_ID, command, cause: CAUSE }],
    api.realNow() + DEADLINE_MS,
  );
  if (executed === 'queue_full') return refuse('queue_full');
  for (const outcome of executed) {
    const problem = problemOfOutcome(outcome);
    if (problem !== null) throw new Refused(problem);
  }
}

/** What falls due in accounts: lots and holds end. */
export function walletDues(api: Api): DueWork {
  const { queries } = api.reads;
  return {
    earliest: (until) => earliestDue(queries, until),
    async carryOut(at) {
      for (let idle = 0, before = ''; ; ) {
        const accounts = await listDueAccounts(queries, at, AT_ONCE);
        if (accounts.length === 0) return;
        const reached = await carryOutOf(api, accounts);
        idle = reached === before ? idle + 1 : 0;
        before = reached;
        // Nothing is due in them, says the ledger; and the read models, which know all of it, say otherwise.
        if (idle >= IDLE_ROUNDS_MAX)
          throw new Error(
            `nothing is due in ${accounts.slice(0, 5).join(', ')}, but the read models list it`,
          );
      }
    },
  };
}

/** What falls due in coupons: uses that were reserved and not paid for are let go. */
export function couponDues(api: Api): DueWork {
  const { catalogue } = api;
  return {
    async earliest(until) {
      await catalogue.fresh();
      const earliest = Math.min(...[...catalogue.coupons.values()].map(nextTimeOut));
      return earliest <= until ? earliest : null;
    },
    async carryOut(at) {
      await catalogue.fresh();
      const due = [...catalogue.coupons.values()].filter((coupon) => nextTimeOut(coupon) <= at);
      const orders = due.map(({ code }) => ({
        id: code,
        command: couponOrders.carryOutDues(),
        cause: CAUSE,
      }));
      for (let n = 0; n < orders.length; n += AT_ONCE) {
        const some = orders.slice(n, n + AT_ONCE);
        const executed = await api.runner.execute(couponDecider, some, api.realNow() + DEADLINE_MS);
        if (executed === 'queue_full') return refuse('queue_full');
        for (const outcome of executed) {
          const problem = problemOfOutcome(outcome);
          if (problem !== null) throw new Refused(problem);
        }
      }
    },
  };
}

function nextTimeOut({ open }: Readonly<CouponState>): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { expiresAt } of open.values()) next = Math.min(next, expiresAt);
  return next;
}

/** Resolves when the read models have it, whoever did it; with the revisions that the accounts have come to. */
async function carryOutOf(api: Api, accounts: readonly string[]): Promise<string> {
  const orders = accounts.map((id) => ({ id, command: DUES, cause: CAUSE }));
  const executed = await api.runner.execute(walletDecider, orders, api.realNow() + DEADLINE_MS);
  if (executed === 'queue_full') return refuse('queue_full');
  const seen = executed.map((outcome, index) => {
    const problem = problemOfOutcome(outcome);
    if (problem !== null) throw new Refused(problem);
    // An order that only wants what is due to be done has no event of its own.
    return {
      account: accounts[index] ?? '',
      revision: outcome.status === 'unchanged' ? outcome.revision : -1,
    };
  });
  const reached = await Promise.all(seen.map((wanted) => api.reads.waitFor(wanted, PROJECTION_MS)));
  if (reached.includes(false)) refuse('projection_behind');
  return JSON.stringify(seen);
}

/** Resolves when the read models have everything up to there: what is due is looked up in them. */
export async function projected(api: Api, position: bigint): Promise<void> {
  if (!(await api.reads.waitFor({ position }, PROJECTION_MS))) refuse('projection_behind');
}
