/**
 * The outside world's word on a period, and finance's on quotas. A payment names its period and is always booked (billing
 * rule 2): while the period lasts it makes the subscription active again, at its old anchor, though it may have lapsed;
 * what comes too late, or twice, or for no period of ours, is money that waits for finance. It is never refused.
 */
import { type Money, parseAmount } from '../../amount.ts';
import type { CommandKey } from '../../decider.ts';
import { accounts } from '../../entry.ts';
import type { WalletContext } from '../booked.ts';
import { accepted, refused, type WalletDecision } from '../commands.ts';
import { EntryDraft } from '../entry-draft.ts';
import type { Wallet } from '../state.ts';
import type { ExpandQuota, RecordSubscriptionPayment } from './commands.ts';
import type { UnappliedPaymentReason } from './events.ts';
import { iso, periodOf, wholeOf } from './period.ts';
import { rhythmOf, type SubscriptionState } from './state.ts';
import { payLate } from './unpaid.ts';

/** Quotas in a wallet's state; what comes beyond would make every decision slow (rule 7). */
export const QUOTAS_MAX = 1_000;

export function recordSubscriptionPayment(
  wallet: Wallet,
  command: RecordSubscriptionPayment & CommandKey,
  { now }: WalletContext,
): WalletDecision {
  const { subscription: state } = wallet;
  const { key, paid, result, reference } = command;
  const period_start = iso(command.periodStart);
  const isDue = state !== null && isWaitingFor(state, command.periodStart, now);
  if (result === 'paid' && isDue && isThePrice(state, paid)) {
    const subscription = { ...state.now, status: 'active' as const, ended_at: null };
    const opened = payLate({ wallet, subscription, terms: state.terms, before: state, now }, { money: paid });
    const data = {
      ...{ period_start, result, applied: true, reference },
      subscription: opened.subscription,
      ...opened.draft.movement(),
    };
    return accepted({
      type: 'SubscriptionPaymentRecorded',
      key,
      data,
      facts: { ...opened.facts, received: paid },
    });
  }
  const draft = new EntryDraft(wallet, now);
  if (result === 'paid' && paid !== null) {
    const steps = parseAmount(paid.amount, paid.currency);
    draft.moneyMove(accounts.clearing('subscriptions'), accounts.unapplied, paid.currency, steps);
  }
  const reason = result === 'paid' ? { reason: whyUnapplied(state, command.periodStart, now) } : {};
  const data = { period_start, result, applied: false, ...reason, reference, ...draft.movement() };
  const facts = { ...draft.facts(), pots: state?.pots ?? null, received: paid };
  return accepted({ type: 'SubscriptionPaymentRecorded', key, data, facts });
}

function isWaitingFor({ now: subscription }: SubscriptionState, periodStart: number, now: number): boolean {
  const { status, period_paid, period_start, period_end } = subscription;
  if (period_paid || Date.parse(period_start) !== periodStart) return false;
  return status === 'past_due' || (status === 'lapsed' && now < Date.parse(period_end));
}

function whyUnapplied(
  state: SubscriptionState | null,
  periodStart: number,
  now: number,
): UnappliedPaymentReason {
  if (state === null) return 'not_the_period';
  const { period_start, period_paid, period_end } = state.now;
  if (Date.parse(period_start) !== periodStart) return 'not_the_period';
  if (period_paid) return 'paid_already';
  return isWaitingFor(state, periodStart, now)
    ? 'amount_differs'
    : now < Date.parse(period_end)
      ? 'canceled'
      : 'too_late';
}

/**
 * Another sum, or in another currency, is not "as ordered" (billing rule 24): it waits for finance. Where no sum is told
 * the outside world's word is enough, as it is for a plan that has its price in credits.
 */
function isThePrice({ now, terms }: SubscriptionState, paid: Money | null): boolean {
  if (paid === null || 'credits' in terms.price) return true;
  if (paid.currency !== terms.price.currency) return false;
  const price = parseAmount(terms.price.amount, paid.currency);
  const period = periodOf(now);
  const whole = wholeOf(rhythmOf(now), terms, period, false);
  // A calendar's first month may be a part of one, and is rounded outside.
  const least = (price * BigInt(period.end - period.start)) / BigInt(whole.end - whole.start);
  const steps = parseAmount(paid.amount, paid.currency);
  return steps >= least && steps <= price;
}

/** More of a quota for a time, beside what the plan grants (Q9). */
export function expandQuota(
  wallet: Wallet,
  command: ExpandQuota & CommandKey,
  { now }: WalletContext,
): WalletDecision {
  const { key, unit, model, amount, expiresAt, reason, reference } = command;
  if (expiresAt <= now) return refused({ code: 'expires_in_past', expires_at: iso(expiresAt) });
  if (wallet.quotas.length >= QUOTAS_MAX) return refused({ code: 'too_many_quotas', limit: QUOTAS_MAX });
  const draft = new EntryDraft(wallet, now);
  draft.grantQuota(
    {
      quota: draft.nextQuotaId(),
      unit,
      model,
      quantity: amount.toString(),
      starts_at: iso(now),
      expires_at: iso(expiresAt),
      origin: { kind: 'expansion', ref: reference, reason },
    },
    undefined,
  );
  const data = { reason, reference, ...draft.movement() };
  return accepted({ type: 'QuotaExpanded', key, data, facts: draft.facts() });
}
