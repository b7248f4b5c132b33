/**
 * Invariants of a wallet under any history. `when` runs every checker of testing/invariants.ts after every command
 * that was recorded; what is said here is what takes more than one look at one state.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { test } from 'tap';
import { given, noPast, type Outcome, type Past, when } from '../testing/given.ts';
import { histories, labelsOf, type Step, take } from '../testing/histories.ts';
import { comparable } from '../testing/invariants.ts';
import * as order from '../testing/orders.ts';
import type { WalletCommand } from './commands.ts';
import { walletDecider } from './decide.ts';

/** Runs a property over histories; a failure shows the shrunk history, fast-check's seed and path. */
function holds(
  length: number,
  runs: number,
  eachStep: (past: Past, command: WalletCommand, run: () => Outcome) => void,
): void {
  fc.assert(
    fc.property(histories(length), (steps) => {
      fc.pre(steps.length > 0);
      const past = given();
      try {
        for (const step of steps) {
          if (step.type !== 'order') take(past, step);
          else {
            const command = step.make(past);
            eachStep(past, command, () => when(past, command));
          }
        }
      } catch (error) {
        throw new Error(`${labelsOf(steps).join('\n')}\n${(error as Error).stack}`);
      }
    }),
    { numRuns: runs },
  );
}

const same = (a: unknown, b: unknown, what: string): void => {
  if (!isDeepStrictEqual(a, b)) throw new Error(`${what}: ${show(a)} is not ${show(b)}`);
};
const show = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part));

/** A second past that shares nothing but the events. */
const copyOf = (past: Past): Past => ({
  ...past,
  wallet: walletDecider.thaw(past.account, walletDecider.freeze(past.wallet)),
  events: [...past.events],
});

test('every invariant holds after every command of any history', async () => {
  holds(60, 200, (_past, _command, run) => run());
});

test('what is due is done before a command is decided, so nothing that has expired can be spent', async () => {
  holds(50, 60, (past, _command, run) => {
    if (run().status !== 'recorded') return;
    const { lots, holds: open } = past.wallet;
    const left = lots.filter(({ free, expiresAt }) => free > 0n && (expiresAt ?? Infinity) <= past.now);
    const overdue = [...open.values()].filter(({ expiresAt }) => expiresAt <= past.now);
    if (left.length + overdue.length > 0) throw new Error(`left: ${show([left, overdue])}`);
  });
});

test('neither a charge nor a hold takes a wallet below its overdraft limit', async () => {
  holds(50, 60, (past, command, run) => {
    const before = past.wallet.totals.available;
    const outcome = run();
    const bounded =
      (command.type === 'ChargeUsage' && command.mode === 'charge' && command.hold === null) ||
      command.type === 'PlaceHold' ||
      command.type === 'ExtendHold';
    if (!bounded || outcome.status !== 'recorded' || outcome.dues.length > 0) return;
    const { available } = past.wallet.totals;
    if (available < before && available < -past.wallet.overdraftLimit) throw new Error(`at ${available}`);
  });
});

test('a "no" changes nothing; the same command again is the same fact, and makes no event', async () => {
  holds(40, 60, (past, command, run) => {
    const before = comparable(past.wallet);
    const outcome = run();
    if (outcome.status !== 'recorded') {
      same(comparable(past.wallet), before, 'the state after a "no"');
      return;
    }
    const events = past.events.length;
    const again = when(past, command);
    if (command.key === null) same(again.status, 'unchanged', 'a command without a key, at the same instant');
    else if (again.status !== 'replayed') throw new Error(`again: ${show(again)}`);
    else same(again.event, outcome.events[0], 'the answer to the same command');
    same(past.events.length, events, 'events after the same command again');
  });
});

test('a fork and its original never see each other', async () => {
  holds(40, 60, (past, _command, run) => {
    const before = comparable(past.wallet);
    const fork = walletDecider.fork(past.wallet);
    const outcome = run();
    same(comparable(fork), before, 'the fork, after its original went on');
    if (outcome.status !== 'recorded') return;
    const after = comparable(past.wallet);
    for (const event of [...outcome.dues, ...outcome.events])
      walletDecider.evolve(fork, event, event.revision);
    same(comparable(past.wallet), after, 'the original, after its fork went on');
    same(comparable(fork), after, 'both, after the same events');
  });
});

test('a snapshot decides as its wallet does: burn order, moves and money are a matter of the state alone', async () => {
  holds(40, 60, (past, command, run) => {
    const copy = copyOf(past);
    same(when(copy, command), run(), `${command.type} on a snapshot`);
  });
});

test('it makes no difference how late dues are carried out', async () => {
  fc.assert(
    fc.property(histories(40), fc.integer({ min: 1, max: 14 }), (steps: Step[], days) => {
      const late = given();
      for (const step of steps) take(late, step);
      const punctual = copyOf(late);
      const end = late.now + days * 24 * 60 * 60 * 1000;
      for (;;) {
        const next = walletDecider.thaw('acme', walletDecider.freeze(punctual.wallet)).nextDueAt;
        if (next > end) break;
        // Later than it was may only be what lies before the end of the history itself.
        punctual.now = Math.max(next, punctual.now);
        when(punctual, order.carryOutDues);
      }
      late.now = end;
      when(late, order.carryOutDues);
      const sight = ({ wallet: { revision: _, ...wallet } }: Past) => comparable({ ...wallet, revision: 0 });
      if (!isDeepStrictEqual(sight(late), sight(punctual))) {
        throw new Error(`${labelsOf(steps).join('\n')}\n${show(sight(late))}\n${show(sight(punctual))}`);
      }
    }),
    { numRuns: 80 },
  );
});

test('a wallet that was never opened refuses everything but to be opened', async (t) => {
  fc.assert(
    fc.property(histories(1), ([step]) => {
      const past = noPast();
      const taken = step === undefined ? null : take(past, step);
      if (taken === null) return;
      const outcome = taken.outcome;
      if (outcome.status !== 'refused' || outcome.refusal.code !== 'account_not_found') {
        throw new Error(show(taken));
      }
    }),
    { numRuns: 100 },
  );
  t.equal(when(noPast(), order.open()).status, 'recorded');
});
