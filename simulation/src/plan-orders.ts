/** Orders about subscriptions and quotas. */
import type { AlertThreshold } from '@tallystick/domain';
import type { Chance } from './chance.ts';
import type { PlainCommand } from './keyed.ts';
import type { Known } from './known.ts';
import { PLANS } from './plans.ts';

const HOUR_MS = 3_600_000;

/** @param now wall-clock milliseconds; `newId` answers ids that were never used */
export function drawPlanOrder(
  chance: Chance,
  known: Known,
  newId: (kind: string) => string,
  now: number,
): PlainCommand {
  const isSubscribed = known.subscription !== null && known.subscription.ended_at === null;
  const isUnpaid = known.subscription?.period_paid === false;
  return chance.weighed<() => PlainCommand>([
    [isSubscribed ? 1 : 8, () => subscribe(chance, newId, now)],
    [isSubscribed ? 4 : 1, () => change(chance, newId)],
    [isSubscribed ? 2 : 0.5, () => cancel(chance, newId)],
    [1, () => ({ type: 'ResumeSubscription' })],
    [isUnpaid ? 5 : 0.7, () => payment(chance, known, newId, now)],
    [1, () => expand(chance, newId, now)],
    [0.7, () => setAlerts(chance)],
  ])();
}

export function subscribe(chance: Chance, newId: (kind: string) => string, now: number): PlainCommand {
  const plan = chance.pick([...PLANS, 'small', 'large', 'small'] as const);
  return {
    type: 'Subscribe',
    plan,
    autoRenew: chance.happens(0.85),
    trial: chance.happens(0.2),
    pay: (plan === 'paid') !== chance.happens(0.1) ? 'external' : 'credits',
    reference: newId('s'),
    timeZone: chance.pick([null, null, 'Pacific/Auckland']),
    // Of an order that was agreed on a while ago.
    startAt: chance.happens(0.1) ? now - chance.int(1, 12) * HOUR_MS : null,
  };
}

function change(chance: Chance, newId: (kind: string) => string): PlainCommand {
  const when = chance.happens(0.65) ? 'now' : 'period_end';
  return {
    type: 'ChangePlan',
    plan: chance.pick([...PLANS, 'large', 'large', 'large', 'small']),
    when,
    reference: newId('c'),
  };
}

function cancel(chance: Chance, newId: (kind: string) => string): PlainCommand {
  return {
    type: 'CancelSubscription',
    when: chance.happens(0.7) ? 'now' : 'period_end',
    reference: newId('x'),
  };
}

function payment(
  chance: Chance,
  { unpaid, subscription }: Known,
  newId: (kind: string) => string,
  now: number,
): PlainCommand {
  const ofNow = Date.parse(subscription?.period_start ?? '2026-01-01');
  const result = chance.happens(0.8) ? 'paid' : 'failed';
  return {
    type: 'RecordSubscriptionPayment',
    periodStart: chance.happens(0.1) ? now : (chance.among(unpaid.slice(-2)) ?? ofNow),
    result,
    paid: result === 'paid' && chance.happens(0.9) ? { amount: '12.5', currency: 'EUR' } : null,
    reference: newId('p'),
  };
}

function expand(chance: Chance, newId: (kind: string) => string, now: number): PlainCommand {
  const unit = chance.pick(['calls', 'tokens'] as const);
  return {
    type: 'ExpandQuota',
    unit,
    model: unit === 'tokens' ? 'talk' : chance.pick(['*', 'plain']),
    amount: BigInt(chance.int(1, 20)),
    expiresAt: now + chance.int(1, 100) * HOUR_MS,
    reason: 'simulated',
    reference: newId('e'),
  };
}

/** Few thresholds, out of few: so that they are set anew while something has been told. */
function setAlerts(chance: Chance): PlainCommand {
  const all: readonly AlertThreshold[] = [
    { on: 'quota', percent: 50 },
    { on: 'quota', percent: 100 },
    { on: 'balance', credits: '20' },
    { on: 'balance', credits: '0' },
    { on: 'daily_spend', credits: '15' },
  ];
  const thresholds = all.filter(() => chance.happens(0.6));
  return { type: 'SetAlerts', terms: { enabled: chance.happens(0.9), thresholds } };
}
