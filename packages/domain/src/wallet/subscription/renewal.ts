/**
 * What falls due in a subscription by itself, each as of its own instant however late it is carried out (billing rule 1):
 * the end of a trial or a period renews it on the terms in force at that instant, the end of a grace lets it lapse, a
 * window that begins grants its quota. Every paid period that has elapsed is paid; only quotas of windows that have
 * wholly passed are left out.
 */
import type { Catalogues } from '../../catalogue/catalogues.ts';
import type { PlanTerms } from '../../plans/terms.ts';
import { canAfford } from '../charge.ts';
import type { WalletEvent } from '../events.ts';
import type { Wallet } from '../state.ts';
import { windowAt } from './calendar.ts';
import { endSubscription } from './end.ts';
import type { PastDueReason, Subscription } from './events.ts';
import { grantWindows } from './grants.ts';
import {
  creditPrice,
  draftFor,
  factsOf,
  grantingOf,
  iso,
  type Opened,
  type Opening,
  openPaid,
} from './period.ts';
import { Pots } from './pots.ts';
import { boundaryOf, isInForce, nextGrantOf, rhythmOf, type SubscriptionState } from './state.ts';
import { priceOfPeriod } from './subscribe.ts';
import { openUnpaid, payLate } from './unpaid.ts';

/** The earliest that is due by `now`, and its event; null where nothing is. */
export function subscriptionDue(
  wallet: Wallet,
  now: number,
  catalogue: Catalogues,
): { readonly at: number; readonly event: WalletEvent } | null {
  const { subscription } = wallet;
  if (!isInForce(subscription)) return null;
  const boundary = boundaryOf(subscription);
  const grant = nextGrantOf(subscription);
  if (grant <= now && grant < boundary) {
    return { at: grant, event: grantDue(wallet, subscription, Math.min(now, boundary - 1), now) };
  }
  if (boundary > now) return null;
  return { at: boundary, event: atBoundary(wallet, subscription, boundary, now, catalogue) };
}

/** The windows that hold `at`, of the lines that are due. */
function grantDue(wallet: Wallet, state: SubscriptionState, at: number, now: number): WalletEvent {
  const { now: subscription, terms } = state;
  const draft = draftFor(wallet, now, subscription.plan);
  const pots = Pots.left(draft, state);
  const granting = grantingOf(draft, { subscription, terms, now }, pots);
  const due = (index: number): string | null => subscription.next_grants[index] ?? null;
  const isDue = (index: number): boolean => {
    const next = due(index);
    return next !== null && Date.parse(next) <= at;
  };
  const next_grants = grantWindows(granting, at, isDue, due);
  const { quotas, ...rest } = draft.movement();
  // A part of a window may be rounded down to nothing: then only the next is due.
  const starts = (quotas?.granted ?? []).map(({ starts_at }) => starts_at).sort();
  return {
    type: 'QuotaGranted',
    key: null,
    data: {
      subscription: { ...subscription, next_grants },
      effective_at: starts[0] ?? iso(at),
      ...(quotas === undefined ? {} : { quotas }),
      ...rest,
    },
    facts: factsOf(draft, pots),
  };
}

function atBoundary(
  wallet: Wallet,
  state: SubscriptionState,
  at: number,
  now: number,
  catalogue: Catalogues,
): WalletEvent {
  const { now: subscription } = state;
  if (subscription.status === 'past_due')
    return endSubscription(wallet, state, { status: 'lapsed', at, now, command: null });
  if (subscription.cancel_at !== null)
    return endSubscription(wallet, state, { status: 'canceled', at, now, command: null });
  if (!subscription.auto_renew)
    return endSubscription(wallet, state, { status: 'lapsed', at, now, command: null });
  return renew(wallet, state, at, now, catalogue);
}

function renew(
  wallet: Wallet,
  before: SubscriptionState,
  at: number,
  now: number,
  { plans }: Catalogues,
): WalletEvent {
  const id = before.now.pending_plan ?? before.now.plan;
  const plan = plans.inForce(id, at);
  // A catalogue that does not know the plan is behind: the subscriber goes on with what was bought.
  const isSame = plan === undefined || (id === before.now.plan && plan.version === before.now.plan_version);
  const terms = isSame ? before.terms : plan.terms;
  const version = isSame ? { id: before.now.plan, version: before.now.plan_version } : plan;
  const subscription = nextPeriod(before, version, terms, at);
  const opening: Opening = { wallet, subscription, terms, before, now };
  // What costs nothing is not begun anew before its last period has passed.
  if (creditPrice(terms) === 0n && at < wallet.freeUntil)
    return endSubscription(wallet, before, { status: 'lapsed', at, now, command: null });
  const credits = priceOfPeriod(subscription, terms);
  const obstacle = obstacleOf(wallet, subscription, terms, credits);
  const changed = isSame ? {} : { terms };
  if (obstacle === null) {
    const opened = openPaid(opening, { credits });
    return { type: 'SubscriptionRenewed', key: null, data: dataOf(opened, at, changed), facts: opened.facts };
  }
  const opened = openUnpaid(opening);
  if (opened === null) return endSubscription(wallet, before, { status: 'lapsed', at, now, command: null });
  const data = { ...dataOf(opened, at, changed), reason: obstacle };
  return { type: 'SubscriptionPastDue', key: null, data, facts: opened.facts };
}

function dataOf({ subscription, draft }: Opened, at: number, changed: { terms?: PlanTerms }) {
  return { subscription, ...changed, effective_at: iso(at), ...draft.movement() };
}

/** A trial, or a plan of another interval or anchor, begins a rhythm of its own; else the anchor is kept. */
export function nextPeriod(
  { now, terms: before }: Pick<SubscriptionState, 'now' | 'terms'>,
  { id, version }: { readonly id: string; readonly version: number },
  terms: PlanTerms,
  at: number,
): Subscription {
  const isNewRhythm =
    now.status === 'trialing' || terms.interval !== before.interval || terms.anchor !== before.anchor;
  const anchored = { ...now, anchor: terms.anchor, anchor_at: isNewRhythm ? iso(at) : now.anchor_at };
  const { end } = windowAt(rhythmOf(anchored), terms.interval, at);
  return {
    ...anchored,
    plan: id,
    plan_version: version,
    status: 'active',
    period_start: iso(at),
    period_end: iso(end),
    pending_plan: null,
  };
}

/** Why the period cannot be paid at its beginning; null where it is. */
function obstacleOf(
  wallet: Wallet,
  { pay }: Subscription,
  terms: PlanTerms,
  credits: bigint,
): PastDueReason | null {
  const price = creditPrice(terms);
  if (price === 0n) return null;
  if (pay === 'external') return 'awaiting_payment';
  if (price === null) return 'plan_not_in_credits';
  if (wallet.frozen.size > 0) return 'account_frozen';
  return canAfford(wallet, credits) ? null : 'insufficient_credits';
}

/**
 * Credits have come in while a period waits for them: it is paid at once (billing rule 2).
 * @param now of what fell due, its own instant
 */
export function retryPayment(wallet: Wallet, now: number): WalletEvent | null {
  const { subscription: before } = wallet;
  if (!isInForce(before) || before.now.status !== 'past_due' || boundaryOf(before) <= now) return null;
  const credits = priceOfPeriod(before.now, before.terms);
  if (obstacleOf(wallet, before.now, before.terms, credits) !== null) return null;
  const subscription: Subscription = { ...before.now, status: 'active' };
  const opened = payLate({ wallet, subscription, terms: before.terms, before, now }, { credits });
  return {
    type: 'SubscriptionRenewed',
    key: null,
    data: { subscription: opened.subscription, ...opened.draft.movement() },
    facts: opened.facts,
  };
}
