/** Folds what happens to a subscription. Each event says how it stands afterwards, so there is nothing to work out. */
import { compiledTerms } from '../../plans/compile.ts';
import type { Cap, PlanTerms } from '../../plans/terms.ts';
import { addLot, applyMovement, ownHolds } from '../moves.ts';
import type { Wallet } from '../state.ts';
import type { Subscription, SubscriptionEvent, SubscriptionFacts } from './events.ts';
import { isMeasured, isSameLine } from './lines.ts';
import type { CapCounter, OtherCap, SubscriptionState } from './state.ts';

export function evolveSubscription(wallet: Wallet, event: SubscriptionEvent): void {
  if (event.type === 'SubscriptionEnded')
    for (const lot of event.data.restored ?? []) addLot(wallet, lot, event.facts.lots?.[lot.lot]);
  applyMovement(wallet, event.data, event.facts);
  if (event.type === 'SubscriptionEnded') leaveHolds(wallet, event.data.subscription);
  if (event.type !== 'QuotaExpanded' && event.data.subscription !== undefined)
    evolveTo(wallet, event.data.subscription, event.data.terms, event.facts);
  forgetQuotas(wallet, event);
}

function evolveTo(
  wallet: Wallet,
  subscription: Subscription,
  changed: PlanTerms | undefined,
  facts: SubscriptionFacts,
): void {
  if (subscription.trial_end !== null) wallet.trialUsed = true;
  const before = wallet.subscription;
  const terms = changed ?? before?.terms;
  if (terms === undefined) throw new Error(`${wallet.account}: ${subscription.id} has no terms`);
  const { status, period_paid, period_end } = subscription;
  if (status === 'active' && period_paid && compiledTerms(terms).price.amount === 0n)
    wallet.freeUntil = Math.max(wallet.freeUntil, Date.parse(period_end));
  wallet.subscription = stateAfter(wallet, subscription, terms, facts);
  if (before !== null && changed !== undefined) renumberCaps(wallet, before.terms, terms);
}

/** Left before its period's end, its price may have been given back: nothing that was held on it is ours any more. */
function leaveHolds(wallet: Wallet, { id, status, ended_at, period_end }: Subscription): void {
  if (status !== 'canceled' || ended_at === period_end) return;
  for (const hold of [...wallet.holds.values()]) {
    if (hold.plan?.paid_in !== id) continue;
    const { paid_in: _left, ...plan } = hold.plan;
    ownHolds(wallet).set(hold.id, { ...hold, plan });
  }
}

/**
 * A call was charged on a plan, or may be yet: of the period that there is now, whatever plan it was.
 * @param isOverrun beyond a hard stop: no quota measures that either
 */
export function markCalled(wallet: Wallet, isOverrun = false): void {
  const { subscription } = wallet;
  if (subscription === null || subscription.unmeasured) return;
  if (isOverrun || !isMeasured(subscription.terms))
    wallet.subscription = { ...subscription, unmeasured: true };
}

/** What had ended by then, and has nothing left, leaves the wallet. */
function forgetQuotas(wallet: Wallet, { data }: SubscriptionEvent): void {
  const starts = (data.quotas?.granted ?? []).map(({ starts_at }) => Date.parse(starts_at));
  const at = Math.max(
    Date.parse(('effective_at' in data ? data.effective_at : undefined) ?? '1970'),
    ...starts,
  );
  // What has lapsed may be revived by a payment: then what was used of its quotas still counts.
  const ended = wallet.subscription?.now.status === 'canceled' ? wallet.subscription.now.id : null;
  wallet.quotas = wallet.quotas.filter(
    ({ free, pinned, expiresAt, origin }) =>
      free + pinned > 0n || !(expiresAt <= at || (origin.kind === 'plan' && origin.subscription === ended)),
  );
}

/** The subscription that there was before may be another. */
function stateAfter(
  { subscription: last, holds }: Readonly<Wallet>,
  now: Subscription,
  terms: PlanTerms,
  facts: SubscriptionFacts,
): SubscriptionState {
  const before = last?.now.id === now.id ? last : null;
  const ofPeriod = before?.now.period_start === now.period_start ? before : null;
  // What is under way on other terms has what they give.
  const leftUnmeasured = ofPeriod !== null && ofPeriod.terms !== terms && !isMeasured(ofPeriod.terms);
  const isAnyHeld = (): boolean => [...holds.values()].some(({ plan }) => plan !== null);
  return {
    now,
    terms,
    pots: facts.pots,
    paidMoney: facts.paid_from ?? before?.paidMoney ?? [],
    ...capsAfter(last, now, terms),
    unmeasured: ofPeriod?.unmeasured === true || (leftUnmeasured && isAnyHeld()),
  };
}

/**
 * A cap of the same unit, model and window goes on counting under other terms, and in a next subscription, or it could be
 * begun anew at will. Only what is counted by period begins with a subscription.
 */
function capsAfter(
  last: SubscriptionState | null,
  now: Subscription,
  terms: PlanTerms,
): Pick<SubscriptionState, 'caps' | 'otherCaps'> {
  const counted: OtherCap[] = (last?.terms.caps ?? []).map(({ unit, model, per }, index) => {
    return { unit, model, per, ...(last?.caps[index] ?? NOT_COUNTED) };
  });
  const goesOn = [...counted, ...(last?.otherCaps ?? [])].filter(
    ({ per }) => per !== 'period' || last?.now.id === now.id,
  );
  const caps = (terms.caps ?? []).map((cap): CapCounter => {
    const { start, end, used, held } = goesOn.find((one) => isSameLine(one, cap)) ?? NOT_COUNTED;
    return { start, end, used, held };
  });
  const others = goesOn.filter(
    (one) =>
      one.end > Date.parse(now.period_start) && terms.caps?.some((cap) => isSameLine(one, cap)) !== true,
  );
  return { caps, otherCaps: others.map((one) => ({ ...one, held: 0n })) };
}

const NOT_COUNTED: CapCounter = { start: 0, end: 0, used: 0n, held: 0n };

/** The index of the same cap in other terms; -1: they have none. */
function sameCap(cap: Cap | undefined, terms: PlanTerms): number {
  return cap === undefined ? -1 : (terms.caps ?? []).findIndex((other) => isSameLine(other, cap));
}

/** Holds name caps by their place in the terms; what open ones hold counts under other terms, and in another subscription. */
function renumberCaps(wallet: Wallet, before: PlanTerms, terms: PlanTerms): void {
  const held = new Map<number, bigint>();
  for (const hold of [...wallet.holds.values()]) {
    if (hold.caps.length === 0) continue;
    const caps = hold.caps
      .map(({ cap, quantity }) => ({ cap: sameCap(before.caps?.[cap], terms), quantity }))
      .filter(({ cap }) => cap !== -1);
    for (const { cap, quantity } of caps) held.set(cap, (held.get(cap) ?? 0n) + quantity);
    ownHolds(wallet).set(hold.id, { ...hold, caps });
  }
  if (wallet.subscription === null) return;
  const caps = wallet.subscription.caps.map((cap, index) => ({ ...cap, held: held.get(index) ?? 0n }));
  wallet.subscription = { ...wallet.subscription, caps };
}
