/**
 * What can happen between a referrer and a friend (billing rule 19). The link is in the friend's wallet; accruals are in the
 * referrer's. An accrual is named after the entry that it is for: `{friend}:{revision}` of the friend's stream.
 */
import type { Movement, MovementFacts, Of } from '../events.ts';

export type ReferralReason = 'purchase' | 'top_up';

/** The friend's entry. */
export interface ReferredEntry {
  readonly from: string;
  readonly revision: number;
}

export type ReferralEvent =
  | Of<'ReferralLinked', { referred_by: string }, object>
  | Of<'ReferralAccrued', ReferralAccrued, object>
  /** Has fallen due. */
  | Of<'ReferralGranted', ReferralGranted, MovementFacts>
  | Of<'ReferralClawedBack', ReferralClawedBack, MovementFacts>;

export interface ReferralAccrued extends ReferredEntry {
  readonly reason: ReferralReason;
  /** The share of what was bought and paid for. */
  readonly credits: string;
  readonly of_credits: string;
  readonly percent: string;
  readonly available_at: string;
  /** Of `credits`: kept for what was clawed back before and could not be taken; left out where nothing was. */
  readonly withheld?: string;
}
export interface ReferralGranted extends ReferredEntry, Movement {
  readonly credits: string;
  readonly lot: string;
  readonly effective_at: string;
}
/** `credits` = what was pending of it + out of its lot + out of other pending accruals + `owed`, for future ones to pay. */
export interface ReferralClawedBack extends ReferredEntry, Movement {
  readonly credits: string;
  /** Its own and others, each with what was taken from it. */
  readonly pending: readonly (ReferredEntry & { readonly credits: string })[];
  readonly lot?: { readonly lot: string; readonly credits: string };
  readonly owed: string;
}
