/** One checker per invariant of a wallet. Each throws, naming what is broken; `checkWallet` runs them all. */
import { isDeepStrictEqual } from 'node:util';
import { CREDITS, formatCredits, isCurrency, parseAmount } from '../amount.ts';
import { accounts, type Posting, sumsOf } from '../entry.ts';
import { walletDecider } from '../wallet/decide.ts';
import type { Movement, MovementFacts, WalletEvent } from '../wallet/events.ts';
import { quotaDueAt } from '../wallet/quota/state.ts';
import { burnsBefore, freeCredits, type Wallet } from '../wallet/state.ts';
import { nextSubscriptionDue } from '../wallet/subscription/state.ts';
import type { Past, StoredWalletEvent } from './given.ts';

export function checkWallet(past: Past): void {
  for (const event of past.events) entryIsBalanced(event);
  nothingIsNegative(past.wallet);
  identityHolds(past.wallet);
  heldIsTheSumOfHolds(past.wallet);
  lotsArePinnedByHolds(past.wallet);
  freeCreditsAndDebtExclude(past.wallet);
  lotsAreInBurnOrder(past.wallet);
  quotasAreWhole(past);
  capsCountOpenHolds(past.wallet);
  nothingIsDueBefore(past.wallet);
  eventSaysTheBalanceAfter(past);
  journalAgrees(past);
  moneyInLotsIsDeferredRevenue(past);
  foldingTheTextsGivesTheState(past);
}

function broken(invariant: string, detail: unknown): never {
  const text = JSON.stringify(detail, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  throw new Error(`broken: ${invariant}: ${text}`);
}

export function entriesOf(event: WalletEvent): { shown: readonly Posting[]; hidden: readonly Posting[] } {
  const { entry: shown = [] } = event.data as Partial<Movement>;
  const { entry: hidden = [] } = event.facts as Partial<MovementFacts>;
  return { shown, hidden };
}

/** L2, and P8: the part that owners see holds no currency. */
export function entryIsBalanced(event: WalletEvent): void {
  const { shown, hidden } = entriesOf(event);
  for (const part of [shown, hidden]) {
    for (const [unit, sum] of sumsOf(part)) {
      if (sum !== 0n) broken('an entry sums to zero in every unit', { unit, sum, event });
    }
  }
  if (shown.some(({ unit }) => isCurrency(unit))) broken('owners see no currency', event);
}

export function nothingIsNegative(wallet: Wallet): void {
  const { totals, lots, holds } = wallet;
  const amounts = [totals.debt, ...lots.flatMap(({ free, paid, pinned }) => [free, paid, pinned])];
  for (const { credits, uncovered, pins } of holds.values()) {
    amounts.push(credits, uncovered, ...pins.flatMap((pin) => [pin.credits, pin.paid]));
  }
  if (amounts.some((amount) => amount < 0n)) broken('no stock falls below zero', wallet);
}

export function identityHolds({ totals }: Wallet): void {
  const { granted, adjusted, consumed, held, expired, withdrawn, available } = totals;
  if (granted + adjusted - consumed - held - expired - withdrawn !== available) broken('L14', totals);
}

export function uncoveredOf(wallet: Wallet): bigint {
  let sum = 0n;
  for (const hold of wallet.holds.values()) sum += hold.uncovered;
  return sum;
}

export function heldIsTheSumOfHolds(wallet: Wallet): void {
  let sum = 0n;
  for (const hold of wallet.holds.values()) {
    const pinned = hold.pins.reduce((all, pin) => all + pin.credits, 0n);
    if (hold.credits !== pinned + hold.uncovered) broken('a hold is its pins and what is uncovered', hold);
    sum += hold.credits;
  }
  if (sum !== wallet.totals.held) broken('held is the sum of open holds', wallet);
}

export function lotsArePinnedByHolds(wallet: Wallet): void {
  const pinned = new Map<string, bigint>();
  for (const { pins } of wallet.holds.values()) {
    for (const { lot, credits } of pins) pinned.set(lot, (pinned.get(lot) ?? 0n) + credits);
  }
  for (const lot of wallet.lots) {
    if (lot.pinned !== (pinned.get(lot.id) ?? 0n)) broken('a lot knows what is pinned of it', lot);
    if (lot.free === 0n && lot.pinned === 0n) broken('empty lots leave the state', lot);
    if (lot.free === 0n && lot.paid !== 0n) broken('no money stays behind in an empty lot', lot);
    pinned.delete(lot.id);
  }
  if (pinned.size > 0) broken('what is pinned belongs to a lot of the wallet', [...pinned]);
}

/** Rule 21. */
export function freeCreditsAndDebtExclude(wallet: Wallet): void {
  const free = freeCredits(wallet);
  const uncovered = uncoveredOf(wallet);
  if (free > 0n && (wallet.totals.debt > 0n || uncovered > 0n)) {
    broken('free credits pay debt and cover holds at once', wallet);
  }
  if (wallet.totals.available !== free - wallet.totals.debt - uncovered) {
    broken('available = free - debt - uncovered', wallet);
  }
}

export function lotsAreInBurnOrder({ lots }: Wallet): void {
  lots.forEach((lot, index) => {
    const next = lots[index + 1];
    if (next !== undefined && burnsBefore(lot, next) >= 0) broken('the burn order is total', [lot, next]);
  });
}

/** No more is used, held and free of a quota than was granted, holds know what they have of it, and so does the journal. */
export function quotasAreWhole({ account, events, wallet }: Past): void {
  const pinned = new Map<string, bigint>();
  for (const { quotaPins } of wallet.holds.values())
    for (const pin of quotaPins) pinned.set(pin.quota, (pinned.get(pin.quota) ?? 0n) + pin.quantity);
  const sums = new Map<string, bigint>();
  const sum = (account: string, unit: string, steps: bigint): void => {
    sums.set(`${account} ${unit}`, (sums.get(`${account} ${unit}`) ?? 0n) + steps);
  };
  for (const quota of wallet.quotas) {
    const { id, unit, free, used, quantity, paid } = quota;
    if (free < 0n || used < 0n || quota.pinned < 0n || free + used + quota.pinned > quantity)
      broken('a quota is never more than was granted', quota);
    if (quota.pinned !== (pinned.get(id) ?? 0n)) broken('a quota knows what is pinned of it', quota);
    if (free === 0n && paid !== 0n) broken('no money stays behind in a quota that is used up', quota);
    pinned.delete(id);
    sum(accounts.quotas(account), unit, free);
    sum(accounts.quotasHeld(account), unit, quota.pinned);
  }
  if (pinned.size > 0) broken('what is pinned belongs to a quota of the wallet', [...pinned]);
  for (const event of events)
    for (const posting of entriesOf(event).shown)
      if (posting.unit !== CREDITS)
        sum(posting.account, posting.unit, parseAmount(posting.amount, posting.unit));
  for (const [id, steps] of sums)
    if (id.startsWith('liabilities:') && steps !== 0n) broken('the journal agrees on quotas', { id, steps });
}

export function capsCountOpenHolds({ subscription, holds }: Wallet): void {
  if (subscription === null) return;
  subscription.caps.forEach(({ held, used }, index) => {
    let sum = 0n;
    for (const { caps } of holds.values())
      for (const { cap, quantity } of caps) if (cap === index) sum += quantity;
    if (sum !== held || used < 0n) broken('a cap counts what open holds may still use', { index, held, sum });
  });
}

/** "Too early" is allowed, "too late" would let a customer spend what has expired. */
export function nothingIsDueBefore(wallet: Wallet): void {
  const lots = wallet.lots.flatMap(({ free, expiresAt }) =>
    free > 0n && expiresAt !== null ? [expiresAt] : [],
  );
  const holds = [...wallet.holds.values()].map(({ expiresAt }) => expiresAt);
  const others = [...wallet.quotas.map(quotaDueAt), nextSubscriptionDue(wallet)];
  if ([...lots, ...holds, ...others].some((at) => at < wallet.nextDueAt))
    broken('next_due_at is never too late', wallet);
}

export function eventSaysTheBalanceAfter(past: Past): void {
  const last = past.events.findLast((event) => 'after' in event.data);
  if (last === undefined) return;
  const { after } = last.data as Movement;
  const { available, held } = past.wallet.totals;
  if (after.available !== formatCredits(available) || after.held !== formatCredits(held)) {
    broken('an event says the balance after it', { after, available, held });
  }
}

/** The sum of an account's postings over all events, shown and hidden, in smallest steps. */
export function balanceOf(past: Past, account: string, unit: string): bigint {
  let sum = 0n;
  for (const event of past.events) {
    const { shown, hidden } = entriesOf(event);
    for (const posting of [...shown, ...hidden]) {
      if (posting.account === account && posting.unit === unit) sum += parseAmount(posting.amount, unit);
    }
  }
  return sum;
}

export function journalAgrees(past: Past): void {
  const { available, held } = past.wallet.totals;
  if (balanceOf(past, accounts.available(past.account), CREDITS) !== -available) {
    broken('the journal agrees on what is available', past.wallet.totals);
  }
  if (balanceOf(past, accounts.held(past.account), CREDITS) !== -held) {
    broken('the journal agrees on what is held', past.wallet.totals);
  }
}

/** Rule 22: what was paid for credits that are still there is owed, to the last step; all else has left to an account. */
export function moneyInLotsIsDeferredRevenue(past: Past): void {
  const owed = new Map<string, bigint>();
  const add = (currency: string | null | undefined, paid: bigint): void => {
    if (paid === 0n) return;
    if (currency == null) broken('money has a currency', paid);
    else owed.set(currency, (owed.get(currency) ?? 0n) + paid);
  };
  const { lots, holds } = past.wallet;
  for (const lot of lots) add(lot.currency, lot.paid);
  for (const { pins } of holds.values()) {
    for (const { lot, paid } of pins) add(lots.find(({ id }) => id === lot)?.currency, paid);
  }
  for (const { currency, paid } of past.wallet.quotas) add(currency, paid);
  for (const { quotaPins } of holds.values())
    for (const { quota, paid } of quotaPins)
      add(past.wallet.quotas.find(({ id }) => id === quota)?.currency, paid);
  const pots = past.wallet.subscription?.pots ?? null;
  for (const amount of pots?.lines ?? []) add(pots?.currency, parseAmount(amount, pots?.currency ?? ''));
  for (const currency of new Set([...owed.keys(), ...currenciesOf(past.events)])) {
    if (balanceOf(past, accounts.deferred, currency) !== -(owed.get(currency) ?? 0n)) {
      broken('deferred revenue is the money in lots and pins', { currency, owed: owed.get(currency) ?? 0n });
    }
  }
}

function currenciesOf(events: readonly StoredWalletEvent[]): Set<string> {
  return new Set(events.flatMap((event) => entriesOf(event).hidden.map(({ unit }) => unit)));
}

/** Stored events say everything; a snapshot says everything. */
export function foldingTheTextsGivesTheState(past: Past): void {
  const folded = walletDecider.initial(past.account);
  for (const event of past.events) walletDecider.evolve(folded, event, event.revision);
  if (!isDeepStrictEqual(comparable(folded), comparable(past.wallet))) {
    broken('folding the stored texts gives the state', [folded, past.wallet]);
  }
  const thawed = walletDecider.thaw(past.account, walletDecider.freeze(past.wallet));
  if (!isDeepStrictEqual(comparable(thawed), comparable(past.wallet))) {
    broken('a snapshot gives the state', [thawed, past.wallet]);
  }
}

/** `decide` reads: what it plans it plans on a fork. */
export function decidingChangesNothing(before: object, wallet: Wallet): void {
  if (!isDeepStrictEqual(before, comparable(wallet))) broken('a decision changes no state', [before, wallet]);
}

/** All but `nextDueAt`, which may be too early. */
export function comparable({ nextDueAt: _, ...wallet }: Wallet): object {
  return structuredClone(wallet);
}
