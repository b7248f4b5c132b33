/** Orders about referrals, already parsed. */
import type { ReferralReason, ReferredEntry } from './events.ts';

export type ReferralCommand = LinkReferral | AccrueReferral | ClawBackReferral;

/** On the friend's wallet. */
export interface LinkReferral {
  readonly type: 'LinkReferral';
  readonly referredBy: string;
  /** Who referred the referrer, as it was when this was asked for; a race is settled when it comes to accruing. */
  readonly referrerReferredBy: string | null;
}
/** On the referrer's wallet. */
export interface AccrueReferral extends ReferredEntry {
  readonly type: 'AccrueReferral';
  readonly reason: ReferralReason;
  /** Bought and paid for, in steps. */
  readonly ofCredits: bigint;
  /** A decimal. */
  readonly percent: string;
  readonly availableAt: number;
}
/** On the referrer's wallet: the friend's entry was taken back. */
export interface ClawBackReferral extends ReferredEntry {
  readonly type: 'ClawBackReferral';
}

export type ReferralRefusal =
  | { readonly code: 'self_referral' }
  /** Two accounts cannot refer each other. */
  | { readonly code: 'referral_cycle'; readonly account: string }
  | { readonly code: 'referral_fixed'; readonly referred_by: string }
  | { readonly code: 'referral_too_late' }
  | { readonly code: 'referral_not_found' };
