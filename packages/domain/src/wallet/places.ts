/**
 * What it means for a wallet's totals that credits leave one place and enter another (docs/decisions/0001). Written
 * once: the wallet's own fold and the projection of balances both go through it.
 */
import type { Place } from './events.ts';

export interface Totals {
  available: bigint;
  held: bigint;
  granted: bigint;
  adjusted: bigint;
  consumed: bigint;
  expired: bigint;
  withdrawn: bigint;
  /** Consumed beyond all credits; counted in `available` with a minus. */
  debt: bigint;
}

export function noTotals(): Totals {
  return {
    available: 0n,
    held: 0n,
    granted: 0n,
    adjusted: 0n,
    consumed: 0n,
    expired: 0n,
    withdrawn: 0n,
    debt: 0n,
  };
}

/** A move as far as totals care. */
export interface Passage {
  readonly lot?: string | undefined;
  readonly from: Place;
  readonly to: Place;
  readonly credits: bigint;
}

export function tally(totals: Totals, move: Passage): void {
  leave(totals, move);
  enter(totals, move);
}

function leave(totals: Totals, { lot, from, to, credits }: Passage): void {
  switch (from) {
    case 'granted':
      totals.granted += credits;
      return;
    case 'adjusted':
      totals.adjusted += credits;
      return;
    case 'spent':
      totals.consumed -= credits;
      return;
    case 'free':
      totals.available -= credits;
      return;
    case 'overdraft':
      totals.available -= credits;
      if (!to.startsWith('hold:')) totals.debt += credits;
      return;
    default:
      if (!from.startsWith('hold:')) throw new Error(`credits cannot leave ${from}`);
      totals.held -= credits;
      // The uncovered part of a hold that is consumed has nothing behind it: it becomes debt.
      if (lot === undefined && to === 'spent') totals.debt += credits;
  }
}

function enter(totals: Totals, { from, to, credits }: Passage): void {
  switch (to) {
    case 'granted':
      totals.granted -= credits;
      return;
    case 'adjusted':
      totals.adjusted -= credits;
      return;
    case 'spent':
      totals.consumed += credits;
      return;
    case 'expired':
      totals.expired += credits;
      return;
    case 'free':
      totals.available += credits;
      return;
    case 'debt':
      totals.debt -= credits;
      totals.available += credits;
      return;
    case 'overdraft':
      // Out of a hold its uncovered part ends; out of `spent` or `adjusted` debt ends.
      if (!from.startsWith('hold:')) totals.debt -= credits;
      totals.available += credits;
      return;
    default:
      if (to.startsWith('hold:')) totals.held += credits;
      else if (to.startsWith('cover:')) totals.available += credits;
      else throw new Error(`credits cannot enter ${to}`);
  }
}
