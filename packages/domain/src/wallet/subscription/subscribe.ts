/** A subscription starts: paid from credits at once, or unpaid until the outside world says so, or as a trial. */
import type { Catalogues } from '../../catalogue/catalogues.ts';
import type { CommandKey } from '../../decider.ts';
import type { PlanVersion } from '../../plans/plans.ts';
import type { PlanTerms } from '../../plans/terms.ts';
import type { WalletContext } from '../booked.ts';
import { canAfford, insufficient } from '../charge.ts';
import { accepted, NEEDS_CATALOGUE, refused, type WalletDecision } from '../commands.ts';
import type { WalletEvent } from '../events.ts';
import type { Wallet } from '../state.ts';
import { daysAfter, type Rhythm, type TimeWindow, windowAt } from './calendar.ts';
import type { Subscribe } from './commands.ts';
import type { Subscription } from './events.ts';
import { creditPrice, iso, type Opened, openPaid, partOf, wholeOf } from './period.ts';
import { isInForce, rhythmOf, type SubscriptionState } from './state.ts';
import { openUnpaid } from './unpaid.ts';

/** A first period, or a trial, is shorter. */
const STARTED_DAYS_MAX = 4_000;

export function subscribe(
  wallet: Wallet,
  command: Subscribe & CommandKey,
  context: WalletContext,
): WalletDecision {
  const { now, catalogue } = context;
  const { subscription: last } = wallet;
  const ended = endOf(last);
  if (isInForce(last)) return refused({ code: 'subscription_exists', plan: last.now.plan });
  if (wallet.frozen.size > 0)
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  const plan = catalogue.plans.inForce(command.plan, now);
  if (plan === undefined) {
    if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
    return refused({ code: 'plan_not_found', plan: command.plan });
  }
  const { terms } = plan;
  if (terms.active === false) return refused({ code: 'plan_not_active', plan: plan.id });
  if (!command.trial && creditPrice(terms) === 0n && now < wallet.freeUntil)
    return refused({ code: 'free_period_used', plan: plan.id, available_at: iso(wallet.freeUntil) });
  if (command.trial) {
    if (wallet.trialUsed) return refused({ code: 'trial_already_used' });
    if (!terms.trial_days) return refused({ code: 'trial_not_offered', plan: plan.id });
  }
  if (command.pay === 'credits' && creditPrice(terms) === null)
    return refused({ code: 'plan_not_in_credits', plan: plan.id });
  const anchorAt = command.startAt ?? now;
  const startingAt = (at: number): Subscription => newSubscription(wallet, command, plan, at);
  const subscription = startingAt(anchorAt);
  // What costs nothing begins now: a first period of a minute would be a second quota.
  const isBackdated = anchorAt < now && (creditPrice(terms) === 0n || anchorAt < ended);
  if (anchorAt > now || endOfPeriod(subscription) <= now || isBackdated) {
    const earliest = iso(isBackdated ? now : earliestStart(startingAt, now));
    return refused({ code: 'start_out_of_range', earliest, latest: iso(now) });
  }
  return start(wallet, command, subscription, terms, now);
}

function spentBefore(last: SubscriptionState | null): Pick<Subscription, 'grace_spent'> {
  return last?.now.grace_spent === undefined ? {} : { grace_spent: last.now.grace_spent };
}

const endOfPeriod = ({ period_end }: Subscription): number => Date.parse(period_end);

const DAY_MS = 86_400_000;

/** Of a first period that contains the present. Months differ in length, so the day is looked for. */
function earliestStart(startingAt: (at: number) => Subscription, now: number): number {
  let [tooEarly, early] = [now - STARTED_DAYS_MAX * DAY_MS, now];
  while (early - tooEarly > 1) {
    const between = Math.floor((tooEarly + early) / 2);
    if (endOfPeriod(startingAt(between)) > now) early = between;
    else tooEarly = between;
  }
  return early;
}

/** When the last one ended; 0 where there was none, or it has not. */
function endOf(last: SubscriptionState | null): number {
  return Date.parse(last?.now.ended_at ?? '') || 0;
}

function start(
  wallet: Wallet,
  { key, reference }: Pick<Subscribe, 'reference'> & Pick<CommandKey, 'key'>,
  subscription: Subscription,
  terms: PlanTerms,
  now: number,
): WalletDecision {
  const opening = { wallet, subscription, terms, before: null, now };
  const { status, pay } = subscription;
  let opened: Opened | null;
  if (status === 'trialing') opened = openPaid(opening, { money: null });
  else if (pay === 'credits' || creditPrice(terms) === 0n) {
    const credits = priceOfPeriod(subscription, terms);
    if (!canAfford(wallet, credits)) return insufficient(wallet, credits);
    opened = openPaid(opening, { credits });
  } else opened = openUnpaid(opening);
  if (opened === null) throw new Error(`${subscription.id} has neither a paid period nor a grace`);
  const event: WalletEvent = {
    type: 'SubscriptionStarted',
    key,
    data: { subscription: opened.subscription, terms, reference, ...opened.draft.movement() },
    facts: opened.facts,
  };
  return accepted(event);
}

/** New accounts start with the plan that says so (and costs nothing). */
export function startDefaultPlan(wallet: Wallet, now: number, { plans }: Catalogues): WalletEvent[] {
  const plan = plans.defaultAt(now);
  if (plan === undefined || creditPrice(plan.terms) !== 0n) return [];
  const terms = { autoRenew: true, trial: false, pay: 'credits', timeZone: null } as const;
  const subscription = newSubscription(wallet, terms, plan, now);
  const started = start(wallet, { key: null, reference: 'default-plan' }, subscription, plan.terms, now);
  return started.kind === 'accepted' ? [...started.events] : [];
}

function newSubscription(
  wallet: Wallet,
  command: Pick<Subscribe, 'autoRenew' | 'trial' | 'pay' | 'timeZone'>,
  { id, version, terms }: PlanVersion,
  anchorAt: number,
): Subscription {
  const zone = command.timeZone ?? wallet.timeZone;
  const trialEnd = command.trial ? daysAfter(anchorAt, terms.trial_days ?? 0, zone) : null;
  const rhythm: Rhythm = { zone, anchor: terms.anchor, anchorAt };
  const end = trialEnd ?? windowAt(rhythm, terms.interval, anchorAt).end;
  return {
    id: `sub-${wallet.revision + 1}`,
    plan: id,
    plan_version: version,
    status: trialEnd === null ? 'active' : 'trialing',
    pay: command.pay,
    auto_renew: command.autoRenew,
    time_zone: zone,
    anchor: terms.anchor,
    anchor_at: iso(anchorAt),
    period_start: iso(anchorAt),
    period_end: iso(end),
    period_credits: '0',
    period_paid: true,
    trial_end: trialEnd === null ? null : iso(trialEnd),
    grace_ends_at: null,
    cancel_at: null,
    ended_at: null,
    pending_plan: null,
    next_grants: [],
    paid_from: [],
    ...spentBefore(wallet.subscription),
  };
}

/** Of the part of the plan's interval that the period is: a calendar's first month may have begun before it. */
export function priceOfPeriod(subscription: Subscription, terms: PlanTerms): bigint {
  const period: TimeWindow = {
    start: Date.parse(subscription.period_start),
    end: Date.parse(subscription.period_end),
  };
  const whole = wholeOf(rhythmOf(subscription), terms, period, false);
  return partOf(creditPrice(terms) ?? 0n, period.end - period.start, whole.end - whole.start);
}
