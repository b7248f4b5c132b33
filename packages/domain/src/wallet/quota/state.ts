/**
 * Quotas in a wallet's state, and what their moves do to it. Deciding and folding both go through `applyQuotaFlow`.
 *
 *   granted = free + pinned + used + expired, for every quota                              (L14)
 */
import { type Money, parseAmount } from '../../amount.ts';
import type { QuotaUnit } from '../../plans/terms.ts';
import type { Dimension } from '../../usage.ts';
import { isOfLine } from '../subscription/lines.ts';
import type { SubscriptionState } from '../subscription/state.ts';
import type { NewQuota, QuotaOrigin, QuotaPlace } from './events.ts';

export interface Quota {
  readonly id: string;
  readonly unit: QuotaUnit;
  readonly model: string;
  readonly counted: readonly Dimension[] | null;
  /** Milliseconds since 1970; covers what is decided from the one up to, not including, the other. */
  readonly startsAt: number;
  readonly expiresAt: number;
  readonly origin: QuotaOrigin;
  readonly born: number;
  /** Granted in all. */
  readonly quantity: bigint;
  readonly currency: string | null;
  free: bigint;
  /** The money behind what is free. */
  paid: bigint;
  /** In open holds. */
  pinned: bigint;
  used: bigint;
}

/** A hold keeps what it has of a quota for so long after the window's end (billing rule 8). */
export const PINNED_AFTER_MS = 60 * 60 * 1_000;

/** When something of it is lost: its window ends, or what holds have kept of it beyond that. */
export function quotaDueAt({ free, pinned, expiresAt }: Quota): number {
  if (free > 0n) return expiresAt;
  return pinned > 0n ? expiresAt + PINNED_AFTER_MS : Number.MAX_SAFE_INTEGER;
}

/** What comes back to it may be used again: its window lasts, and the subscription that granted it too. */
export function isOpen(
  quota: Quota,
  subscription: Pick<SubscriptionState, 'now' | 'terms'> | null,
  at: number,
): boolean {
  const { startsAt, expiresAt, origin } = quota;
  if (expiresAt <= at) return false;
  if (origin.kind !== 'plan') return true;
  if (subscription === null || subscription.now.ended_at !== null) return false;
  const { now, terms } = subscription;
  // What was granted in another rhythm (a trial's), or for a line that there is no more, has ended with it.
  if (startsAt < Date.parse(now.anchor_at)) return false;
  // What a change of plan has added is of its own period.
  if (origin.extra === true && startsAt < Date.parse(now.period_start)) return false;
  return terms.included.some((line) => isOfLine(quota, now.id, line, true));
}

/** Part of a quota that a hold has reserved, with the money behind it. */
export interface QuotaPin {
  readonly quota: string;
  readonly quantity: bigint;
  readonly paid: bigint;
}

export interface QuotaFlow {
  readonly quota: string;
  readonly from: QuotaPlace;
  readonly to: QuotaPlace;
  readonly quantity: bigint;
  readonly paid: bigint;
}

export function quotaFromEvent(event: NewQuota, born: number, paid: Money | undefined): Quota {
  return {
    id: event.quota,
    unit: event.unit,
    model: event.model,
    counted: event.counted_dimensions ?? null,
    startsAt: Date.parse(event.starts_at),
    expiresAt: Date.parse(event.expires_at),
    origin: event.origin,
    born,
    quantity: parseAmount(event.quantity, event.unit),
    currency: paid?.currency ?? null,
    free: 0n,
    paid: 0n,
    pinned: 0n,
    used: 0n,
  };
}

export function quotaOf(quotas: readonly Quota[], id: string): Quota {
  const quota = quotas.find((candidate) => candidate.id === id);
  if (quota === undefined) throw new Error(`no quota ${id}`);
  return quota;
}

/** Changes the quota; the hold's own side is `applyToPins`. */
export function applyToQuota(quota: Quota, { from, to, quantity, paid }: QuotaFlow): void {
  if (from === 'free') {
    quota.free -= quantity;
    quota.paid -= paid;
  } else if (from === 'used') quota.used -= quantity;
  else if (from.startsWith('hold:')) quota.pinned -= quantity;
  if (to === 'free') {
    quota.free += quantity;
    quota.paid += paid;
  } else if (to === 'used') quota.used += quantity;
  else if (to.startsWith('hold:')) quota.pinned += quantity;
}

/** A hold's pins after `quantity` more (or, negative, less) of a quota. */
export function applyToPins(
  pins: readonly QuotaPin[],
  quota: string,
  quantity: bigint,
  paid: bigint,
): readonly QuotaPin[] {
  const found = pins.find((pin) => pin.quota === quota) ?? { quota, quantity: 0n, paid: 0n };
  const after = { quota, quantity: found.quantity + quantity, paid: found.paid + paid };
  const others = pins.filter((pin) => pin.quota !== quota);
  return after.quantity === 0n ? others : [...others, after];
}
