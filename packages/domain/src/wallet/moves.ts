/**
 * How moves change a wallet. Deciding and folding both go through it, so they cannot disagree; what the moves
 * mean for the totals is in `places.ts`.
 */
import { formatCredits, type Money, parseAmount, parseCredits } from '../amount.ts';
import type { Movement, MovementFacts, NewLot, Place } from './events.ts';
import { type Passage, tally } from './places.ts';
import type { NewQuota, QuotaMoney, QuotaMovement } from './quota/events.ts';
import { applyToPins, applyToQuota, type QuotaFlow, quotaFromEvent, quotaOf } from './quota/state.ts';
import {
  birthOf,
  burnsBefore,
  type Hold,
  type Lot,
  lotFromEvent,
  lotOf,
  type Pin,
  type Wallet,
} from './state.ts';

/** A move before it is written down. `paid` is the money behind the credits, in the lot's currency. */
export interface Flow extends Passage {
  readonly paid: bigint;
}

export function applyFlow(wallet: Wallet, flow: Flow): void {
  const { from, to, credits, paid } = flow;
  const lot = flow.lot === undefined ? undefined : lotOf(wallet, flow.lot);
  tally(wallet.totals, flow);
  if (from === 'free') {
    present(lot, from).free -= credits;
    present(lot, from).paid -= paid;
  } else if (from.startsWith('hold:')) {
    unpin(wallet, afterColon(from), lot, credits, paid);
  }
  if (to === 'free') {
    present(lot, to).free += credits;
    present(lot, to).paid += paid;
    fallsDueAt(wallet, lot?.expiresAt ?? null);
  } else if (to.startsWith('cover:')) {
    const hold = ownHold(wallet, afterColon(to));
    hold.uncovered -= credits;
    hold.credits -= credits;
    pin(hold, present(lot, to), credits, paid);
  } else if (to.startsWith('hold:')) {
    const hold = ownHold(wallet, afterColon(to));
    if (lot !== undefined) pin(hold, lot, credits, paid);
    else {
      hold.uncovered += credits;
      hold.credits += credits;
    }
  }
}

function pin(hold: Hold, lot: Lot, credits: bigint, paid: bigint): void {
  hold.credits += credits;
  lot.pinned += credits;
  const at = hold.pins.findIndex((candidate) => candidate.lot === lot.id);
  const found = hold.pins[at];
  if (found === undefined) hold.pins.push({ lot: lot.id, credits, paid });
  else hold.pins[at] = { lot: lot.id, credits: found.credits + credits, paid: found.paid + paid };
}

function unpin(wallet: Wallet, id: string, lot: Lot | undefined, credits: bigint, paid: bigint): void {
  const hold = ownHold(wallet, id);
  hold.credits -= credits;
  if (lot === undefined) {
    hold.uncovered -= credits;
    return;
  }
  lot.pinned -= credits;
  const at = hold.pins.findIndex((candidate) => candidate.lot === lot.id);
  const found = hold.pins[at];
  if (found === undefined) throw new Error(`hold ${id} of ${wallet.account} has nothing of ${lot.id}`);
  const left: Pin = { lot: lot.id, credits: found.credits - credits, paid: found.paid - paid };
  if (left.credits === 0n) hold.pins.splice(at, 1);
  else hold.pins[at] = left;
}

/** The hold as this fork's own copy. */
function ownHold(wallet: Wallet, id: string): Hold {
  const hold = wallet.holds.get(id);
  if (hold === undefined) throw new Error(`${wallet.account} has no open hold ${id}`);
  const own: Hold = { ...hold, pins: [...hold.pins] };
  ownHolds(wallet).set(id, own);
  return own;
}

const owned = new WeakMap<Wallet, Map<string, Hold>>();
/** The holds as this fork's own map, copied at its first change. */
export function ownHolds(wallet: Wallet): Map<string, Hold> {
  const own = owned.get(wallet);
  if (own !== undefined) return own;
  const copy = new Map(wallet.holds);
  wallet.holds = copy;
  owned.set(wallet, copy);
  return copy;
}

/** From here on the holds are someone else's too: the next change copies them first. */
export function shareHolds(wallet: Wallet): void {
  owned.delete(wallet);
}

export function addQuota(wallet: Wallet, event: NewQuota, paid: Money | undefined): void {
  const quota = quotaFromEvent(event, birthOf(event.quota) ?? wallet.revision, paid);
  wallet.quotas = [...wallet.quotas, quota];
  fallsDueAt(wallet, quota.expiresAt);
}

export function applyQuotaFlow(wallet: Wallet, flow: QuotaFlow): void {
  const quota = quotaOf(wallet.quotas, flow.quota);
  applyToQuota(quota, flow);
  for (const [place, sign] of [
    [flow.from, -1n],
    [flow.to, 1n],
  ] as const) {
    if (!place.startsWith('hold:')) continue;
    const hold = ownHold(wallet, afterColon(place));
    hold.quotaPins = applyToPins(hold.quotaPins, flow.quota, sign * flow.quantity, sign * flow.paid);
  }
  if (flow.to === 'free') fallsDueAt(wallet, quota.expiresAt);
}

function afterColon(place: string): string {
  return place.slice(place.indexOf(':') + 1);
}

function present(lot: Lot | undefined, place: Place): Lot {
  if (lot === undefined) throw new Error(`${place} wants a lot`);
  return lot;
}

/** Takes a lot into the wallet, in its place of the burn order. */
export function addLot(
  wallet: Wallet,
  event: NewLot,
  paid: { amount: string; currency: string } | undefined,
): void {
  const lot = lotFromEvent(event, birthOf(event.lot) ?? wallet.revision, paid);
  const at = wallet.lots.findIndex((other) => burnsBefore(lot, other) < 0);
  if (at === -1) wallet.lots.push(lot);
  else wallet.lots.splice(at, 0, lot);
  fallsDueAt(wallet, lot.expiresAt);
}

/** A lot with free credits is due when it expires, also one whose credits were all in holds a moment ago. */
function fallsDueAt(wallet: Wallet, at: number | null): void {
  if (at !== null && at < wallet.nextDueAt) wallet.nextDueAt = at;
}

/** Folds the value part of an event. */
export function applyMovement(wallet: Wallet, movement: Movement, facts: MovementFacts): void {
  for (const lot of movement.lots ?? []) addLot(wallet, lot, facts.lots?.[lot.lot]);
  movement.moves.forEach((move, index) => {
    const lot = move.lot === undefined ? undefined : lotOf(wallet, move.lot);
    const paid = facts.paid[index] ?? '0';
    applyFlow(wallet, {
      ...(lot === undefined ? {} : { lot: lot.id }),
      from: move.from,
      to: move.to,
      credits: parseCredits(move.credits),
      paid: paid === '0' || lot?.currency == null ? 0n : parseAmount(paid, lot.currency),
    });
  });
  if (movement.quotas !== undefined) applyQuotas(wallet, movement.quotas, facts.quotas);
  for (const lot of wallet.lots) {
    if (lot.free === 0n && lot.pinned === 0n) {
      wallet.lots = wallet.lots.filter(({ free, pinned }) => free !== 0n || pinned !== 0n);
      return;
    }
  }
}

function applyQuotas(
  wallet: Wallet,
  { granted = [], moves }: QuotaMovement,
  money: QuotaMoney | undefined,
): void {
  for (const quota of granted) addQuota(wallet, quota, money?.granted?.[quota.quota]);
  moves.forEach(({ quota, from, to, quantity }, index) => {
    const { unit, currency } = quotaOf(wallet.quotas, quota);
    const paid = currency === null ? 0n : parseAmount(money?.paid[index] ?? '0', currency);
    applyQuotaFlow(wallet, { quota, from, to, quantity: parseAmount(quantity, unit), paid });
  });
}

export function balanceAfter(wallet: Wallet): { available: string; held: string } {
  return { available: formatCredits(wallet.totals.available), held: formatCredits(wallet.totals.held) };
}
