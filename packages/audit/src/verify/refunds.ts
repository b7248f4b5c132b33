/**
 * What comes back of a period's credits when a subscription is cancelled at once, by a plan that gives anything back: in
 * whole credits the lesser of the part of the period that is left, and of what is left of the line of which most is gone.
 * Windows that have passed are gone, used or not; where no quota measured what a call of the period had, or may have yet,
 * nothing comes back. It goes to the lots that paid, the last one first; what would go to one that has expired is not
 * given.
 */

import { stepsOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import { creditCell } from './cells.ts';
import { type LineText, type Subscribed, sameLine } from './picture.ts';
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
export function refundDue(before: Subscribed, { data }: AuditedEvent, unused: Unused): bigint {
  const { now, terms, unmeasured } = before;
  if (data.reference === undefined || terms.refund_on_cancel !== true || !now.period_paid) return 0n;
  if (unmeasured) return 0n;
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

function mostGone({ now, terms }: Subscribed, paid: bigint, at: number, unused: Unused): bigint {
  const [start, end] = [Date.parse(now.period_start), Date.parse(now.period_end)];
  const share = (part: bigint, whole: bigint): bigint => (part + whole - 1n) / whole;
  let most = 0n;
  for (const line of terms.included) {
    const lasting = unused.quotas.filter(
      (quota) => isOf(quota, line, now.id) && Date.parse(quota.marks.expires_at) > at,
    );
    const startOf = ({ marks }: Quota): number => Math.max(Date.parse(marks.starts_at), start);
    const begun = Math.min(at, ...lasting.map(startOf));
    let gone = line.per === 'period' ? 0n : share(paid * BigInt(begun - start), BigInt(end - start));
    for (const quotas of inWindows(lasting)) {
      const until = Math.min(end, ...quotas.map(({ marks }) => Date.parse(marks.expires_at)));
      const part = BigInt(until - Math.min(...quotas.map(startOf)));
      const had = sumOf(quotas, ({ used, pinned }) => used + pinned);
      const inAll = had + sumOf(quotas, (quota) => freeBefore(quota, unused.passages));
      if (inAll > 0n) gone += share(paid * part * had, BigInt(end - start) * inAll);
    }
    if (gone > most) most = gone;
  }
  return most;
}

/** What a grace granted of a window and what its payment made up are one; what a change of plan added is its own. */
function inWindows(quotas: readonly Quota[]): Iterable<readonly Quota[]> {
  return Map.groupBy(quotas, ({ marks: { quota, expires_at, origin } }) =>
    origin.kind === 'plan' && origin.extra === true ? quota : expires_at,
  ).values();
}

const sumOf = (quotas: readonly Quota[], amount: (quota: Quota) => bigint): bigint =>
  quotas.reduce((sum, quota) => sum + amount(quota), 0n);

/** The end itself has let it lapse. */
function freeBefore(quota: Quota, passages: readonly QuotaPassage[]): bigint {
  return passages.reduce((free, one) => {
    if (one.quota !== quota) return free;
    return free + (one.from === 'free' ? one.quantity : 0n) - (one.to === 'free' ? one.quantity : 0n);
  }, quota.free);
}

function isOf({ marks: { unit, model, origin } }: Quota, line: LineText, subscription: string): boolean {
  if (origin.kind !== 'plan' || origin.subscription !== subscription) return false;
  return sameLine({ unit, model, per: origin.per, amount: '' }, [line]) === 0;
}
