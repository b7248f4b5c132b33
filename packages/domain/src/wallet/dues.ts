/**
 * What falls due by itself: lots expire, holds end. Carried out in the order of their instants by whatever command
 * comes next, or by the sweep, always before it: no late job can make anyone spend what had expired (rules 7, 33).
 */
import type { Catalogues } from '../catalogue/catalogues.ts';
import type { WalletEvent } from './events.ts';
import { closeHold, nextDueAt } from './evolve.ts';
import { Plan } from './plan.ts';
import { lotOf, type Wallet } from './state.ts';

/** Items in one event: keeps it well under the 64 KiB that event stores like. */
const ITEMS_MAX = 200;

interface Due {
  readonly kind: 'hold' | 'lot';
  readonly id: string;
  readonly at: number;
}

export function duesOf(
  wallet: Wallet,
  now: number,
  _catalogue: Catalogues,
): { events: WalletEvent[]; more: boolean } {
  if (now < wallet.nextDueAt) return { events: [], more: false };
  const due = listDues(wallet, now);
  if (due.length === 0) {
    // Only a cache of what the state says anyway: spares every later command the same search.
    wallet.nextDueAt = nextDueAt(wallet);
    return { events: [], more: false };
  }
  const plan = new Plan(wallet, now);
  const batch = due.slice(0, ITEMS_MAX);
  const done = batch.filter((item) => carryOut(plan, item));
  const items = done.map(({ kind, id, at }) => ({ kind, id, effective_at: new Date(at).toISOString() }));
  const event: WalletEvent = {
    type: 'Expired',
    key: null,
    data: { items, ...plan.movement() },
    facts: plan.facts(),
  };
  return { events: [event], more: due.length > ITEMS_MAX };
}

function listDues(wallet: Wallet, now: number): Due[] {
  const due: Due[] = [];
  // When the first hold ends that may let go of credits of a lot.
  const releasedAt = new Map<string, number>();
  for (const { id, expiresAt, pins } of wallet.holds.values()) {
    if (expiresAt > now) continue;
    due.push({ kind: 'hold', id, at: expiresAt });
    for (const { lot } of pins) releasedAt.set(lot, Math.min(expiresAt, releasedAt.get(lot) ?? expiresAt));
  }
  for (const { id, expiresAt, free } of wallet.lots) {
    if (expiresAt === null || expiresAt > now) continue;
    // A lot that is all in holds comes free by a hold that ends before it.
    if (free > 0n || (releasedAt.get(id) ?? expiresAt) < expiresAt)
      due.push({ kind: 'lot', id, at: expiresAt });
  }
  // A hold before a lot of the same instant: what it lets go of expires with the lot.
  return due.sort(
    (a, b) => a.at - b.at || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : a.id < b.id ? -1 : 1),
  );
}

/** As of the instant at which it fell due: however late it is done, the outcome is the same. False: nothing to do. */
function carryOut(plan: Plan, { kind, id, at }: Due): boolean {
  if (kind === 'hold') {
    plan.release(id, at);
    closeHold(plan.wallet, id);
    return true;
  }
  const lot = lotOf(plan.wallet, id);
  if (lot.free === 0n) return false;
  plan.move('free', 'expired', lot.free, lot, lot.paid);
  return true;
}
