/** Holds: reserve before the call, extend while it streams, let go when it does not happen (L8, rule 20). */
import { formatCredits } from '../amount.ts';
import type { CommandKey } from '../decider.ts';
import { keys } from '../ids.ts';
import { DEFAULT_BOOK } from '../pricing/price-books.ts';
import { type Priced, priceUsage } from '../pricing/quote.ts';
import { canAfford, insufficient, type WalletContext } from './charge.ts';
import {
  accepted,
  type ExtendHold,
  NEEDS_CATALOGUE,
  needs,
  type PlaceHold,
  refused,
  UNCHANGED,
  type WalletDecision,
} from './commands.ts';
import type { BookVersion, HoldFacts, HoldTerms, PriceFacts, WalletEvent } from './events.ts';
import { openHold } from './evolve.ts';
import { Plan } from './plan.ts';
import { freeCredits, type Hold, type Wallet } from './state.ts';

export const HOLDS_MAX = 10_000;
/**
 * Open holds that reach into the overdraft. The next credits that come in stand in for all of them, in one event: without
 * a bound that event could outgrow what a store takes, and the wallet could never be topped up again (rule 7).
 */
export const UNCOVERED_HOLDS_MAX = 400;
const NO_PRICE: PriceFacts = { exact: '0', round_to: '1', lines: [] };

export function placeHold(
  wallet: Wallet,
  command: PlaceHold & CommandKey,
  context: WalletContext,
): WalletDecision {
  if (wallet.frozen.size > 0)
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  const { model, estimate, hold } = command;
  const priced = context.catalogue.books.price(
    wallet.priceBook ?? DEFAULT_BOOK,
    context.now,
    model,
    estimate,
  );
  if (priced.status === 'unpriced') {
    if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
    return refused({ code: 'no_price', reason: priced.reason, missing: priced.missing });
  }
  if (wallet.holds.size >= HOLDS_MAX) return refused({ code: 'too_many_holds', limit: HOLDS_MAX });
  const terms: HoldTerms = {
    hold,
    purpose: 'call',
    model,
    estimate,
    credits: formatCredits(priced.credits),
    expires_at: new Date(context.now + command.expiresInMs).toISOString(),
    price_book: { name: priced.book.name, version: priced.book.version },
  };
  return reserve(wallet, 'HoldPlaced', command.key, terms, priced.credits, priced.facts, context);
}

export function extendHold(
  wallet: Wallet,
  command: ExtendHold & CommandKey,
  context: WalletContext,
): WalletDecision {
  const open = wallet.holds.get(command.hold);
  if (open !== undefined) return extendOpen(wallet, open, command, context);
  const { hold } = command;
  const asked = [keys.settle(hold), keys.void(hold), keys.hold(hold)];
  if (asked.some((key) => !context.facts.has(key))) return needs(...asked);
  if (context.facts.get(keys.settle(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'settled' });
  if (context.facts.get(keys.void(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'voided' });
  const placed = context.facts.get(keys.hold(hold));
  if (placed?.type !== 'HoldPlaced') return refused({ code: 'hold_not_found', hold });
  if (wallet.holds.size >= HOLDS_MAX) return refused({ code: 'too_many_holds', limit: HOLDS_MAX });
  // It has expired: it reserves anew, on the terms it was placed on, or the answer is 402.
  const { model, price_book, expires_at } = placed.data;
  const again = { hold, model, book: price_book, estimate: placed.data.estimate, credits: 0n };
  const lifetime = command.expiresInMs ?? Date.parse(expires_at) - placed.recordedAt;
  return extendTo(wallet, again, command.estimate ?? placed.data.estimate, context.now + lifetime, context);
}

function extendOpen(wallet: Wallet, open: Hold, command: ExtendHold, context: WalletContext): WalletDecision {
  const asked = command.expiresInMs === null ? open.expiresAt : context.now + command.expiresInMs;
  const expiresAt = Math.max(open.expiresAt, asked);
  const held = {
    hold: open.id,
    model: open.model,
    book: open.book,
    estimate: open.estimate,
    credits: open.credits,
  };
  return extendTo(wallet, held, command.estimate, expiresAt, context, open.expiresAt);
}

interface Held {
  readonly hold: string;
  readonly model: string;
  readonly book: BookVersion;
  readonly estimate: HoldTerms['estimate'];
  readonly credits: bigint;
}

function extendTo(
  wallet: Wallet,
  held: Held,
  estimate: HoldTerms['estimate'] | null,
  expiresAt: number,
  context: WalletContext,
  expiresNow = 0,
): WalletDecision {
  let priced: Priced | null = null;
  if (estimate !== null) {
    const book = context.catalogue.books.version(held.book.name, held.book.version);
    if (book === undefined) {
      // Another process may have pinned a version that was published a moment ago (rule 24).
      if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
      return refused({ code: 'no_price', reason: 'no_price_book', missing: held.book.name });
    }
    const outcome = priceUsage(book, held.model, estimate);
    if (outcome.status === 'unpriced')
      return refused({ code: 'no_price', reason: outcome.reason, missing: outcome.missing });
    priced = outcome;
  }
  const grows = priced !== null && priced.credits > held.credits;
  if (!grows && expiresAt <= expiresNow) return UNCHANGED;
  const credits = grows && priced !== null ? priced.credits : held.credits;
  const terms: HoldTerms = {
    hold: held.hold,
    purpose: 'call',
    model: held.model,
    estimate: grows && estimate !== null ? estimate : held.estimate,
    credits: formatCredits(credits),
    expires_at: new Date(expiresAt).toISOString(),
    price_book: held.book,
  };
  return reserve(
    wallet,
    'HoldExtended',
    null,
    terms,
    credits - held.credits,
    priced?.facts ?? NO_PRICE,
    context,
  );
}

function uncoveredHolds(wallet: Wallet): number {
  let count = 0;
  for (const { uncovered } of wallet.holds.values()) if (uncovered > 0n) count += 1;
  return count;
}

/** Reserves `credits` more for the hold; refused where they are not there. */
function reserve(
  wallet: Wallet,
  type: 'HoldPlaced' | 'HoldExtended',
  key: string | null,
  terms: HoldTerms,
  credits: bigint,
  price: PriceFacts,
  context: WalletContext,
): WalletDecision {
  if (wallet.frozen.size > 0 && credits > 0n) {
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  }
  if (!canAfford(wallet, credits)) return insufficient(wallet, credits);
  if (credits > freeCredits(wallet) && uncoveredHolds(wallet) >= UNCOVERED_HOLDS_MAX) {
    return refused({ code: 'too_many_holds', limit: UNCOVERED_HOLDS_MAX });
  }
  const plan = new Plan(wallet, context.now);
  openHold(plan.wallet, terms);
  plan.take(credits, `hold:${terms.hold}`);
  const facts: HoldFacts = { ...plan.facts(), price };
  return accepted({ type, key, data: { ...terms, ...plan.movement() }, facts });
}

export function voidHold(
  wallet: Wallet,
  command: { hold: string } & CommandKey,
  context: WalletContext,
): WalletDecision {
  const { hold } = command;
  if (wallet.holds.has(hold)) {
    const plan = new Plan(wallet, context.now);
    plan.release(hold);
    const event: WalletEvent = {
      type: 'HoldVoided',
      key: command.key,
      data: { hold, ...plan.movement() },
      facts: plan.facts(),
    };
    return accepted(event);
  }
  const asked = [keys.settle(hold), keys.hold(hold)];
  if (asked.some((key) => !context.facts.has(key))) return needs(...asked);
  if (context.facts.get(keys.settle(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'settled' });
  // Expired: it has let go already, void after it changes nothing.
  return context.facts.get(keys.hold(hold)) != null ? UNCHANGED : refused({ code: 'hold_not_found', hold });
}
