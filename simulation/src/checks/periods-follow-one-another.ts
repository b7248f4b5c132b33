/**
 * Billing rules 1 to 3: a period begins where the last one ended and says so, however late it is written; it is paid once,
 * at the price of the terms in force at its beginning; what has fallen due has been done. An upgrade costs its share of the
 * difference, up to the next credit; a cancellation gives back no more than what is left (gives-back.ts). What costs nothing is
 * not begun anew before its last period has passed.
 */
import type { PlanTerms, Subscription, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { emptyState, refold, smallerOf, stepsOf, sumOf } from '../refold.ts';
import { quotasGrantedBy, subscriptionAfter } from '../refold-quotas.ts';
import { broken, type Evidence, termsOf } from './evidence.ts';
import { givesBack, isMeasured } from './gives-back.ts';

const CREDIT = 1_000_000n;

interface Course {
  readonly now: Subscription;
  readonly terms: PlanTerms;
}

export function periodsFollowOneAnother(evidence: Evidence): void {
  for (const { stream, events } of evidence.wallets) {
    let before: Course | null = null;
    let trials = 0;
    let freeUntil = 0;
    let unmeasured = false;
    const state = emptyState();
    const paid = new Set<string>();
    const planned = new Set<string>();
    for (const event of events) {
      const now = subscriptionAfter(event);
      if (now === undefined) {
        if (before !== null && !isMeasured(before.terms) && mayHaveCalled(event, planned)) unmeasured = true;
        if (event.type === 'HoldPlaced' && event.data.plan !== undefined) planned.add(event.data.hold);
        refold(state, event);
        continue;
      }
      const terms: PlanTerms = termsOf(evidence, now.plan, now.plan_version);
      const at = { stream, revision: event.revision, type: event.type };
      follows(evidence, before, now, event, at);
      const begins = before?.now.id !== now.id || before.now.period_start !== now.period_start;
      if (isPaidBy(before?.now ?? null, now)) {
        const period = `${now.id} ${now.period_start}`;
        if (paid.has(period)) broken('a period is paid once', { ...at, period });
        paid.add(period);
        costsItsPrice(now, terms, event, at);
      } else if (event.type === 'SubscriptionChanged') changeCosts(before, { now, terms }, event, at);
      else if (event.type === 'SubscriptionEnded')
        givesBack(before, state.plan, unmeasured, event, -spentBy(event), at);
      if (event.type === 'SubscriptionStarted' && now.trial_end !== null) trials += 1;
      if (trials > 1) broken('an account has one trial, ever', at);
      if (now.status === 'active' && isFree(terms)) {
        if (begins && Date.parse(now.period_start) < freeUntil)
          broken('what costs nothing is not begun anew before its last period has passed', {
            ...at,
            freeUntil,
          });
        freeUntil = Math.max(freeUntil, Date.parse(now.period_end));
      }
      if (begins) unmeasured = false;
      before = { now, terms };
      refold(state, event);
    }
    isUpToDate(before?.now ?? null, evidence.world.clock(), stream);
  }
}

/** It was charged on a plan, or its hold has expired and it may be yet. */
function mayHaveCalled(event: StoredEvent<WalletEvent>, planned: ReadonlySet<string>): boolean {
  if (event.type === 'UsageCharged') return event.data.plan !== undefined;
  return (
    event.type === 'Expired' && event.data.items.some(({ kind, id }) => kind === 'hold' && planned.has(id))
  );
}

type At = { readonly stream: string; readonly revision: number; readonly type: string };

function follows(
  { plans }: Evidence,
  course: Course | null,
  now: Subscription,
  event: StoredEvent<WalletEvent>,
  at: At,
): void {
  const before = course?.now ?? null;
  const { effective_at } = event.data as { effective_at?: string };
  const about = { ...at, before: before?.period_end, start: now.period_start, effective_at };
  if (event.type === 'SubscriptionStarted') {
    if (before !== null && before.ended_at === null) broken('there is one subscription at a time', about);
    return;
  }
  if (before === null || now.id !== before.id) throw broken('a subscription is started first', about);
  if (event.type === 'SubscriptionEnded') endsInTime(before, now, effective_at, at);
  if (now.period_start === before.period_start) {
    if (now.period_end !== before.period_end) broken('a period keeps its end', about);
    return;
  }
  if (event.type !== 'SubscriptionRenewed' && event.type !== 'SubscriptionPastDue')
    broken('a period begins by a renewal', about);
  if (now.period_start !== before.period_end) broken('a period begins where the last one ended', about);
  if (effective_at !== now.period_start) broken('a renewal is of its own instant', about);
  if (!before.period_paid) broken('an unpaid period is followed by none', about);
  if (Date.parse(now.period_start) > event.recordedAt) broken('nothing is renewed before its time', about);
  const published = plans.find(({ data }) => data.id === now.plan && data.version === now.plan_version);
  const isOther = now.plan !== before.plan || now.plan_version !== before.plan_version;
  if (isOther && Date.parse(published?.data.effective_from ?? '') > Date.parse(now.period_start))
    broken('a period is on terms that were in force at its beginning', about);
}

function endsInTime(before: Subscription, now: Subscription, effective_at: string | undefined, at: At): void {
  const about = { ...at, ended_at: now.ended_at, effective_at };
  if (effective_at !== now.ended_at) broken('an end is of its own instant', about);
  // Canceled by a command it ends when that is decided; what falls due ends at a boundary.
  if (now.status === 'canceled' && now.cancel_at === null) return;
  const boundaries = [before.period_end, before.grace_ends_at];
  if (now.status === 'lapsed' && !boundaries.includes(now.ended_at))
    broken('a subscription lapses at the end of its period or its grace', about);
}

function isPaidBy(before: Subscription | null, now: Subscription): boolean {
  if (!now.period_paid) return false;
  return before?.id !== now.id || before.period_start !== now.period_start || !before.period_paid;
}

/** What this event took of the wallet for good. */
function spentBy(event: StoredEvent<WalletEvent>): bigint {
  const { moves = [] } = event.data as { moves?: readonly { to: string; from: string; credits: string }[] };
  return sumOf(
    moves.map(({ from, to, credits }) =>
      to === 'spent' ? stepsOf(credits) : from === 'spent' ? -stepsOf(credits) : 0n,
    ),
  );
}

function costsItsPrice(
  now: Subscription,
  { price }: PlanTerms,
  event: StoredEvent<WalletEvent>,
  at: At,
): void {
  const spent = spentBy(event);
  const about = { ...at, spent, price, period_credits: now.period_credits };
  if (spent !== stepsOf(now.period_credits)) broken('a period costs what it says', about);
  const isByCredits = now.pay === 'credits' && now.status !== 'trialing' && 'credits' in price;
  const whole = isByCredits && event.type !== 'SubscriptionPaymentRecorded' ? stepsOf(price.credits) : 0n;
  // The calendar's first period is a part of one, at a part of its price.
  const isPart = now.anchor === 'calendar' && now.period_start === now.anchor_at;
  if (isPart ? spent > whole || (whole > 0n && spent <= 0n) : spent !== whole)
    broken('a period costs the price of its plan', about);
}

function changeCosts(
  before: Course | null,
  { now, terms }: Course,
  event: StoredEvent<WalletEvent> & { readonly type: 'SubscriptionChanged' },
  at: At,
): void {
  const spent = spentBy(event);
  if (event.data.change !== 'upgraded') {
    if (spent !== 0n || quotasGrantedBy(event).length > 0) broken('what is scheduled costs nothing yet', at);
    return;
  }
  const [was, is] = [before?.terms.price, terms.price];
  const [start, end] = [BigInt(Date.parse(now.period_start)), BigInt(Date.parse(now.period_end))];
  const left = end - BigInt(event.recordedAt);
  const more = creditsOf(is) - creditsOf(was);
  const share = ceilTo(CREDIT, more * left, end - start);
  const expected = now.status === 'trialing' ? 0n : smallerOf(share, more);
  if (spent !== expected) broken('an upgrade costs its share of the difference', { ...at, spent, expected });
  for (const { unit, model, quantity, origin } of quotasGrantedBy(event)) {
    if (origin.kind !== 'plan' || origin.per !== 'period') continue;
    const isIt = (line: PlanTerms['included'][number]): boolean =>
      line.unit === unit && line.model === model && line.per === 'period';
    const amounts = [terms, before?.terms].map((of) => of?.included.find(isIt)?.amount ?? '0');
    const [after, had] = amounts.map((amount) => (amount === 'unlimited' ? 0n : BigInt(amount)));
    const share = (((after ?? 0n) - (had ?? 0n)) * left) / (end - start);
    if (BigInt(quantity) !== share)
      broken('an upgrade grants its share of the difference', { ...at, unit, model, quantity, share });
  }
}

const isFree = ({ price }: PlanTerms): boolean =>
  'credits' in price ? stepsOf(price.credits) === 0n : stepsOf(price.amount, price.currency) === 0n;

const creditsOf = (price: PlanTerms['price'] | undefined): bigint =>
  price !== undefined && 'credits' in price ? stepsOf(price.credits) : 0n;

const ceilTo = (step: bigint, n: bigint, d: bigint): bigint => ((n + d * step - 1n) / (d * step)) * step;

/** After everything that is due has been done. */
function isUpToDate(now: Subscription | null, clock: number, stream: string): void {
  if (now === null || now.ended_at !== null) return;
  const due = [now.period_end, now.grace_ends_at, ...now.next_grants].filter((at) => at !== null);
  const isUnpaid = now.status === 'past_due';
  const late = due.find((at) => Date.parse(at) <= clock && !(isUnpaid && now.next_grants.includes(at)));
  if (late !== undefined) broken('what is due in a subscription is done', { stream, late, clock });
}
