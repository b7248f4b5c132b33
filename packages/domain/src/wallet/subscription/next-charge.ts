/**
 * What a subscription will be charged next from credits, and when, by what is published now: the same version and the
 * same price that its renewal will take, unless another one is published until then.
 */
import type { Plans } from '../../plans/plans.ts';
import type { PlanTerms } from '../../plans/terms.ts';
import type { Subscription } from './events.ts';
import { creditPrice } from './period.ts';
import { nextPeriod } from './renewal.ts';
import { priceOfPeriod } from './subscribe.ts';

export interface NextCharge {
  readonly at: string;
  /** In smallest steps. */
  readonly credits: bigint;
}

/** Null where nothing more will be charged in credits: it ends, or is paid outside. */
export function nextCharge(now: Subscription, terms: PlanTerms, plans: Plans): NextCharge | null {
  if (now.ended_at !== null || now.pay !== 'credits') return null;
  // What it waits for is what its period costs.
  if (now.status === 'past_due') return charge(now, terms);
  if (!now.auto_renew || now.cancel_at !== null) return null;
  const at = Date.parse(now.period_end);
  const published = plans.inForce(now.pending_plan ?? now.plan, at);
  const version = published ?? { id: now.plan, version: now.plan_version };
  const next = published?.terms ?? terms;
  return charge(nextPeriod({ now, terms }, version, next, at), next);
}

function charge(period: Subscription, terms: PlanTerms): NextCharge | null {
  if (creditPrice(terms) === null) return null;
  return { at: period.period_start, credits: priceOfPeriod(period, terms) };
}
