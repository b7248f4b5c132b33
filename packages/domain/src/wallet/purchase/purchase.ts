/**
 * Purchases (billing rules 17, 18, 24):
 * - one is pending until a fact says that it is paid; where nothing is to be paid it is so at once
 * - paid means the total, in its currency, once: any other money is booked as unapplied, never "as ordered"
 * - what was bought and its bonus are one lot at one price a credit: so whoever takes part of it back takes that part of
 *   the bonus with it, and never more money than stands behind the credits that are left
 * - the bonus of a free amount is that of what is paid, after the discount; a package's own bonus is part of the package
 */
import { CREDITS, formatAmount, formatCredits, type Money, parseAmount, parseCredits } from '../../amount.ts';
import { discountOf } from '../../catalogue/coupon-terms.ts';
import { creditsForAmount } from '../../catalogue/package-terms.ts';
import type { CommandKey } from '../../decider.ts';
import { accounts } from '../../entry.ts';
import { keys } from '../../ids.ts';
import type { WalletContext } from '../booked.ts';
import { accepted, needs, refused, UNCHANGED, type WalletDecision } from '../commands.ts';
import { bringIn, DEFAULT_PRIORITY } from '../credit.ts';
import { EntryDraft } from '../entry-draft.ts';
import type { WalletEvent, WalletEventOf } from '../events.ts';
import { forkWallet, type Wallet } from '../state.ts';
import type { CouponOffer, Offer, OpenPurchase, RecordPurchasePayment } from './commands.ts';
import { whyNotForAccount } from './coupon.ts';
import type { Purchase, PurchaseClosed, UnappliedReason } from './events.ts';

/** Where the money of purchases waits to be matched with payments. */
export const PURCHASES = 'purchases';

export function openPurchase(
  wallet: Wallet,
  command: OpenPurchase & CommandKey,
  context: WalletContext,
): WalletDecision {
  const { id, offer, coupon } = command;
  const purchase = purchaseOf(wallet, id, offer, coupon, context.now);
  if ('kind' in purchase) return purchase;
  const opened: WalletEventOf<'PurchaseOpened'> = {
    type: 'PurchaseOpened',
    key: command.key,
    data: { purchase },
    facts: {},
  };
  if (!command.paid && !isFree(purchase)) return accepted(opened);
  // A payment of this reference may have been told already, of another purchase.
  const payment = keys.purchasePayment(id);
  if (!context.facts.has(payment)) return needs(payment);
  if (context.facts.get(payment) != null) return refused({ code: 'idempotency_conflict' });
  return openPaid(wallet, opened, payment, context.now);
}

/**
 * Opens and pays in one append.
 * @param payment the key that the payment claims; null: another event has it
 * @param before events that stand in the append before the opening
 */
export function openPaid(
  wallet: Wallet,
  opened: WalletEventOf<'PurchaseOpened'>,
  payment: string | null,
  now: number,
  {
    before = 0,
    reference = opened.data.purchase.id,
  }: { readonly before?: number; readonly reference?: string } = {},
): WalletDecision {
  const { purchase } = opened.data;
  // Lots are named after the revision of their event, which stands behind that of the opening.
  const then = forkWallet(wallet);
  then.revision += 1 + before;
  const paid = pay(then, purchase, { key: payment, reference, paid: purchase.total }, now);
  if ('kind' in paid) return paid;
  const { lot, after } = paid.data;
  return accepted({ ...opened, data: { purchase, paid: { lot, after } } }, paid, closed(purchase, { lot }));
}

const isFree = ({ total }: Purchase): boolean => total.amount === '0';

/** What the purchase comes to; a decision where it cannot be made. */
export function purchaseOf(
  wallet: Wallet,
  id: string,
  { package: ref, terms, price }: Offer,
  coupon: CouponOffer | null,
  now: number,
): Purchase | WalletDecision {
  const { currency } = price;
  let discount: Money = { amount: '0', currency };
  if (coupon !== null) {
    const refusal = whyNotForAccount(wallet, coupon, now);
    if (refusal !== null) return refused(refusal);
    const off = discountOf(coupon.terms, price);
    if ('code' in off) return refused(off);
    discount = off.discount;
  }
  const left = parseAmount(price.amount, currency) - parseAmount(discount.amount, currency);
  const total: Money = { amount: formatAmount(left, currency), currency };
  const worth = { credits: 0n, bonus: 0n };
  if ('rate' in terms) {
    const whole = creditsForAmount(terms, price);
    if ('code' in whole) return refused(whole);
    const paidFor = creditsForAmount(terms, total);
    worth.credits = whole.credits;
    worth.bonus = 'code' in paidFor ? 0n : paidFor.bonus;
  } else {
    worth.credits = parseCredits(terms.credits);
    worth.bonus = parseCredits(terms.bonus ?? '0');
  }
  return {
    id,
    package: ref,
    credits: formatCredits(worth.credits),
    bonus: formatCredits(worth.bonus),
    price,
    discount,
    total,
    coupon: coupon === null ? null : { code: coupon.code, version: coupon.version },
  };
}

interface Payment {
  readonly key: string | null;
  readonly reference: string;
  readonly paid: Money;
}

function pay(
  wallet: Wallet,
  purchase: Purchase,
  { key, reference, paid }: Payment,
  now: number,
): WalletEventOf<'PurchasePaid'> | WalletDecision {
  const granted = { credits: accounts.issued, money: accounts.clearing(PURCHASES) };
  const draft = new EntryDraft(wallet, now, { granted });
  const credits = parseAmount(purchase.credits, CREDITS) + parseAmount(purchase.bonus, CREDITS);
  const incoming = {
    from: 'granted',
    credits,
    expiresAt: null,
    priority: DEFAULT_PRIORITY,
    origin: { kind: 'top_up', of: PURCHASES, ref: purchase.id },
    paid: purchase.total,
  } as const;
  // The money has come: there is nobody to refuse it to.
  const lot = bringIn(draft, incoming, 'whatever_the_limits');
  if (typeof lot !== 'string') return lot;
  const data = { purchase, credits: formatCredits(credits), lot, reference, ...draft.movement() };
  return { type: 'PurchasePaid', key, data, facts: { ...draft.facts(), payment: paid } };
}

/** The outside world's word that money has come. It is never refused for what it says (billing rule 17). */
export function recordPayment(
  wallet: Wallet,
  command: RecordPurchasePayment & CommandKey,
  context: WalletContext,
): WalletDecision {
  const { purchase: id, paid } = command;
  const [opening, closing] = [keys.purchase(id), keys.purchaseClosed(id)];
  const told = command.key === null ? null : context.facts.get(command.key);
  if (told != null) {
    // Said already when the purchase was opened as paid: the same fact, under the same reference.
    const same =
      told.type === 'PurchasePaid' && told.data.purchase.id === id && isTotal(told.data.purchase, paid);
    return same ? { kind: 'repeats', event: told } : refused({ code: 'idempotency_conflict' });
  }
  if (!context.facts.has(opening) || !context.facts.has(closing)) return needs(opening, closing);
  const opened = context.facts.get(opening);
  if (opened?.type !== 'PurchaseOpened') return refused({ code: 'purchase_not_found', purchase: id });
  const { purchase } = opened.data;
  const closure = context.facts.get(closing);
  if (closure?.type === 'PurchaseClosed') {
    const reason = closure.data.by === 'paid' ? 'already_paid' : 'canceled';
    return accepted(unapplied(wallet, id, reason, command, context.now));
  }
  if (!isTotal(purchase, paid))
    return accepted(unapplied(wallet, id, 'amount_differs', command, context.now));
  const event = pay(wallet, purchase, command, context.now);
  return 'kind' in event ? event : accepted(event, closed(purchase, event.data));
}

export function isTotal({ total }: Pick<Purchase, 'total'>, paid: Money): boolean {
  return (
    paid.currency === total.currency &&
    parseAmount(paid.amount, paid.currency) === parseAmount(total.amount, total.currency)
  );
}

/** Books money that fits nothing: it is there, and it is owed to somebody until finance has said what it is. */
export function unapplied(
  wallet: Wallet,
  purchase: string,
  reason: UnappliedReason,
  { key, reference, paid }: Payment,
  now: number,
): WalletEventOf<'PurchasePaymentUnapplied'> {
  const draft = new EntryDraft(wallet, now);
  const { amount, currency } = paid;
  draft.moneyMove(accounts.clearing(PURCHASES), accounts.unapplied, currency, parseAmount(amount, currency));
  const data = { purchase, reason, reference, ...draft.movement() };
  return { type: 'PurchasePaymentUnapplied', key, data, facts: { ...draft.facts(), payment: paid } };
}

/** Only while it is pending; twice is once. */
export function cancelPurchase(
  { purchase: id }: { readonly purchase: string },
  { facts }: WalletContext,
): WalletDecision {
  const [opening, closing] = [keys.purchase(id), keys.purchaseClosed(id)];
  if (!facts.has(opening) || !facts.has(closing)) return needs(opening, closing);
  const opened = facts.get(opening);
  if (opened?.type !== 'PurchaseOpened') return refused({ code: 'purchase_not_found', purchase: id });
  const closure = facts.get(closing);
  if (closure?.type !== 'PurchaseClosed') return accepted(closed(opened.data.purchase, 'canceled'));
  return closure.data.by === 'canceled'
    ? UNCHANGED
    : refused({ code: 'purchase_already_paid', purchase: id });
}

function closed({ id, coupon }: Purchase, how: { readonly lot: string } | 'canceled'): WalletEvent {
  const data: PurchaseClosed =
    how === 'canceled'
      ? { purchase: id, by: 'canceled', ...(coupon === null ? {} : { coupon: coupon.code }) }
      : { purchase: id, by: 'paid', lot: how.lot };
  return { type: 'PurchaseClosed', key: keys.purchaseClosed(id), data, facts: {} };
}
