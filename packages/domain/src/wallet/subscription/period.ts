/**
 * A period begins: it is paid from credits (or waits for the outside world's word), the money behind what paid goes into
 * the pots, and the quotas of the windows that are open then are granted. Started and renewed are the same thing seen from
 * here. A period always begins where the last one ended, however late that is carried out. Unpaid ones: `unpaid.ts`.
 */
import {
  CREDITS,
  divideUp,
  formatAmount,
  formatCredits,
  type Money,
  parseAmount,
  powerOfTen,
  scaleOf,
} from '../../amount.ts';
import { accounts } from '../../entry.ts';
import { compiledTerms } from '../../plans/compile.ts';
import type { PlanTerms } from '../../plans/terms.ts';
import { EntryDraft } from '../entry-draft.ts';
import type { Wallet } from '../state.ts';
import { type Rhythm, type TimeWindow, windowAt } from './calendar.ts';
import type { PaidFrom, Subscription, SubscriptionFacts } from './events.ts';
import { type Granting, grantWindows, type Quantity } from './grants.ts';
import { isOfLine, linesBefore } from './lines.ts';
import { Pots } from './pots.ts';
import { rhythmOf, type SubscriptionState } from './state.ts';

const CREDIT = powerOfTen(scaleOf(CREDITS));
export const PAID_FROM_MAX = 100;

/** The draft of an event about a plan's money: what it burns of credits stays deferred. */
export function draftFor(wallet: Wallet, now: number, plan: string): EntryDraft {
  return new EntryDraft(wallet, now, {
    spent: { credits: accounts.subscriptions(plan), money: accounts.deferred },
  });
}

/** The price in credits of a whole period, in smallest steps; null where it is a price in money. */
export function creditPrice(terms: PlanTerms): bigint | null {
  const { price } = compiledTerms(terms);
  if (price.unit === CREDITS) return price.amount;
  return price.amount === 0n ? 0n : null;
}

/** Of a part of a period, up to the next whole credit, and never more than the whole (billing rule 3). */
export function partOf(credits: bigint, part: number, whole: number): bigint {
  if (part >= whole) return credits;
  const up = divideUp(credits * BigInt(part), BigInt(whole) * CREDIT) * CREDIT;
  return up < credits ? up : credits;
}

export const iso = (at: number): string => new Date(at).toISOString();

export function periodOf({ period_start, period_end }: Subscription): TimeWindow {
  return { start: Date.parse(period_start), end: Date.parse(period_end) };
}

/** The window of the plan's interval that a period belongs to. */
export function wholeOf(rhythm: Rhythm, terms: PlanTerms, period: TimeWindow, isTrial: boolean): TimeWindow {
  return isTrial ? period : windowAt(rhythm, terms.interval, period.start);
}

/** What the event says is left of the money, and which lots paid. */
export function factsOf(draft: EntryDraft, pots: Pots, paidMoney?: readonly Money[]): SubscriptionFacts {
  return {
    ...draft.facts(),
    pots: pots.fact(),
    ...(paidMoney === undefined ? {} : { paid_from: paidMoney }),
  };
}

/** Burns the credits; says which lots they came from, with the money behind each, and all the money for the pots. */
export function payFromCredits(
  draft: EntryDraft,
  credits: bigint,
): { readonly from: readonly PaidFrom[]; readonly money: readonly Money[]; readonly all: readonly Money[] } {
  draft.take(credits, 'spent');
  const burned = draft.burned();
  const all = burned.map(({ paid, currency }) =>
    currency === null ? { amount: '0', currency: 'XXX' } : { amount: formatAmount(paid, currency), currency },
  );
  // A refund begins with the last; what many small lots have paid before would outgrow the event.
  const from = burned
    .slice(-PAID_FROM_MAX)
    .map(({ lot, credits: part }) => ({ lot, credits: formatCredits(part) }));
  return { from, money: all.slice(-PAID_FROM_MAX), all };
}

export function fillPots(pots: Pots, money: readonly Money[]): void {
  const sums = new Map<string, bigint>();
  for (const { amount, currency } of money)
    sums.set(currency, (sums.get(currency) ?? 0n) + parseAmount(amount, currency));
  // In the order of their names: which currency a pot gets must not hang on which lot burned first.
  for (const [currency, steps] of [...sums].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (steps > 0n) pots.fill(currency, steps);
}

/** What a period that begins, or is paid late, is made of. */
export interface Opening {
  readonly wallet: Wallet;
  /** With the period, plan and status in it; what is paid and granted is filled in here. */
  readonly subscription: Subscription;
  readonly terms: PlanTerms;
  /** What there was before, of the same subscription; null: it starts. */
  readonly before: SubscriptionState | null;
  readonly now: number;
}

export interface Opened {
  readonly draft: EntryDraft;
  readonly subscription: Subscription;
  readonly facts: SubscriptionFacts;
}

export type Payment = { readonly credits: bigint } | { readonly money: Money | null };

/** A period begins, and is paid: by credits, or by money that has come in from outside. */
export function openPaid(opening: Opening, payment: Payment): Opened {
  const draft = draftFor(opening.wallet, opening.now, opening.subscription.plan);
  const pots = potsOfNewPeriod(draft, opening);
  const paid = pay(draft, pots, payment);
  const granting = grantingOf(draft, opening, pots);
  dropForeignQuotas(draft, opening);
  const next_grants = grantNew(granting, opening);
  const subscription = { ...withoutGrace(opening.subscription), ...paid.subscription, next_grants };
  return { draft, subscription, facts: factsOf(draft, pots, paid.money) };
}

/** It is paid, or has ended. */
export function withoutGrace({ grace_quota: _quota, ...subscription }: Subscription): Subscription {
  return { ...subscription, grace_ends_at: null };
}

export const nameOfPeriod = ({ id, period_start }: Subscription): string => `${id} ${period_start}`;

export function pay(
  draft: EntryDraft,
  pots: Pots,
  payment: Payment,
): {
  readonly subscription: Pick<Subscription, 'period_paid' | 'period_credits' | 'paid_from'>;
  readonly money: readonly Money[];
} {
  if ('credits' in payment) {
    const { from, money, all } = payFromCredits(draft, payment.credits);
    fillPots(pots, all);
    const period_credits = formatCredits(payment.credits);
    return { subscription: { period_paid: true, period_credits, paid_from: from }, money };
  }
  if (payment.money !== null) {
    const { amount, currency } = payment.money;
    const steps = parseAmount(amount, currency);
    draft.moneyMove(accounts.clearing('subscriptions'), accounts.deferred, currency, steps);
    fillPots(pots, [payment.money]);
  }
  return { subscription: { period_paid: true, period_credits: '0', paid_from: [] }, money: [] };
}

/** What is left of the last period's money is breakage. */
export function potsOfNewPeriod(draft: EntryDraft, { subscription, terms, before }: Opening): Pots {
  if (before !== null) {
    Pots.left(draft, before).lapse();
  }
  return new Pots(draft, subscription.plan, terms);
}

export function grantingOf(
  draft: EntryDraft,
  { subscription, terms, now }: Pick<Opening, 'subscription' | 'terms' | 'now'>,
  pots: Pots,
): Granting {
  const period = periodOf(subscription);
  const rhythm = rhythmOf(subscription);
  const isTrial = subscription.status === 'trialing';
  const whole = wholeOf(rhythm, terms, period, isTrial);
  const isPart = isTrial || whole.start < period.start;
  const cutAt = isPart ? period.end : Number.POSITIVE_INFINITY;
  return { draft, subscription: subscription.id, terms, rhythm, period, whole, pots, now, cutAt };
}

/** Lines of the period, and those whose next window begins with it; the others go on in their windows. */
export function grantNew(granting: Granting, opening: Opening, quantityOf?: Quantity): (string | null)[] {
  const { start } = granting.period;
  const dueBefore = dueBeforeOf(opening);
  return grantWindows(granting, start, (index) => isDueBy(dueBefore(index), start), dueBefore, quantityOf);
}

/** When a line was due next, before this period; null where it is new, or its windows are others now. */
export function dueBeforeOf(opening: Opening): (index: number) => string | null {
  const { before, terms } = opening;
  if (before === null || isNewRhythm(opening)) return () => null;
  const lineBefore = linesBefore(terms, before.terms);
  return (index) => before.now.next_grants[lineBefore(index)] ?? null;
}

export const isDueBy = (due: string | null, at: number): boolean => due === null || Date.parse(due) <= at;

/** Other windows begin: after a trial, or with another interval or anchor. */
function isNewRhythm({ before, subscription }: Opening): boolean {
  return before !== null && before.now.anchor_at !== subscription.anchor_at;
}

/** Quotas of windows, or of lines, that there are no more end with what they belonged to. */
export function dropForeignQuotas(draft: EntryDraft, opening: Opening): void {
  const { terms, before } = opening;
  if (before === null) return;
  for (const quota of [...draft.wallet.quotas]) {
    const isOfPlan = quota.origin.kind === 'plan' && quota.origin.subscription === before.now.id;
    const goesOn =
      !isNewRhythm(opening) && terms.included.some((line) => isOfLine(quota, before.now.id, line));
    if (isOfPlan && !goesOn) draft.lapseQuota(quota.id);
  }
}
