/**
 * A subscription ends: what is free of its quotas is lost, and the money that nobody earned is breakage. What open holds
 * have of its quotas stays theirs. Cancelled now it gives nothing back, unless the plan says so: then the rest of the
 * period's credits returns to the lots that paid, the last one first, but not to lots that have expired meanwhile.
 */
import {
  CREDITS,
  formatAmount,
  formatCredits,
  parseAmount,
  parseCredits,
  powerOfTen,
  scaleOf,
  smaller,
} from '../../amount.ts';
import { accounts } from '../../entry.ts';
import type { EntryDraft } from '../entry-draft.ts';
import type { Move, WalletEvent } from '../events.ts';
import { addLot } from '../moves.ts';
import { giveBack, type Restored } from '../reversal.ts';
import { lotOf, shareOf, type Wallet } from '../state.ts';
import type { BillLine, Subscription } from './events.ts';
import { draftFor, factsOf, iso, periodOf, withoutGrace } from './period.ts';
import { Pots } from './pots.ts';
import type { SubscriptionState } from './state.ts';

export interface Ending {
  readonly status: 'canceled' | 'lapsed';
  readonly at: number;
  readonly now: number;
  /** By a command; null: it fell due. */
  readonly command: {
    readonly key: string | null;
    readonly reference: string;
    /** Lots that the refund goes to and that had left the wallet. */
    readonly restored: Restored;
  } | null;
}

/** Money that has just become breakage. */
interface Lapsed {
  readonly currency: string | null;
  readonly steps: bigint;
}

export function endSubscription(wallet: Wallet, state: SubscriptionState, ending: Ending): WalletEvent {
  const { status, at, now, command } = ending;
  const draft = draftFor(wallet, now, state.now.plan);
  const pots = Pots.left(draft, state);
  const lapsed = lapse(draft, state, pots);
  const subscription: Subscription = {
    ...withoutGrace(state.now),
    status,
    ended_at: iso(at),
    pending_plan: null,
    next_grants: state.terms.included.map(() => null),
  };
  for (const lot of command?.restored.lots ?? []) addLot(draft.wallet, lot, command?.restored.paid[lot.lot]);
  const credits = command === null ? 0n : refund(draft, refundMoves(wallet, state, at), state, at, lapsed);
  const lines: BillLine[] =
    credits === 0n ? [] : [{ description: 'rest of the period', credits: formatCredits(-credits) }];
  const facts = factsOf(draft, pots);
  const lots = { ...facts.lots, ...command?.restored.paid };
  return {
    type: 'SubscriptionEnded',
    key: command?.key ?? null,
    data: {
      subscription,
      effective_at: iso(at),
      lines,
      ...(command === null ? {} : { reference: command.reference }),
      ...(command === null || command.restored.lots.length === 0 ? {} : { restored: command.restored.lots }),
      ...draft.movement(),
    },
    facts: { ...facts, ...(Object.keys(lots).length === 0 ? {} : { lots }) },
  };
}

function lapse(draft: EntryDraft, { now }: SubscriptionState, pots: Pots): Lapsed {
  const { currency, steps } = pots.rest();
  let lapsed = steps;
  for (const { id, origin, paid, currency: of } of [...draft.wallet.quotas]) {
    if (origin.kind !== 'plan' || origin.subscription !== now.id) continue;
    if (of === currency || currency === null) lapsed += paid;
    draft.lapseQuota(id);
  }
  pots.lapse();
  const known = currency ?? draft.wallet.quotas.find((quota) => quota.currency !== null)?.currency ?? null;
  return { currency: known, steps: lapsed };
}

const CREDIT = powerOfTen(scaleOf(CREDITS));

/** Which lots would take credits back: they may have left the wallet, and are asked for by their births. */
export function refundMoves(wallet: Wallet, state: SubscriptionState, at: number): readonly Move[] {
  const { now, terms } = state;
  if (terms.refund_on_cancel !== true || !now.period_paid) return [];
  const { start, end } = periodOf(now);
  const paid = parseCredits(now.period_credits);
  const rest = smaller((paid * BigInt(end - at)) / BigInt(end - start), unusedOf(wallet, state, paid));
  let left = rest - (rest % CREDIT);
  const moves: Move[] = [];
  for (const { lot, credits } of [...now.paid_from].reverse()) {
    const part = smaller(left, parseCredits(credits));
    left -= part;
    if (part === 0n) continue;
    moves.push({ ...(lot === null ? {} : { lot }), from: 'free', to: 'spent', credits: formatCredits(part) });
  }
  return moves;
}

/**
 * What of the price nobody has used of any quota: else it could be used up, given back, and bought again. A window counts
 * for its part of the period.
 */
function unusedOf({ quotas }: Wallet, { now }: SubscriptionState, paid: bigint): bigint {
  const { start, end } = periodOf(now);
  // By what a line is: an upgrade numbers them anew.
  const used = new Map<string, bigint>();
  for (const { unit, model, origin, free, quantity, startsAt, expiresAt } of quotas) {
    if (origin.kind !== 'plan' || origin.subscription !== now.id) continue;
    const part = BigInt(Math.min(expiresAt, end) - Math.max(startsAt, start));
    const gone = (paid * (quantity - free) * part) / (quantity * BigInt(end - start));
    const line = `${unit} ${origin.per} ${model}`;
    used.set(line, (used.get(line) ?? 0n) + gone);
  }
  let least = paid;
  for (const gone of used.values()) least = smaller(least, paid - gone);
  return least < 0n ? 0n : least;
}

/** Gives back to those that have not expired; says how much. The money comes out of what has just become breakage. */
function refund(
  draft: EntryDraft,
  due: readonly Move[],
  state: SubscriptionState,
  at: number,
  lapsed: Lapsed,
): bigint {
  const moves = due.filter(({ lot }) => lot === undefined || !isOver(lotOf(draft.wallet, lot).expiresAt, at));
  let money = lapsed.steps;
  const paid = moves.map(({ lot, credits }) => {
    const index = state.now.paid_from.findIndex((from) => from.lot === (lot ?? null));
    const behind = state.paidMoney[index];
    const from = state.now.paid_from[index];
    if (behind === undefined || from === undefined || behind.currency !== lapsed.currency) return '0';
    const whole = parseAmount(behind.amount, behind.currency);
    const share = smaller(money, shareOf(whole, parseCredits(credits), parseCredits(from.credits)));
    money -= share;
    draft.moneyMove(accounts.breakage, accounts.deferred, behind.currency, share);
    return formatAmount(share, behind.currency);
  });
  giveBack(draft, moves, paid);
  return moves.reduce((sum, { credits }) => sum + parseCredits(credits), 0n);
}

function isOver(expiresAt: number | null, at: number): boolean {
  return expiresAt !== null && expiresAt <= at;
}
