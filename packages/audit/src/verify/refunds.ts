/**
 * What comes back of a period's credits when a subscription is cancelled at once, by a plan that gives anything back: in
 * whole credits the lesser of the part of the period that is left, and of what is left of the line of which most is gone.
 * Windows that have passed are gone, used or not; where no quota measures what the plan gives, one call is enough for
 * nothing to come back. It goes to the lots that paid, the last one first; what would go to one that has expired is not
 * given.
 */

import { stepsOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import { creditCell } from './cells.ts';
import { isLimited, type LineText, type PlanTermsText, type Subscribed, sameLine } from './picture.ts';
import type { Quota } from './quotas.ts';

/** Of the wallet, as it was before the end. */
export interface Unused {
  /** Those that its state still has. */
  readonly quotas: readonly Quota[];
  /** In milliseconds since 1970; null: never. */
  readonly expiryOf: (lot: string) => number | null;
}

const CREDIT = 10n ** 9n;

/** In steps of 10^-9. */
export function refundDue(before: Subscribed, { data }: AuditedEvent, unused: Unused): bigint {
  const { now, terms, called } = before;
  if (data.reference === undefined || terms.refund_on_cancel !== true || !now.period_paid) return 0n;
  if (called && !isMeasured(terms)) return 0n;
  const at = Date.parse(String(data.effective_at));
  const [start, end] = [Date.parse(now.period_start), Date.parse(now.period_end)];
  // As the ledger counts: credits have six places, and what is below them is dropped.
  const paid = BigInt(creditCell(stepsOf(now.period_credits)));
  const ofTime = (paid * BigInt(end - at)) / BigInt(end - start);
  const ofUse = paid - mostGone(before, paid, at, unused);
  const least = (ofTime < ofUse ? ofTime : ofUse) * 1_000n;
  let left = least > 0n ? least - (least % CREDIT) : 0n;
  let due = 0n;
  for (const { lot, credits } of [...now.paid_from].reverse()) {
    const part = left < stepsOf(credits) ? left : stepsOf(credits);
    left -= part;
    const expiry = lot === null ? null : unused.expiryOf(lot);
    if (expiry === null || expiry > at) due += part;
  }
  return due;
}

function isMeasured({ included, overage_multiplier, overage_prices, price_book }: PlanTermsText): boolean {
  if (overage_multiplier !== undefined || overage_prices !== undefined || price_book !== undefined)
    return false;
  return included.length > 0 && included.every(isLimited);
}

function mostGone({ now, terms }: Subscribed, paid: bigint, at: number, unused: Unused): bigint {
  const [start, end] = [Date.parse(now.period_start), Date.parse(now.period_end)];
  const share = (part: bigint, whole: bigint): bigint => (part + whole - 1n) / whole;
  let most = 0n;
  for (const line of terms.included) {
    let begun = at;
    let gone = 0n;
    for (const quota of unused.quotas) {
      const { starts_at, expires_at } = quota.marks;
      if (!isOf(quota, line, now.id) || Date.parse(expires_at) <= at) continue;
      const from = Math.max(Date.parse(starts_at), start);
      begun = Math.min(begun, from);
      const part = BigInt(Math.min(Date.parse(expires_at), end) - from);
      gone += share(paid * part * (quota.used + quota.pinned), BigInt(end - start) * quota.granted);
    }
    if (line.per !== 'period') gone += share(paid * BigInt(begun - start), BigInt(end - start));
    if (gone > most) most = gone;
  }
  return most;
}

function isOf({ marks: { unit, model, origin } }: Quota, line: LineText, subscription: string): boolean {
  if (origin.kind !== 'plan' || origin.subscription !== subscription) return false;
  return sameLine({ unit, model, per: origin.per, amount: '' }, [line]) === 0;
}
