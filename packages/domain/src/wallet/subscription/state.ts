/** The subscription in a wallet's state: the picture of its last event, the plan's terms, and the caps' counters. */

import type { Money } from '../../amount.ts';
import type { Cap, PlanTerms } from '../../plans/terms.ts';
import type { Rhythm } from './calendar.ts';
import type { Pots, Subscription } from './events.ts';

export interface SubscriptionState {
  readonly now: Subscription;
  readonly terms: PlanTerms;
  readonly pots: Pots | null;
  /** Of each of `now.paid_from`. */
  readonly paidMoney: readonly Money[];
  /** By index of the terms' `caps`. */
  readonly caps: readonly CapCounter[];
  /** Of this period: a call may have had what no quota of the terms of then measures. */
  readonly unmeasured: boolean;
  /** Of caps that the terms do not have, while their windows last: who comes back to one finds it as it was. */
  readonly otherCaps: readonly OtherCap[];
}

export interface OtherCap extends Pick<Cap, 'unit' | 'model' | 'per'>, CapCounter {}

export interface CapCounter {
  /** Of the window that `used` counts. Both 0 before the first. */
  readonly start: number;
  readonly end: number;
  readonly used: bigint;
  /** Of open holds, whatever window they were placed in. */
  readonly held: bigint;
}

/** It gives rights and obligations: not one that has ended. */
export function isInForce(subscription: SubscriptionState | null): subscription is SubscriptionState {
  return subscription !== null && subscription.now.ended_at === null;
}

/** Whether its quotas are granted now: not while a period is unpaid, unless the plan's grace says so. */
export function grantsQuota({ now }: SubscriptionState): boolean {
  if (now.ended_at !== null) return false;
  return now.status !== 'past_due' || (now.grace_quota ?? 'none') !== 'none';
}

/** Its name, where its period is paid for, tried, or costs nothing: a grace is not paid for, whatever it gives. */
export function paidIn({ now }: SubscriptionState): string | null {
  return now.ended_at === null && now.status !== 'past_due' ? now.id : null;
}

/** When it falls due by itself: the end of trial, period or grace. */
export function boundaryOf({ now }: SubscriptionState): number {
  if (now.ended_at !== null) return Number.MAX_SAFE_INTEGER;
  const end = Date.parse(now.period_end);
  return now.grace_ends_at === null ? end : Math.min(end, Date.parse(now.grace_ends_at));
}

/** When the next quota of one of its lines is due. */
export function nextGrantOf(state: SubscriptionState): number {
  let next = Number.MAX_SAFE_INTEGER;
  if (!grantsQuota(state)) return next;
  for (const at of state.now.next_grants) if (at !== null) next = Math.min(next, Date.parse(at));
  return next;
}

/** When something of it is due next. */
export function nextSubscriptionDue({
  subscription,
}: {
  readonly subscription: SubscriptionState | null;
}): number {
  if (!isInForce(subscription)) return Number.MAX_SAFE_INTEGER;
  return Math.min(boundaryOf(subscription), nextGrantOf(subscription));
}

/** Of its periods and windows. */
export function rhythmOf({ time_zone: zone, anchor, anchor_at }: Subscription): Rhythm {
  return { zone, anchor, anchorAt: Date.parse(anchor_at) };
}
