/**
 * What a plan with `refund_on_cancel` gives back of a period's credits: in whole credits the lesser of what is left of the
 * time and of what is left of the quotas, to the lots that paid, the last one first, but not to lots that have expired.
 *
 * What was used up can be given back neither whole nor in part, or it could be used, given back, and bought again. Where
 * no quota measures what a plan gives (`isMeasured`), one call is enough for nothing to come back; so is a hold that has
 * expired, whose call may be settled yet.
 */
import {
  CREDITS,
  divideUp,
  formatAmount,
  formatCredits,
  parseAmount,
  parseCredits,
  powerOfTen,
  scaleOf,
  smaller,
} from '../../amount.ts';
import { accounts } from '../../entry.ts';
import type { IncludedLine } from '../../plans/terms.ts';
import type { EntryDraft } from '../entry-draft.ts';
import type { Move } from '../events.ts';
import type { Quota } from '../quota/state.ts';
import { giveBack } from '../reversal.ts';
import { lotOf, shareOf, type Wallet } from '../state.ts';
import type { TimeWindow } from './calendar.ts';
import { isMeasured, isOfLine } from './lines.ts';
import { periodOf } from './period.ts';
import type { SubscriptionState } from './state.ts';

const CREDIT = powerOfTen(scaleOf(CREDITS));

/** Money that has just become breakage. */
export interface Lapsed {
  readonly currency: string | null;
  readonly steps: bigint;
}

/** Which lots would take credits back: they may have left the wallet, and are asked for by their births. */
export function refundMoves(wallet: Wallet, state: SubscriptionState, at: number): readonly Move[] {
  const { now, terms } = state;
  if (terms.refund_on_cancel !== true || !now.period_paid) return [];
  if (isUnmeasured(wallet, state)) return [];
  const period = periodOf(now);
  const paid = parseCredits(now.period_credits);
  const ofTime = (paid * BigInt(period.end - at)) / BigInt(period.end - period.start);
  const rest = smaller(ofTime, paid - mostGone(wallet, state, paid, period, at));
  let left = rest < 0n ? 0n : rest - (rest % CREDIT);
  const moves: Move[] = [];
  for (const { lot, credits } of [...now.paid_from].reverse()) {
    const part = smaller(left, parseCredits(credits));
    left -= part;
    if (part === 0n) continue;
    moves.push({ ...(lot === null ? {} : { lot }), from: 'free', to: 'spent', credits: formatCredits(part) });
  }
  return moves;
}

/** What is under way may have it still: on these terms, or on those that it was placed on. */
function isUnmeasured({ holds }: Wallet, { now, terms, unmeasured }: SubscriptionState): boolean {
  if (unmeasured) return true;
  return [...holds.values()].some(({ plan }) => {
    const isOfNow = plan?.id === now.plan && plan.version === now.plan_version;
    return plan !== null && !(isOfNow && isMeasured(terms));
  });
}

/** Of the line of which most is gone. */
function mostGone(
  { quotas }: Wallet,
  { now, terms }: SubscriptionState,
  paid: bigint,
  period: TimeWindow,
  at: number,
): bigint {
  let most = 0n;
  for (const line of terms.included) {
    const lasting = quotas.filter((quota) => quota.expiresAt > at && isOfLine(quota, now.id, line, true));
    const gone = goneOf(line, lasting, paid, period, at);
    if (gone > most) most = gone;
  }
  return most;
}

/** The windows that have passed, and what was used, or is held, in the one that lasts: each for its part of the period. */
function goneOf(
  { per }: IncludedLine,
  lasting: readonly Quota[],
  paid: bigint,
  { start, end }: TimeWindow,
  at: number,
): bigint {
  const begun = Math.min(at, ...lasting.map(({ startsAt }) => Math.max(startsAt, start)));
  const whole = BigInt(end - start);
  let gone = per === 'period' ? 0n : divideUp(paid * BigInt(begun - start), whole);
  for (const quotas of inWindows(lasting)) {
    const from = Math.min(...quotas.map(({ startsAt }) => Math.max(startsAt, start)));
    const part = BigInt(Math.min(...quotas.map(({ expiresAt }) => expiresAt), end) - from);
    const had = sumOf(quotas, ({ used, pinned }) => used + pinned);
    const inAll = sumOf(quotas, ({ used, pinned, free }) => used + pinned + free);
    if (inAll > 0n) gone += divideUp(paid * part * had, whole * inAll);
  }
  return gone;
}

/** What a grace has granted of a window and what its payment made up are one; what a change of plan has added is its own. */
function inWindows(quotas: readonly Quota[]): Iterable<readonly Quota[]> {
  return Map.groupBy(quotas, ({ id, expiresAt, origin }) =>
    origin.kind === 'plan' && origin.extra === true ? id : expiresAt,
  ).values();
}

function sumOf(quotas: readonly Quota[], amount: (quota: Quota) => bigint): bigint {
  return quotas.reduce((sum, quota) => sum + amount(quota), 0n);
}

/** Gives back to those that have not expired; says how much. The money comes out of what has just become breakage. */
export function refund(
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
