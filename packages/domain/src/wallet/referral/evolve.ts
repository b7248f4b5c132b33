/** Folds what happens between referrers and friends. */
import { applyMovement } from '../moves.ts';
import type { Wallet } from '../state.ts';
import type { ReferralEvent } from './events.ts';
import { nextReferralAt, referralAfter } from './state.ts';

export function evolveReferral(wallet: Wallet, event: ReferralEvent): void {
  wallet.referral = referralAfter(wallet.referral, event);
  switch (event.type) {
    case 'ReferralGranted':
    case 'ReferralClawedBack':
      applyMovement(wallet, event.data, event.facts);
      return;
    case 'ReferralAccrued':
      wallet.nextDueAt = Math.min(wallet.nextDueAt, nextReferralAt(wallet.referral));
      return;
    case 'ReferralLinked':
      return;
  }
}
