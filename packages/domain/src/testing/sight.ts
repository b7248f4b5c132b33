/** What tests look at: a wallet's figures as text, and outcomes in one word. */
import { formatAmount, formatCredits } from '../amount.ts';
import type { Move } from '../wallet/events.ts';
import type { Outcome, Past } from './given.ts';
import { balanceOf, uncoveredOf } from './invariants.ts';

/** Available and held, and debt or what is uncovered where there is any. */
export function balance({ wallet }: Past): string {
  const { available, held } = wallet.totals;
  const parts = [formatCredits(available), `held ${formatCredits(held)}`];
  if (wallet.totals.debt > 0n) parts.push(`debt ${formatCredits(wallet.totals.debt)}`);
  const uncovered = uncoveredOf(wallet);
  if (uncovered > 0n) parts.push(`uncovered ${formatCredits(uncovered)}`);
  return parts.join(', ');
}

/** Free credits by lot, in burn order: `lot-1 10 (2 pinned, 0.5 USD)`. */
export function lots({ wallet }: Past): string[] {
  return wallet.lots.map(({ id, free, pinned, paid, currency }) => {
    const marks = [
      ...(pinned > 0n ? [`${formatCredits(pinned)} pinned`] : []),
      ...(currency === null ? [] : [`${formatAmount(paid, currency)} ${currency}`]),
    ];
    return `${id} ${formatCredits(free)}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`;
  });
}

/** `no_such_code` of a refusal, else the status. */
export function word(outcome: Outcome): string {
  return outcome.status === 'refused' ? outcome.refusal.code : outcome.status;
}

/** The moves of all events of an outcome, those of dues first: `lot-1 free>spent 3`. */
export function moves(outcome: Outcome): string[] {
  if (outcome.status !== 'recorded') throw new Error(word(outcome));
  return [...outcome.dues, ...outcome.events].flatMap((event) => {
    const { moves: all = [] } = event.data as { moves?: readonly Move[] };
    return all.map(({ lot = '-', from, to, credits }) => `${lot} ${from}>${to} ${credits}`);
  });
}

/** The journal's balance of an account over all events: negative where it holds something that is owed or earned. */
export function account(past: Past, name: string, unit = 'USD'): string {
  return formatAmount(balanceOf(past, name, unit), unit);
}
