/**
 * A period begins, and nobody has paid for it: it has a grace, with what quota the plan says, and lapses where it is not paid
 * by then. Paid late it is as if it had been paid at once: what its grace has granted is made up to the whole.
 */
import type { GraceQuota, IncludedLine } from '../../plans/terms.ts';
import type { EntryDraft } from '../entry-draft.ts';
import type { Quota } from '../quota/state.ts';
import type { Wallet } from '../state.ts';
import { daysAfter, type TimeWindow } from './calendar.ts';
import type { Subscription } from './events.ts';
import { type Granting, grantWindows, prorated } from './grants.ts';
import { isOfLine } from './lines.ts';
import {
  draftFor,
  dropForeignQuotas,
  dueBeforeOf,
  factsOf,
  grantingOf,
  grantNew,
  isDueBy,
  iso,
  nameOfPeriod,
  type Opened,
  type Opening,
  type Payment,
  pay,
  periodOf,
  potsOfNewPeriod,
  withoutGrace,
} from './period.ts';
import { Pots } from './pots.ts';
import type { SubscriptionState } from './state.ts';

/**
 * A period begins, and nobody has paid: quotas only as the plan's grace says. Null: no grace, it lapses. Only the outside
 * world has a day where the plan says nothing: nobody can pay a period before it begins.
 */
export function openUnpaid(opening: Opening): Opened | null {
  const { subscription, terms } = opening;
  const period = periodOf(subscription);
  const days = Math.max(terms.grace?.days ?? 0, subscription.pay === 'external' ? 1 : 0);
  // Whoever subscribes has the grace from now on, though the period has begun before.
  const from = opening.before === null ? opening.now : period.start;
  const lapses = Math.min(period.end, daysAfter(from, days, subscription.time_zone));
  if (lapses <= period.start) return null;
  const draft = draftFor(opening.wallet, opening.now, subscription.plan);
  const pots = potsOfNewPeriod(draft, opening);
  dropForeignQuotas(draft, opening);
  const granting = grantingOf(draft, opening, pots);
  const next_grants = graceGrants(granting, opening, lapses);
  const unpaid = { status: 'past_due', period_paid: false, period_credits: '0', paid_from: [] } as const;
  return {
    draft,
    subscription: {
      ...subscription,
      ...unpaid,
      grace_ends_at: iso(lapses),
      grace_quota: graceQuotaOf(opening),
      next_grants,
    },
    facts: factsOf(draft, pots, []),
  };
}

/**
 * What quota there is in an unpaid period. None in a subscription's first, and none of a plan that was not the last one
 * paid for (or tried): who has never paid for it would have it for nothing, and could start again and again. None for who
 * has left a grace unpaid before, nor in the day that the outside world is given where the plan has no grace.
 */
function graceQuotaOf({ subscription, terms, before }: Opening): GraceQuota {
  const { grace } = terms;
  const isKnown = before !== null && before.now.plan === subscription.plan;
  const isSpent = subscription.grace_spent !== undefined;
  if (!isKnown || isSpent || grace === undefined || grace.days === 0) return 'none';
  return grace.quota;
}

function graceGrants(granting: Granting, opening: Opening, lapses: number): (string | null)[] {
  const quota = graceQuotaOf(opening);
  if (quota === 'none') {
    // A window that goes on from the paid period is not granted once more when this one is paid.
    const dueBefore = dueBeforeOf(opening);
    return opening.terms.included.map((_, index) => dueBefore(index));
  }
  if (quota === 'full') return grantNew(granting, opening);
  const { start, end } = granting.period;
  return grantNew(granting, opening, (index, amount, whole, open) =>
    opening.terms.included[index]?.per === 'period'
      ? (prorated(amount, whole, open) * BigInt(lapses - start)) / BigInt(end - start)
      : prorated(amount, whole, open),
  );
}

/** A period that had begun unpaid is paid: what its grace has granted is made up to the whole. */
export function payLate(opening: Opening & { readonly before: SubscriptionState }, payment: Payment): Opened {
  const draft = draftFor(opening.wallet, opening.now, opening.subscription.plan);
  const pots = Pots.left(draft, opening.before);
  const paid = pay(draft, pots, payment);
  const granting = grantingOf(draft, opening, pots);
  const { id } = opening.before.now;
  const { included } = opening.terms;
  const due = dueOfUnpaid(opening, granting);
  lapseUnpaid(draft, id, included, granting.period);
  const next_grants = grantWindows(
    granting,
    opening.now,
    (index) => included[index]?.per === 'period' || isDueBy(due(index), opening.now),
    due,
    (index, amount, whole, open) =>
      (quantityBegun(opening, granting, index) ?? prorated(amount, whole, open)) -
      grantedOf(draft.wallet, id, included[index], open),
  );
  // All of a line was used before it was paid.
  included.forEach((line, index) => {
    if (line.per === 'period') pots.earn(index);
  });
  const subscription = {
    ...withoutDebt(withoutGrace(opening.subscription)),
    ...paid.subscription,
    next_grants,
  };
  return { draft, subscription, facts: factsOf(draft, pots, paid.money) };
}

/**
 * When its lines are due in an unpaid period. Where it has lapsed nothing is due any more, and what was free of a window
 * that had begun before the period is lost: it was paid for then, and is made up to what it was.
 */
function dueOfUnpaid(
  opening: Opening & { readonly before: SubscriptionState },
  granting: Granting,
): (index: number) => string | null {
  const { before, terms } = opening;
  return (index) => {
    const due = before.now.next_grants[index] ?? null;
    if (due !== null || terms.included[index]?.per === 'period') return due;
    const begun = begunBefore(opening, granting, index).map(({ startsAt }) => startsAt);
    return begun.length === 0 ? null : iso(Math.min(...begun));
  };
}

/** Of a window that lasts and had begun before the period, as much as it was: by the terms of then. */
function quantityBegun(opening: Opening, granting: Granting, index: number): bigint | null {
  const begun = begunBefore(opening, granting, index);
  return begun.length === 0 ? null : begun.reduce((sum, { quantity }) => sum + quantity, 0n);
}

function begunBefore(
  { wallet, terms, now }: Opening,
  { subscription, period, rhythm }: Granting,
  index: number,
): readonly Quota[] {
  const line = terms.included[index];
  if (line?.per === 'period') return [];
  return wallet.quotas.filter(
    (quota) =>
      quota.expiresAt > now &&
      quota.startsAt < period.start &&
      // Windows of another rhythm have ended with it.
      quota.startsAt >= rhythm.anchorAt &&
      isOfLine(quota, subscription, line),
  );
}

/** What the grace has granted has no money behind it: what is left of it is granted anew, with the money. */
function lapseUnpaid(
  draft: EntryDraft,
  subscription: string,
  included: readonly IncludedLine[],
  { start }: TimeWindow,
): void {
  const ofPeriod = included.filter(({ per }) => per === 'period');
  for (const quota of [...draft.wallet.quotas])
    if (quota.startsAt >= start && ofPeriod.some((line) => isOfLine(quota, subscription, line)))
      draft.lapseQuota(quota.id);
}

/** What the grace has granted of a line in this window, and was not lost when the subscription lapsed. */
function grantedOf(
  { quotas }: Wallet,
  subscription: string,
  line: IncludedLine | undefined,
  { start }: TimeWindow,
): bigint {
  let sum = 0n;
  for (const quota of quotas)
    if (isOfLine(quota, subscription, line) && quota.startsAt >= start)
      sum += quota.free + quota.pinned + quota.used;
  return sum;
}

/** The period that had been left unpaid is paid after all. */
function withoutDebt({ grace_spent, ...subscription }: Subscription): Subscription {
  const isOther = grace_spent !== undefined && grace_spent !== nameOfPeriod(subscription);
  return isOther ? { ...subscription, grace_spent } : subscription;
}
