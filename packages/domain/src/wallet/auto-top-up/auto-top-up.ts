/**
 * When an account tops itself up (billing rule 16). Asked after every order that changed something:
 * - below the threshold counts what is available and held: a hold is not spent yet, so it alone sets nothing off
 * - one request at a time; the next not before the cool-off is over; so many in a day of the account
 * - off after so many were declined in a row, until somebody sets it again
 * - only a provider's answer ends a request; money that is another sum than was asked for is booked as unapplied
 */
import { Temporal } from 'temporal-polyfill';
import { formatCredits, type Money, parseAmount, parseCredits } from '../../amount.ts';
import { canonical } from '../../canonical.ts';
import type { CommandKey } from '../../decider.ts';
import { keys } from '../../ids.ts';
import type { WalletContext } from '../booked.ts';
import { accepted, needs, refused, UNCHANGED, type WalletDecision } from '../commands.ts';
import type { WalletEvent, WalletEventOf } from '../events.ts';
import type { UnappliedReason } from '../purchase/events.ts';
import { openPaid, purchaseOf, unapplied } from '../purchase/purchase.ts';
import type { Wallet } from '../state.ts';
import type { ResolveAutoTopUp } from './commands.ts';
import type { AutoTopUpRequested, AutoTopUpTerms } from './events.ts';

export const DECLINES_MAX = 3;
/** Requests, and the purchases that they become, are named after the revision that asked. */
export const AUTO_TOP_UP_PREFIX = 'auto-top-up-';

/** The request that is to be made now; null where none is. */
export function autoTopUpAfter(wallet: Wallet, now: number): WalletEventOf<'AutoTopUpRequested'> | null {
  const state = wallet.autoTopUp;
  if (state === null || !state.terms.enabled || state.isOff || state.open !== null) return null;
  const { terms, lastAt } = state;
  const credits = wallet.totals.available + wallet.totals.held;
  if (credits >= parseCredits(terms.threshold) || wallet.frozen.size > 0) return null;
  if (lastAt !== null && now < lastAt + terms.cool_off_seconds * 1_000) return null;
  const day = dayOf(now, wallet.timeZone);
  if (state.day === day && state.today >= terms.daily_cap) return null;
  const id = `${AUTO_TOP_UP_PREFIX}${wallet.revision + 1}`;
  const data: AutoTopUpRequested = {
    id,
    amount: terms.amount,
    credits: formatCredits(credits),
    threshold: terms.threshold,
    day,
    requested_at: new Date(now).toISOString(),
  };
  return { type: 'AutoTopUpRequested', key: keys.autoTopUp(id), data, facts: {} };
}

/** `2026-01-31`, on the wall of the zone. */
export function dayOf(at: number, zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate().toString();
}

export function setAutoTopUp({ autoTopUp }: Wallet, terms: AutoTopUpTerms): WalletDecision {
  if (autoTopUp !== null && !autoTopUp.isOff && canonical(autoTopUp.terms) === canonical(terms))
    return UNCHANGED;
  return accepted({ type: 'AutoTopUpSet', key: null, data: terms, facts: {} });
}

export function resolveAutoTopUp(
  wallet: Wallet,
  command: ResolveAutoTopUp & CommandKey,
  { facts, now }: WalletContext,
): WalletDecision {
  const { id, paid } = command;
  // The word about a payment of a purchase was given under the same reference.
  if (command.key !== null && facts.get(command.key) != null)
    return refused({ code: 'idempotency_conflict' });
  const open = wallet.autoTopUp?.open ?? null;
  if (open?.id !== id) {
    const request = keys.autoTopUp(id);
    if (!facts.has(request)) return needs(request);
    if (facts.get(request) === null) return refused({ code: 'auto_top_up_not_found', id });
    // It has been answered. Money is booked all the same, and a word without money changes nothing.
    return paid === null
      ? UNCHANGED
      : accepted(unapplied(wallet, id, 'already_resolved', { ...command, paid }, now));
  }
  if (paid === null) return accepted(declined(wallet, command));
  return isSame(paid, open.amount)
    ? bought(wallet, command, paid, now)
    : parked(wallet, command, paid, 'amount_differs', now);
}

const isSame = (a: Money, b: Money): boolean =>
  a.currency === b.currency && parseAmount(a.amount, a.currency) === parseAmount(b.amount, b.currency);

function declined(wallet: Wallet, { id, reference, key }: ResolveAutoTopUp & CommandKey): WalletEvent {
  const off = (wallet.autoTopUp?.declined ?? 0) + 1 >= DECLINES_MAX;
  const data = { id, result: 'declined', reference, ...(off ? { off } : {}) } as const;
  return { type: 'AutoTopUpResolved', key, data, facts: {} };
}

function bought(
  wallet: Wallet,
  command: ResolveAutoTopUp & CommandKey,
  paid: Money,
  now: number,
): WalletDecision {
  const { id, reference, key, offer } = command;
  if (offer === null) return parked(wallet, command, paid, 'not_offered', now);
  const purchase = purchaseOf(wallet, id, offer, null, now);
  if ('kind' in purchase) return parked(wallet, command, paid, 'not_offered', now);
  const opened: WalletEventOf<'PurchaseOpened'> = {
    type: 'PurchaseOpened',
    key: keys.purchase(id),
    data: { purchase: { ...purchase, auto_top_up: id } },
    facts: {},
  };
  const decision = openPaid(wallet, opened, null, now, { before: 1, reference });
  if (decision.kind !== 'accepted') return decision;
  const [first] = decision.events;
  if (first?.type !== 'PurchaseOpened' || first.data.paid === undefined)
    throw new Error('a paid purchase does not say its lot');
  const how = { purchase: first.data.purchase, lot: first.data.paid.lot };
  const data = { id, result: 'paid', reference, paid: how } as const;
  return accepted({ type: 'AutoTopUpResolved', key, data, facts: {} }, ...decision.events);
}

/** The request is over; its money waits for finance. */
function parked(
  wallet: Wallet,
  command: ResolveAutoTopUp & CommandKey,
  paid: Money,
  reason: UnappliedReason,
  now: number,
): WalletDecision {
  const { id, reference, key } = command;
  const data = { id, result: 'unapplied', reference } as const;
  return accepted(
    { type: 'AutoTopUpResolved', key, data, facts: {} },
    unapplied(wallet, id, reason, { key: null, reference, paid }, now),
  );
}
