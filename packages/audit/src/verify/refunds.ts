/**
 * What comes back of a period's credits when a subscription is cancelled at once, by a plan that gives anything back: in
 * whole credits the lesser of the part of the period that is left, and of what nobody has used of the quotas. It goes to
 * the lots that paid, the last one first; what would go to one that has expired is not given.
 */

import { stepsOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import { creditCell } from './cells.ts';
import type { Subscribed } from './picture.ts';
import type { Quota, QuotaPassage } from './quotas.ts';

/** Of the wallet, as it was before the end. */
export interface Unused {
  /** Those that its state still has. */
  readonly quotas: readonly Quota[];
  readonly passages: readonly QuotaPassage[];
  /** In milliseconds since 1970; null: never. */
  readonly expiryOf: (lot: string) => number | null;
}

const CREDIT = 10n ** 9n;

/** In steps of 10^-9. */
export function refundDue({ now, terms }: Subscribed, { data }: AuditedEvent, unused: Unused): bigint {
  if (data.reference === undefined || terms.refund_on_cancel !== true || !now.period_paid) return 0n;
  const at = Date.parse(String(data.effective_at));
  const [start, end] = [Date.parse(now.period_start), Date.parse(now.period_end)];
  // As the ledger counts: credits have six places, and what is below them is dropped.
  const paid = BigInt(creditCell(stepsOf(now.period_credits)));
  const ofTime = (paid * BigInt(end - at)) / BigInt(end - start);
  const ofUse = paid - mostUsed(now.id, paid, { start, end }, unused);
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

/** Of the line of which most was used: a window counts for its part of the period. */
function mostUsed(
  subscription: string,
  paid: bigint,
  { start, end }: { readonly start: number; readonly end: number },
  { quotas, passages }: Unused,
): bigint {
  const used = new Map<string, bigint>();
  let most = 0n;
  for (const quota of quotas) {
    const { unit, model, origin, starts_at, expires_at } = quota.marks;
    if (origin.kind !== 'plan' || origin.subscription !== subscription) continue;
    const part = Math.min(Date.parse(expires_at), end) - Math.max(Date.parse(starts_at), start);
    if (part <= 0) continue;
    const gone = quota.granted - freeBefore(quota, passages);
    const worth = (paid * gone * BigInt(part)) / (quota.granted * BigInt(end - start));
    const line = `${unit} ${origin.per} ${model}`;
    const sum = (used.get(line) ?? 0n) + worth;
    used.set(line, sum);
    if (sum > most) most = sum;
  }
  return most;
}

/** The end itself has let it lapse. */
function freeBefore(quota: Quota, passages: readonly QuotaPassage[]): bigint {
  return passages.reduce((free, one) => {
    if (one.quota !== quota) return free;
    return free + (one.from === 'free' ? one.quantity : 0n) - (one.to === 'free' ? one.quantity : 0n);
  }, quota.free);
}
