/** Accruals whose time has come, granted in the order of their instants. */
import type { WalletEvent } from '../events.ts';
import { forkWallet, type Wallet } from '../state.ts';
import { evolveReferral } from './evolve.ts';
import { grantReferral } from './referral.ts';
import { nextReferralAt } from './state.ts';

/** Of one append: keeps it well under what stores take (rule 7). */
const GRANTS_MAX = 200;

/** @param until only what falls due up to then, and not after `now`: something else may come next */
export function referralDues(
  wallet: Wallet,
  now: number,
  until = now,
): { readonly events: readonly WalletEvent[]; readonly more: boolean } {
  const events: WalletEvent[] = [];
  if (nextReferralAt(wallet.referral) > Math.min(now, until)) return { events, more: false };
  const ahead = forkWallet(wallet);
  while (nextReferralAt(ahead.referral) <= Math.min(now, until)) {
    if (events.length === GRANTS_MAX) return { events, more: true };
    const event = grantReferral(ahead, now);
    if (event?.type !== 'ReferralGranted') break;
    ahead.revision += 1;
    evolveReferral(ahead, event);
    events.push(event);
  }
  return { events, more: false };
}
