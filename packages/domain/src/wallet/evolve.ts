/** Folds wallet events. Never refuses; an event type it does not know stops the wallet (rule 11). */
import { parseCredits } from '../amount.ts';
import type { AccountTerms, HoldTerms, WalletEvent } from './events.ts';
import { addLot, applyMovement, ownHolds } from './moves.ts';
import { NEVER, type Wallet } from './state.ts';

export function evolveWallet(wallet: Wallet, event: WalletEvent, revision: number): void {
  // Before the moves: lots are named after the revision of their event.
  wallet.revision = revision;
  switch (event.type) {
    case 'AccountOpened':
      wallet.opened = true;
      applyTerms(wallet, event.data);
      return;
    case 'AccountChanged':
      applyTerms(wallet, event.data);
      return;
    case 'AccountFrozen':
      wallet.frozen = new Map(wallet.frozen).set(event.data.reference, event.data.reason);
      return;
    case 'AccountUnfrozen': {
      const frozen = new Map(wallet.frozen);
      frozen.delete(event.data.reference);
      wallet.frozen = frozen;
      return;
    }
    case 'TopUp':
    case 'CreditsGranted':
    case 'CreditsAdjusted':
      applyMovement(wallet, event.data, event.facts);
      return;
    case 'UsageCharged':
    case 'UsageUnpriced':
      applyMovement(wallet, event.data, event.facts);
      if (event.data.hold !== undefined) closeHold(wallet, event.data.hold);
      return;
    case 'HoldPlaced':
    case 'HoldExtended':
      openHold(wallet, event.data);
      applyMovement(wallet, event.data, event.facts);
      return;
    case 'HoldVoided':
      applyMovement(wallet, event.data, event.facts);
      closeHold(wallet, event.data.hold);
      return;
    case 'HoldClosed':
      return;
    case 'Expired':
      applyMovement(wallet, event.data, event.facts);
      for (const item of event.data.items) if (item.kind === 'hold') closeHold(wallet, item.id);
      wallet.nextDueAt = nextDueAt(wallet);
      return;
    case 'EntryReversed':
      for (const lot of event.data.restored ?? []) addLot(wallet, lot, event.facts.lots?.[lot.lot]);
      applyMovement(wallet, event.data, event.facts);
      return;
    default:
      throw new UnknownEvent(wallet.account, event);
  }
}

class UnknownEvent extends Error {
  constructor(account: string, event: never) {
    super(
      `wallet ${account} holds an event of a type this code does not know: ${(event as WalletEvent).type}`,
    );
  }
}

function applyTerms(wallet: Wallet, terms: Partial<AccountTerms>): void {
  if (terms.price_book !== undefined) wallet.priceBook = terms.price_book;
  if (terms.overdraft_limit !== undefined) wallet.overdraftLimit = parseCredits(terms.overdraft_limit);
  if (terms.time_zone !== undefined) wallet.timeZone = terms.time_zone;
  if (terms.currency !== undefined) wallet.currency = terms.currency;
}

/** Opens a hold, or gives an open one new terms; what it holds comes by the moves. */
export function openHold(wallet: Wallet, terms: HoldTerms): void {
  const expiresAt = Date.parse(terms.expires_at);
  const open = wallet.holds.get(terms.hold);
  ownHolds(wallet).set(terms.hold, {
    id: terms.hold,
    purpose: terms.purpose,
    model: terms.model,
    estimate: terms.estimate,
    book: terms.price_book,
    expiresAt,
    credits: open?.credits ?? 0n,
    uncovered: open?.uncovered ?? 0n,
    pins: open?.pins ?? [],
  });
  if (expiresAt < wallet.nextDueAt) wallet.nextDueAt = expiresAt;
}

export function closeHold(wallet: Wallet, id: string): void {
  if (wallet.holds.has(id)) ownHolds(wallet).delete(id);
}

/** The earliest instant at which something of this wallet falls due. */
export function nextDueAt(wallet: Wallet): number {
  let next = NEVER;
  for (const lot of wallet.lots)
    if (lot.free > 0n && lot.expiresAt !== null && lot.expiresAt < next) next = lot.expiresAt;
  for (const hold of wallet.holds.values()) if (hold.expiresAt < next) next = hold.expiresAt;
  return next;
}
