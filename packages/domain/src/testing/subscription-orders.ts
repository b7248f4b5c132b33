/** Plans as they might be published, and commands about subscriptions and quotas as the API would make them. */

import type { Money } from '../amount.ts';
import { canonical } from '../canonical.ts';
import { keys } from '../ids.ts';
import type { PlanTerms } from '../plans/terms.ts';
import type { WalletCommand } from '../wallet/commands.ts';
import type { Subscribe } from '../wallet/subscription/commands.ts';
import type { Past } from './given.ts';

/** 100 credits a month, 10 calls of any model, what is beyond is paid by credits. */
export const BASIC: PlanTerms = {
  name: 'Basic',
  price: { credits: '100' },
  interval: 'month',
  anchor: 'subscription',
  included: [{ unit: 'calls', model: '*', amount: '10', per: 'period' }],
  overage: 'credits',
};

export function publish(past: Past, id: string, terms: PlanTerms, effectiveFrom = past.now): void {
  const version = (past.plans.latest(id)?.version ?? 0) + 1;
  past.plans = past.plans.with({ id, version, effectiveFrom, terms });
}

const printed = (sent: object): string =>
  canonical(JSON.parse(JSON.stringify(sent, (_, value) => (typeof value === 'bigint' ? `${value}` : value))));

export function subscribe(plan: string, more: Partial<Omit<Subscribe, 'type' | 'plan'>> = {}): WalletCommand {
  const terms = { autoRenew: true, trial: false, pay: 'credits' as const, timeZone: null, startAt: null };
  const fields = { type: 'Subscribe' as const, plan, reference: 's1', ...terms, ...more };
  return { ...fields, key: keys.subscribe(fields.reference), fingerprint: printed(fields) };
}

export function changePlan(plan: string, when: 'now' | 'period_end', reference = 'c1'): WalletCommand {
  const fields = { type: 'ChangePlan' as const, plan, when, reference };
  return { ...fields, key: keys.changePlan(reference), fingerprint: printed(fields) };
}

export function cancel(when: 'now' | 'period_end', reference = 'x1'): WalletCommand {
  const fields = { type: 'CancelSubscription' as const, when, reference };
  return { ...fields, key: keys.cancelSubscription(reference), fingerprint: printed(fields) };
}

export const resume: WalletCommand = { type: 'ResumeSubscription', key: null, fingerprint: null };

export function payment(
  periodStart: number,
  reference: string,
  paid: Money | null = null,
  result: 'paid' | 'failed' = 'paid',
): WalletCommand {
  const fields = { type: 'RecordSubscriptionPayment' as const, periodStart, result, paid, reference };
  return { ...fields, key: keys.subscriptionPayment(reference), fingerprint: printed(fields) };
}

export function expandQuota(
  amount: bigint,
  expiresAt: number,
  {
    unit = 'calls',
    model = '*',
    reference = 'e1',
  }: { unit?: 'calls' | 'tokens'; model?: string; reference?: string } = {},
): WalletCommand {
  const fields = {
    type: 'ExpandQuota' as const,
    unit,
    model,
    amount,
    expiresAt,
    reason: 'goodwill',
    reference,
  };
  return { ...fields, key: keys.expandQuota(reference), fingerprint: printed(fields) };
}
