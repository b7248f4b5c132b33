/**
 * Billing rule 18: a coupon is never confirmed more often than `max_uses` unless it says so (`over_limit`), open reservations
 * count, and an account uses it no more often than it may. In the end every purchase that was paid with a coupon is
 * confirmed, once, and none that was not.
 */
import type { CouponEvent, CouponTerms } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { broken, type Evidence } from './evidence.ts';

export function couponsAreUsedAsOftenAsTheySay(evidence: Evidence): void {
  for (const [code, events] of evidence.coupons) {
    const uses = usesIn(code, events);
    for (const use of paidWith(evidence, code))
      if (!uses.confirmed.has(use)) broken('what was paid with a coupon is confirmed', { code, use });
    const paid = paidWith(evidence, code);
    for (const use of uses.confirmed)
      if (!paid.has(use)) broken('a use that is confirmed was paid', { code, use });
    const returned = freedOf(evidence, code);
    for (const use of uses.returned)
      if (!returned.has(use)) broken('a use is returned for a purchase that was taken back', { code, use });
    if (uses.returned.size !== returned.size) broken('what was taken back is returned', { code, ...uses });
  }
  for (const attempt of evidence.world.history.uses) {
    if (attempt.answer?.status !== 'recorded') continue;
    const { event } = attempt.answer;
    const stored = evidence.coupons.get(attempt.code)?.[event.revision];
    if (stored?.key !== event.key || stored.type !== event.type)
      broken('a use that was acknowledged is stored', { id: attempt.id, told: event.type, stored });
  }
  accountsUseThemAsOftenAsTheyMay(evidence);
}

interface Uses {
  readonly confirmed: Set<string>;
  readonly returned: Set<string>;
}

function usesIn(code: string, events: readonly StoredEvent<CouponEvent>[]): Uses {
  const open = new Map<string, number>();
  const confirmed = new Set<string>();
  const returned = new Set<string>();
  let max = Number.POSITIVE_INFINITY;
  for (const event of events) {
    const at = { code, revision: event.revision, type: event.type };
    if (event.type === 'CouponPublished') {
      max = event.data.terms.max_uses ?? Number.POSITIVE_INFINITY;
      continue;
    }
    const use = `${event.data.account} ${event.data.purchase}`;
    const taken = confirmed.size - returned.size + open.size;
    switch (event.type) {
      case 'CouponUseReserved':
        for (const [other, expiresAt] of open)
          if (expiresAt <= event.recordedAt) broken('a reservation ends in time', { ...at, other });
        if (taken >= max) broken('no more uses are reserved than there are', { ...at, taken, max });
        if (open.has(use) || confirmed.has(use)) broken('a purchase has one use', { ...at, use });
        open.set(use, Date.parse(event.data.expires_at));
        break;
      case 'CouponUseConfirmed':
        if (confirmed.has(use)) broken('a use is confirmed once', { ...at, use });
        if (event.data.over_limit !== (!open.has(use) && taken >= max))
          broken('a coupon is used no more often than it says, or says so', { ...at, use, taken, max });
        open.delete(use);
        confirmed.add(use);
        break;
      case 'CouponUseReleased':
        if (!open.delete(use)) broken('what is released was reserved', { ...at, use });
        break;
      case 'CouponUseReturned':
        if (!confirmed.has(use) || returned.has(use))
          broken('a confirmed use is returned once', { ...at, use });
        returned.add(use);
    }
  }
  return { confirmed, returned };
}

/** Uses by purchases that were paid, and by gifts. */
function paidWith({ wallets }: Evidence, code: string): Set<string> {
  const paid = new Set<string>();
  for (const { account, events } of wallets)
    for (const event of events) {
      if (event.type === 'PurchasePaid' && event.data.purchase.coupon?.code === code)
        paid.add(`${account} ${event.data.purchase.id}`);
      if (event.type === 'CouponApplied' && event.data.effect === 'granted' && event.data.code === code)
        paid.add(`${account} :grant`);
    }
  return paid;
}

function freedOf({ wallets }: Evidence, code: string): Set<string> {
  const freed = new Set<string>();
  for (const { account, events } of wallets)
    for (const event of events)
      if (event.type === 'EntryReversed' && event.data.frees_coupon?.code === code)
        freed.add(`${account} ${event.data.frees_coupon.purchase}`);
  return freed;
}

/** By purchases that are open or paid, and by gifts; one that was canceled or taken back whole is free again. */
function accountsUseThemAsOftenAsTheyMay(evidence: Evidence): void {
  for (const { stream, events } of evidence.wallets) {
    const uses = new Map<string, number>();
    const add = (code: string, by: number): number => {
      const count = (uses.get(code) ?? 0) + by;
      uses.set(code, count);
      return count;
    };
    for (const event of events) {
      const used = useBy(event);
      if (event.type === 'PurchaseClosed' && event.data.coupon !== undefined) add(event.data.coupon, -1);
      if (event.type === 'EntryReversed' && event.data.frees_coupon !== undefined)
        add(event.data.frees_coupon.code, -1);
      if (used === null) continue;
      const limit = publishedTerms(evidence, used).max_uses_per_account;
      const count = add(used.code, 1);
      if (count > limit)
        broken('an account uses a coupon no more often than it may', {
          stream,
          revision: event.revision,
          ...used,
          count,
        });
    }
  }
}

type CouponUse = { readonly code: string; readonly version: number };

function useBy(event: Evidence['wallets'][number]['events'][number]): CouponUse | null {
  if (event.type === 'PurchaseOpened') return event.data.purchase.coupon;
  if (event.type !== 'CouponApplied' || event.data.effect !== 'granted') return null;
  return { code: event.data.code, version: event.data.version };
}

export function publishedTerms({ coupons }: Evidence, { code, version }: CouponUse): CouponTerms {
  for (const event of coupons.get(code) ?? [])
    if (event.type === 'CouponPublished' && event.data.version === version) return event.data.terms;
  throw broken('a coupon was published', { code, version });
}
