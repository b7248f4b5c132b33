/**
 * Billing rules 1, 5, 7, 8: of a quota no more is used, held and lost than was granted, and only in its window; of a line of
 * a plan no window is granted twice, or more of it than the plan says; what is left at a window's end is gone.
 */
import type { PlanTerms, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { emptyState, refold, sumOf, type WalletState } from '../refold.ts';
import { type PlanState, type QuotaState, quotaMovesOf, quotasGrantedBy } from '../refold-quotas.ts';
import { broken, type Evidence } from './evidence.ts';

const HOUR_MS = 3_600_000;

export function quotasAreNeverOverdrawn({ wallets, world }: Evidence): void {
  for (const { stream, events } of wallets) {
    const state = emptyState();
    const granted = new GrantedWindows();
    let terms: PlanTerms | null = null;
    for (const event of events) {
      const at = { stream, revision: event.revision };
      refold(state, event);
      terms = (event.data as { terms?: PlanTerms }).terms ?? terms;
      for (const quota of state.plan.quotas.values()) isWhole(quota, at);
      isUsedInItsWindow(state.plan, event, at);
      isTakenAsTold(event, at);
      isHeldByOpenHolds(state, at);
      granted.add(event, terms, state.plan, at);
    }
    for (const quota of state.plan.quotas.values()) isGoneInTime(quota, world.clock(), { stream });
  }
}

type At = { readonly stream: string; readonly revision?: number };

function isWhole(quota: QuotaState, at: At): void {
  const { born, free, pinned, used, expired, paid, pins } = quota;
  const granted = BigInt(born.quantity);
  const about = { ...at, quota: born.quota, granted, free, pinned, used, expired };
  if ([free, pinned, used, expired, paid].some((amount) => amount < 0n))
    broken('no more is taken of a quota than it has', about);
  if (quota.granted !== granted || free + pinned + used + expired !== granted)
    broken('a quota is what was granted (L14)', about);
  if (sumOf([...pins.values()].map(({ quantity }) => quantity)) !== pinned)
    broken('what is pinned of a quota is what holds have of it', about);
  if (
    [...pins.values()].some(
      (pin) => pin.quantity < 0n || pin.paid < 0n || (pin.quantity === 0n && pin.paid > 0n),
    )
  )
    broken('a hold has of a quota what it took of it', about);
  if (free === 0n && paid !== 0n) broken('no money stays behind in a quota that is used up', about);
}

function isUsedInItsWindow({ quotas }: PlanState, event: StoredEvent<WalletEvent>, at: At): void {
  for (const { quota, from, to } of quotaMovesOf(event)) {
    const born = quotas.get(quota)?.born ?? broken('a quota was granted before it is used', { ...at, quota });
    const [starts, ends] = [Date.parse(born.starts_at), Date.parse(born.expires_at)];
    const isTaken = from === 'free' && (to === 'used' || to.startsWith('hold:'));
    if (isTaken && (event.recordedAt < starts || event.recordedAt >= ends))
      broken('a quota is used in its window', { ...at, quota, starts_at: born.starts_at, to });
    if (from.startsWith('hold:') && to === 'free' && event.type !== 'Expired' && event.recordedAt >= ends)
      broken('what a hold lets go of a quota is lost when its window is over', { ...at, quota });
    if (from.startsWith('hold:') && to === 'expired' && event.recordedAt < ends)
      broken('what a hold lets go of a quota is free as long as its window lasts', { ...at, quota });
    const isSettled = from.startsWith('hold:') && to === 'used';
    if (isSettled && event.recordedAt >= ends + HOUR_MS)
      broken('a hold keeps what it has of a quota for an hour', {
        ...at,
        quota,
        expires_at: born.expires_at,
      });
  }
}

/** What an event says that quotas have covered is what it takes of them. */
function isTakenAsTold(event: StoredEvent<WalletEvent>, at: At): void {
  const isCharge = event.type === 'UsageCharged';
  if (!isCharge && event.type !== 'HoldPlaced') return;
  const told = new Map<string, bigint>();
  const add = (quota: string, quantity: bigint): void => {
    told.set(quota, (told.get(quota) ?? 0n) + quantity);
  };
  for (const { quota, quantity } of event.data.covered ?? [])
    if (quota !== undefined) add(quota, BigInt(quantity));
  for (const { quota, to, quantity } of quotaMovesOf(event))
    if (isCharge ? to === 'used' : to.startsWith('hold:')) add(quota, -BigInt(quantity));
  for (const [quota, difference] of told)
    if (difference !== 0n)
      broken('what a quota has covered is taken of it', {
        ...at,
        quota,
        difference,
        covered: event.data.covered,
      });
}

function isHeldByOpenHolds({ plan, holds }: WalletState, at: At): void {
  for (const { born, pins } of plan.quotas.values())
    for (const hold of pins.keys())
      if (holds.get(hold)?.status !== 'open')
        broken('what is pinned of a quota is pinned by an open hold', { ...at, quota: born.quota, hold });
}

function isGoneInTime({ born, free, pinned }: QuotaState, now: number, at: At): void {
  const ends = Date.parse(born.expires_at);
  if (ends <= now && free > 0n) broken('what is free of a quota is gone at its end', { ...at, born, free });
  if (ends + HOUR_MS <= now && pinned > 0n)
    broken('what is pinned of a quota is gone an hour later', { ...at, born, pinned });
}

interface Window {
  readonly start: number;
  readonly end: number;
  readonly quotas: string[];
}

/** To be used, or used. */
function leftOf(quota: QuotaState | undefined): bigint {
  return quota === undefined ? 0n : quota.free + quota.pinned + quota.used;
}

/** By subscription and line. What comes on top in mid-window (`extra`) is bought, see the periods. */
class GrantedWindows {
  readonly #windows = new Map<string, Window[]>();

  add(event: StoredEvent<WalletEvent>, terms: PlanTerms | null, plan: PlanState, at: At): void {
    for (const { quota, unit, model, quantity, starts_at, expires_at, origin } of quotasGrantedBy(event)) {
      if (origin.kind !== 'plan' || origin.extra === true) continue;
      const line = terms?.included[origin.line];
      const about = {
        ...at,
        subscription: origin.subscription,
        unit,
        model,
        starts_at,
        expires_at,
        quantity,
      };
      if (line?.unit !== unit || line.model !== model || line.per !== origin.per)
        throw broken('a quota is of a line of the plan', about);
      const [start, end] = [Date.parse(starts_at), Date.parse(expires_at)];
      const name = `${origin.subscription} ${unit} ${model} ${origin.per}`;
      const windows = this.#windows.get(name) ?? [];
      this.#windows.set(name, windows);
      const other = windows.find((window) => window.start < end && start < window.end);
      const window = other ?? { start, end, quotas: [] };
      if (other === undefined) windows.push(window);
      if (window.start !== start || window.end !== end)
        broken('windows of a line do not overlap', { ...about, other });
      window.quotas.push(quota);
      // What was lost when a subscription lapsed is granted anew when it is revived.
      const granted = sumOf(window.quotas.map((id) => leftOf(plan.quotas.get(id))));
      if (line.amount !== 'unlimited' && granted > BigInt(line.amount))
        broken('a window is granted once, as the plan says', { ...about, granted, line });
    }
  }
}
