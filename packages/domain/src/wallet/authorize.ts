/**
 * "May this call run?" without reserving anything: advice, given on the state at hand (rule 1), as the wallet stands
 * after what is due. All reasons at once, by the same conditions that a hold is refused by.
 */
import { formatCredits } from '../amount.ts';
import type { Catalogues } from '../catalogue/catalogues.ts';
import { DEFAULT_BOOK } from '../pricing/price-books.ts';
import type { Usage } from '../usage.ts';
import { canAfford } from './charge.ts';
import { duesOf } from './dues.ts';
import { evolveWallet } from './evolve.ts';
import { forkWallet, type Wallet } from './state.ts';

export type AuthorizeReason = 'account_frozen' | 'no_price' | 'insufficient_credits';

export interface Advice {
  readonly allowed: boolean;
  /** What the estimate costs; null where it has no price. */
  readonly credits: string | null;
  readonly available: string;
  readonly reasons: readonly AuthorizeReason[];
}

/** @param now milliseconds since 1970 */
export function adviseWallet(
  state: Readonly<Wallet>,
  { model, estimate }: { readonly model: string; readonly estimate: Usage },
  now: number,
  catalogue: Catalogues,
): Advice {
  const wallet = walletAfterDues(state, now, catalogue);
  const priced = catalogue.books.price(wallet.priceBook ?? DEFAULT_BOOK, now, model, estimate);
  const reasons: AuthorizeReason[] = [];
  if (wallet.frozen.size > 0) reasons.push('account_frozen');
  if (priced.status === 'unpriced') reasons.push('no_price');
  else if (!canAfford(wallet, priced.credits)) reasons.push('insufficient_credits');
  return {
    allowed: reasons.length === 0,
    credits: priced.status === 'priced' ? formatCredits(priced.credits) : null,
    available: formatCredits(wallet.totals.available),
    reasons,
  };
}

/** The wallet as it is now: what has fallen due is carried out, though it is not written yet (rule 33). */
export function walletAfterDues(
  state: Readonly<Wallet>,
  now: number,
  catalogue: Catalogues,
): Readonly<Wallet> {
  if (state.nextDueAt > now) return state;
  const wallet = forkWallet(state);
  for (;;) {
    const { events, more } = duesOf(wallet, now, catalogue);
    for (const event of events) evolveWallet(wallet, event, wallet.revision + 1);
    if (!more) return wallet;
  }
}
