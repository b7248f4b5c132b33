/**
 * What follows in a wallet from what has just been decided, in the same append: credits that came in pay a period that
 * waits for them, a new account starts with the plan that new accounts start with, a balance that has run low asks to be
 * topped up, a threshold that is crossed is told. Nobody has to come by for it, and no crash can lose it. Wallets that
 * have none of this pay nothing for it.
 */
import { alertsAfter } from './alerts/alerts.ts';
import { autoTopUpAfter } from './auto-top-up/auto-top-up.ts';
import type { WalletContext } from './booked.ts';
import type { WalletEvent } from './events.ts';
import { evolveWallet } from './evolve.ts';
import { forkWallet, type Wallet } from './state.ts';
import { retryPayment } from './subscription/renewal.ts';
import { startDefaultPlan } from './subscription/subscribe.ts';

export function consequencesOf(
  wallet: Wallet,
  events: readonly WalletEvent[],
  { now, catalogue }: WalletContext,
): readonly WalletEvent[] {
  const isNew = events[0]?.type === 'AccountOpened';
  const isPastDue = wallet.subscription?.now.status === 'past_due';
  const topsUp = wallet.autoTopUp !== null || events[0]?.type === 'AutoTopUpSet';
  if (!isNew && !isPastDue && !topsUp) return alertsAfter(wallet, events, now);
  const after = forkWallet(wallet);
  const follow: WalletEvent[] = [];
  const take = (event: WalletEvent): void => evolveWallet(after, event, after.revision + 1);
  for (const event of events) take(event);
  const add = (event: WalletEvent | null): void => {
    if (event === null) return;
    take(event);
    follow.push(event);
  };
  if (isNew) startDefaultPlan(after, now, catalogue).forEach(add);
  if (isPastDue) add(retryPayment(after, now));
  if (after.autoTopUp !== null) add(autoTopUpAfter(after, now));
  return [...follow, ...alertsAfter(wallet, [...events, ...follow], now)];
}
