/** Credits in: top-ups, grants, adjustments upwards; and adjustments downwards. */
import {
  AMOUNT_MAX,
  CREDITS,
  formatAmount,
  formatCredits,
  type Money,
  parseAmount,
  powerOfTen,
} from '../amount.ts';
import type { CommandKey } from '../decider.ts';
import { accounts } from '../entry.ts';
import {
  type AdjustCredits,
  accepted,
  type GrantCredits,
  refused,
  type TopUpCredits,
  type WalletDecision,
} from './commands.ts';
import { EntryDraft } from './entry-draft.ts';
import type { CreditsAdjusted, NewLot, Origin } from './events.ts';
import type { Lot, Wallet } from './state.ts';

export const LOTS_MAX = 1_000;
/** A wallet's sums stay inside Postgres' bigint whatever is added up. */
/** Of the money behind one lot: several top-ups may be one lot, and its column is a bigint. */
const PAID_MAX = AMOUNT_MAX * powerOfTen(9);
export const BALANCE_MAX = AMOUNT_MAX * 1_000n * powerOfTen(6);
export const DEFAULT_PRIORITY = 100;

type Keyed<C> = C & CommandKey;

export type Incoming = {
  from: 'granted' | 'adjusted';
  credits: bigint;
  expiresAt: number | null;
  priority: number;
  origin: Origin;
  paid: Money | null;
};

export function topUp(wallet: Wallet, command: Keyed<TopUpCredits>, now: number): WalletDecision {
  const money = accounts.clearing(command.source);
  const draft = new EntryDraft(wallet, now, { granted: { credits: accounts.issued, money } });
  const { source, reference } = command;
  const lot = bringIn(draft, {
    ...command,
    from: 'granted',
    origin: { kind: 'top_up', of: source, ref: reference },
  });
  if (typeof lot !== 'string') return lot;
  const data = { lot, credits: formatCredits(command.credits), source, reference, ...draft.movement() };
  return accepted({ type: 'TopUp', key: command.key, data, facts: draft.facts() });
}

export function grant(wallet: Wallet, command: Keyed<GrantCredits>, now: number): WalletDecision {
  const { kind, reference } = command;
  const promotions = accounts.promotions(kind);
  const draft = new EntryDraft(wallet, now, { granted: { credits: promotions, money: promotions } });
  const origin: Origin = { kind: 'grant', of: kind, ref: reference };
  const lot = bringIn(draft, { ...command, from: 'granted', origin, paid: null });
  if (typeof lot !== 'string') return lot;
  const data = { lot, credits: formatCredits(command.credits), kind, reference, ...draft.movement() };
  return accepted({ type: 'CreditsGranted', key: command.key, data, facts: draft.facts() });
}

export function adjust(wallet: Wallet, command: Keyed<AdjustCredits>, now: number): WalletDecision {
  const draft = new EntryDraft(wallet, now);
  const { credits, reason, reference } = command;
  let lot: string | undefined;
  if (credits > 0n) {
    const origin: Origin = { kind: 'adjustment', of: 'adjustment', ref: reference };
    const marks = { expiresAt: null, priority: DEFAULT_PRIORITY, paid: null };
    const made = bringIn(draft, { from: 'adjusted', credits, origin, ...marks });
    if (typeof made !== 'string') return made;
    lot = made;
  } else {
    if (wallet.totals.adjusted < -BALANCE_MAX)
      return refused({ code: 'balance_limit', limit: formatCredits(BALANCE_MAX) });
    // Finance's word stands: what the lots do not have becomes debt.
    draft.take(-credits, 'adjusted');
  }
  const data: CreditsAdjusted = {
    credits: formatCredits(credits),
    ...(lot === undefined ? {} : { lot }),
    reason,
    reference,
    ...draft.movement(),
  };
  return accepted({ type: 'CreditsAdjusted', key: command.key, data, facts: draft.facts() });
}

/**
 * Makes the lot (or adds to an equal one where there are too many) and lets debt be paid first.
 * @param limits what falls due by itself is brought in whatever they are: there is nobody to refuse it to
 */
export function bringIn(
  draft: EntryDraft,
  incoming: Incoming,
  limits: 'within_limits' | 'whatever_the_limits' = 'within_limits',
): string | WalletDecision {
  const { wallet } = draft;
  const isLimited = limits === 'within_limits';
  if (incoming.expiresAt !== null && incoming.expiresAt <= draft.now) {
    return refused({ code: 'expires_in_past', expires_at: new Date(incoming.expiresAt).toISOString() });
  }
  const { totals } = wallet;
  if (isLimited && totals.granted + totals.adjusted + incoming.credits > BALANCE_MAX) {
    return refused({ code: 'balance_limit', limit: formatCredits(BALANCE_MAX) });
  }
  const equal = wallet.lots.length < LOTS_MAX ? undefined : wallet.lots.find((lot) => isEqual(lot, incoming));
  if (isLimited && equal === undefined && wallet.lots.length >= LOTS_MAX)
    return refused({ code: 'too_many_lots', limit: LOTS_MAX });
  const lot = equal?.id ?? draft.nextLotId();
  if (equal === undefined) draft.addLot(newLot(lot, incoming), incoming.paid ?? undefined);
  const paid = incoming.paid === null ? 0n : parseAmount(incoming.paid.amount, incoming.paid.currency);
  draft.place(incoming.from, lot, incoming.credits, paid);
  return lot;
}

/** Equal marks, expiry and unit price: then two lots are one for every purpose (rule 7). */
function isEqual(lot: Lot, incoming: Incoming): boolean {
  const paid = incoming.paid === null ? 0n : parseAmount(incoming.paid.amount, incoming.paid.currency);
  return (
    lot.unit === CREDITS &&
    lot.priority === incoming.priority &&
    lot.expiresAt === incoming.expiresAt &&
    lot.withdrawable === 0n &&
    lot.origin.kind === incoming.origin.kind &&
    lot.origin.of === incoming.origin.of &&
    (lot.currency ?? null) === (incoming.paid?.currency ?? null) &&
    lot.paidInAll * incoming.credits === paid * lot.quantity &&
    // At one price for all, the money is that of the credits that are left, free or pinned.
    lot.paidInAll * (lot.free + lot.pinned + incoming.credits) <= PAID_MAX * lot.quantity
  );
}

function newLot(lot: string, incoming: Incoming): NewLot {
  return {
    lot,
    unit: CREDITS,
    quantity: formatAmount(incoming.credits, CREDITS),
    priority: incoming.priority,
    expires_at: incoming.expiresAt === null ? null : new Date(incoming.expiresAt).toISOString(),
    withdrawable: '0',
    origin: incoming.origin,
  };
}
