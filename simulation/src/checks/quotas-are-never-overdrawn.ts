/**
 * Billing rules 1, 5, 7, 8: of a quota no more is used, held and lost than was granted, and only in its window; of a line of
 * a plan no window is granted twice, or more of it than the plan says; what is left at a window's end is gone.
 */
import type { PlanTerms, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { emptyState, refold, sumOf, type WalletState } from '../refold.ts';
import { type PlanState, type QuotaState, quotaMovesOf } from '../refold-quotas.ts';
import { broken, type Evidence } from './evidence.ts';
import { GrantedWindows } from './granted-windows.ts';

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

function isUsedInItsWindow(
  { quotas, subscription }: PlanState,
  event: StoredEvent<WalletEvent>,
  at: At,
): void {
  for (const { quota, from, to } of quotaMovesOf(event)) {
    const born = quotas.get(quota)?.born ?? broken('a quota was granted before it is used', { ...at, quota });
    const [starts, ends] = [Date.parse(born.starts_at), Date.parse(born.expires_at)];
    const isTaken = from === 'free' && (to === 'used' || to.startsWith('hold:'));
    if (isTaken && (event.recordedAt < starts || event.recordedAt >= ends))
      broken('a quota is used in its window', { ...at, quota, starts_at: born.starts_at, to });
    if (from.startsWith('hold:') && to === 'free' && event.type !== 'Expired' && event.recordedAt >= ends)
      broken('what a hold lets go of a quota is lost when its window is over', { ...at, quota });
    // No event that gives back to a quota changes the subscription: this is as it was decided.
    const isCurrent =
      born.origin.kind !== 'plan' ||
      (subscription?.id === born.origin.subscription &&
        subscription.ended_at === null &&
        starts >= Date.parse(subscription.anchor_at));
    if (from.startsWith('hold:') && to === 'expired' && event.recordedAt < ends && isCurrent)
      broken('what a hold lets go of a quota is free as long as its window lasts', { ...at, quota });
    if (from !== 'granted' && to === 'free' && !isCurrent)
      broken('to a quota of a subscription that has ended nothing comes back', { ...at, quota, from });
    if (from === 'used' && to === 'free' && event.recordedAt >= ends)
      broken('what a reversal gives back to a quota is gone when its window is over', { ...at, quota });
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
