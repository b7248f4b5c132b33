/**
 * A subscriber changes or ends what was bought (billing rule 3):
 * - an upgrade now keeps the anchor; the part f of the period that is left gives the price difference x f, up to the next
 *   credit, and one extra quota of the difference x f, rounded down; nothing that was granted is taken away or given anew
 * - a downgrade, another interval, or less of a quota that was granted, waits for the period's end
 * - what is scheduled can be taken back until then; what has ended cannot
 */
import { CREDITS, formatAmount, formatCredits, parseCredits } from '../../amount.ts';
import type { CommandKey } from '../../decider.ts';
import type { PlanVersion } from '../../plans/plans.ts';
import type { IncludedLine, PlanTerms } from '../../plans/terms.ts';
import type { WalletContext } from '../booked.ts';
import { canAfford, insufficient } from '../charge.ts';
import { accepted, NEEDS_CATALOGUE, needs, refused, UNCHANGED, type WalletDecision } from '../commands.ts';
import { EntryDraft } from '../entry-draft.ts';
import { restoreLots, unknownBirths } from '../reversal.ts';
import type { Wallet } from '../state.ts';
import { type TimeWindow, windowAt } from './calendar.ts';
import type { CancelSubscription, ChangePlan } from './commands.ts';
import { endSubscription } from './end.ts';
import type { BillLine, Subscription } from './events.ts';
import { amountOf, type Granting, grantLine } from './grants.ts';
import { isOfLine, linesBefore } from './lines.ts';
import {
  creditPrice,
  draftFor,
  factsOf,
  fillPots,
  grantingOf,
  iso,
  PAID_FROM_MAX,
  partOf,
  payFromCredits,
  periodOf,
  wholeOf,
} from './period.ts';
import { Pots } from './pots.ts';
import { refundMoves } from './refund.ts';
import { rhythmOf, type SubscriptionState } from './state.ts';

export function changePlan(
  wallet: Wallet,
  command: ChangePlan & CommandKey,
  context: WalletContext,
): WalletDecision {
  const state = inForce(wallet);
  if ('kind' in state) return state;
  const plan = context.catalogue.plans.inForce(command.plan, context.now);
  if (plan === undefined) {
    if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
    return refused({ code: 'plan_not_found', plan: command.plan });
  }
  if (plan.terms.active === false) return refused({ code: 'plan_not_active', plan: plan.id });
  if (plan.id === state.now.plan) return refused({ code: 'plan_unchanged', plan: plan.id });
  if (state.now.cancel_at !== null)
    return refused({ code: 'cancellation_scheduled', cancel_at: state.now.cancel_at });
  if (state.now.pay === 'credits' && creditPrice(plan.terms) === null)
    return refused({ code: 'plan_not_in_credits', plan: plan.id });
  if (command.when === 'now') return upgrade(wallet, state, plan, command, context);
  if (creditPrice(plan.terms) === 0n && Date.parse(state.now.period_end) < wallet.freeUntil)
    return refused({ code: 'free_period_used', plan: plan.id, available_at: iso(wallet.freeUntil) });
  const subscription: Subscription = { ...state.now, pending_plan: plan.id };
  return scheduled(wallet, state, 'plan_change_scheduled', subscription, command, context.now);
}

export function cancelSubscription(
  wallet: Wallet,
  command: CancelSubscription & CommandKey,
  context: WalletContext,
): WalletDecision {
  const state = inForce(wallet);
  if ('kind' in state) return state;
  if (command.when === 'period_end') {
    if (state.now.cancel_at !== null) return UNCHANGED;
    const subscription: Subscription = { ...state.now, cancel_at: state.now.period_end };
    return scheduled(wallet, state, 'cancellation_scheduled', subscription, command, context.now);
  }
  const moves = refundMoves(wallet, state, context.now);
  const unknown = unknownBirths(wallet, moves, context);
  if (unknown.length > 0) return needs(...unknown);
  const { key, reference } = command;
  const restored = restoreLots(wallet, moves, context);
  const { now } = context;
  const ending = { status: 'canceled', at: now, now, command: { key, reference, restored } } as const;
  return accepted(endSubscription(wallet, state, ending));
}

export function resumeSubscription(wallet: Wallet, now: number): WalletDecision {
  const state = inForce(wallet);
  if ('kind' in state) return state;
  const { cancel_at, pending_plan, auto_renew } = state.now;
  if (cancel_at === null && pending_plan === null && auto_renew) return UNCHANGED;
  const subscription: Subscription = { ...state.now, cancel_at: null, pending_plan: null, auto_renew: true };
  return scheduled(wallet, state, 'resumed', subscription, { key: null, reference: '' }, now);
}

function inForce({ subscription }: Wallet): SubscriptionState | WalletDecision {
  if (subscription === null) return refused({ code: 'subscription_not_found' });
  const { ended_at } = subscription.now;
  return ended_at === null ? subscription : refused({ code: 'subscription_ended', ended_at });
}

function scheduled(
  wallet: Wallet,
  { pots }: SubscriptionState,
  change: 'plan_change_scheduled' | 'cancellation_scheduled' | 'resumed',
  subscription: Subscription,
  { key, reference }: { readonly key: string | null; readonly reference: string },
  now: number,
): WalletDecision {
  const draft = new EntryDraft(wallet, now);
  const data = { subscription, change, lines: [], reference, ...draft.movement() };
  return accepted({ type: 'SubscriptionChanged', key, data, facts: { ...draft.facts(), pots } });
}

function upgrade(
  wallet: Wallet,
  state: SubscriptionState,
  plan: PlanVersion,
  { key, reference }: ChangePlan & CommandKey,
  { now }: WalletContext,
): WalletDecision {
  const { terms } = plan;
  const { period_start, period_end } = state.now;
  if (wallet.frozen.size > 0)
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  if (state.now.status === 'trialing') return refused({ code: 'trial_not_ended', trial_end: period_end });
  if (!state.now.period_paid) return refused({ code: 'period_unpaid', period_start });
  if (terms.interval !== state.terms.interval || terms.anchor !== state.terms.anchor)
    return refused({ code: 'interval_differs', interval: terms.interval, period_end });
  if (state.now.pay === 'external') return refused({ code: 'paid_outside', period_end });
  const [before, after] = [creditPrice(state.terms), creditPrice(terms)];
  if (before === null || after === null) return refused({ code: 'plan_not_in_credits', plan: plan.id });
  // At the same price too: to and fro, each change would grant the difference once more.
  if (after <= before) return refused({ code: 'downgrade_waits', period_end });
  const less = lineWithLess(terms, state.terms);
  if (less !== null) return refused({ code: 'quota_shrinks', ...less, period_end });
  const period = periodOf(state.now);
  const whole = wholeOf(rhythmOf(state.now), terms, period, false);
  const credits = partOf(after - before, period.end - now, whole.end - whole.start);
  if (!canAfford(wallet, credits)) return insufficient(wallet, credits);
  const draft = draftFor(wallet, now, plan.id);
  const lineNow = linesBefore(state.terms, terms);
  const pots = new Pots(draft, plan.id, terms);
  pots.takeOver(state.pots, lineNow);
  const { from, money, all } = payFromCredits(draft, credits);
  fillPots(pots, all);
  const granting = grantingOf(draft, { subscription: state.now, terms, now }, pots);
  const next_grants = grantDifferences(granting, state);
  const subscription: Subscription = {
    ...state.now,
    plan: plan.id,
    plan_version: plan.version,
    period_credits: formatCredits(parseCredits(state.now.period_credits) + credits),
    pending_plan: null,
    next_grants,
    paid_from: [...state.now.paid_from, ...from].slice(-PAID_FROM_MAX),
  };
  const lines: BillLine[] = [
    {
      description: `${plan.id} instead of ${state.now.plan} from ${iso(now)} to ${period_end}`,
      credits: formatAmount(credits, CREDITS),
    },
  ];
  const data = { subscription, terms, change: 'upgraded' as const, lines, reference, ...draft.movement() };
  const facts = factsOf(draft, pots, [...state.paidMoney, ...money].slice(-PAID_FROM_MAX));
  return accepted({ type: 'SubscriptionChanged', key, data, facts });
}

/** What was granted stays: with less of it in the new plan, another part would be had for the same money. */
function lineWithLess(terms: PlanTerms, before: PlanTerms): { unit: string; model: string } | null {
  const lineOf = linesBefore(before, terms);
  const less = before.included.find((line, index) => {
    const had = amountOf(line);
    const now = terms.included[lineOf(index)];
    if (had === null || had === 0n) return false;
    return now === undefined || (amountOf(now) ?? had) < had;
  });
  return less === undefined ? null : { unit: less.unit, model: less.model };
}

/**
 * One extra quota for each line that has become more: of the difference, the part of its window that is left. What the
 * window has had already counts, by whatever plan: a dearer one may have been left while its window goes on.
 */
function grantDifferences(granting: Granting, before: SubscriptionState): (string | null)[] {
  const { terms, rhythm, now } = granting;
  const lineBefore = linesBefore(terms, before.terms);
  return terms.included.map((line, index) => {
    const amount = amountOf(line);
    if (amount === null || amount === 0n) return null;
    const was = before.terms.included[lineBefore(index)];
    const window: TimeWindow = line.per === 'period' ? granting.whole : windowAt(rhythm, line.per, now);
    // Only for what the difference is paid for: up to the period's end.
    const paidUntil = Math.min(window.end, granting.period.end);
    const part = { start: now, end: Math.min(window.end, granting.cutAt) };
    const had = larger(was === undefined ? 0n : (amountOf(was) ?? 0n), grantedIn(window, granting, line));
    if (amount > had) {
      const quantity = ((amount - had) * BigInt(paidUntil - now)) / BigInt(window.end - window.start);
      grantLine(granting, index, part, quantity, true);
    }
    return line.per === 'period' ? null : iso(part.end);
  });
}

function grantedIn(
  { start, end }: TimeWindow,
  { draft, subscription }: Granting,
  line: IncludedLine,
): bigint {
  let sum = 0n;
  for (const quota of draft.wallet.quotas)
    if (quota.startsAt >= start && quota.startsAt < end && isOfLine(quota, subscription, line, true))
      sum += quota.free + quota.pinned + quota.used;
  return sum;
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
