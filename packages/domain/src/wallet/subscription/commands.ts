/** Orders about a wallet's subscription and quotas, already parsed. Times in milliseconds since 1970. */

import type { Money } from '../../amount.ts';
import type { QuotaUnit } from '../../plans/terms.ts';
import type { PaidBy } from './events.ts';

export type SubscriptionCommand =
  | Subscribe
  | ChangePlan
  | CancelSubscription
  /** Takes back a scheduled cancellation or change of plan. */
  | { readonly type: 'ResumeSubscription' }
  | RecordSubscriptionPayment
  | ExpandQuota;

export interface Subscribe {
  readonly type: 'Subscribe';
  readonly plan: string;
  readonly autoRenew: boolean;
  readonly trial: boolean;
  readonly pay: PaidBy;
  readonly reference: string;
  /** Null: the account's. */
  readonly timeZone: string | null;
  /** Null: now. Else the anchor of a period that has begun already: it contains now. */
  readonly startAt: number | null;
}
export interface ChangePlan {
  readonly type: 'ChangePlan';
  readonly plan: string;
  readonly when: 'now' | 'period_end';
  readonly reference: string;
}
export interface CancelSubscription {
  readonly type: 'CancelSubscription';
  readonly when: 'now' | 'period_end';
  readonly reference: string;
}
export interface RecordSubscriptionPayment {
  readonly type: 'RecordSubscriptionPayment';
  /** Names the period (billing rule 2). */
  readonly periodStart: number;
  readonly result: 'paid' | 'failed';
  readonly paid: Money | null;
  readonly reference: string;
}
export interface ExpandQuota {
  readonly type: 'ExpandQuota';
  readonly unit: QuotaUnit;
  /** A model, or `*`. */
  readonly model: string;
  readonly amount: bigint;
  readonly expiresAt: number;
  readonly reason: string;
  readonly reference: string;
}

export type SubscriptionRefusal =
  | { readonly code: 'plan_not_found'; readonly plan: string }
  | { readonly code: 'plan_not_active'; readonly plan: string }
  | { readonly code: 'subscription_exists'; readonly plan: string }
  | { readonly code: 'subscription_not_found' }
  /** What has ended cannot be changed, canceled or resumed; a new one can be started. */
  | { readonly code: 'subscription_ended'; readonly ended_at: string }
  | { readonly code: 'trial_not_offered'; readonly plan: string }
  | { readonly code: 'trial_already_used' }
  | { readonly code: 'plan_not_in_credits'; readonly plan: string }
  /** It changes with its next payment. */
  | { readonly code: 'paid_outside'; readonly period_end: string }
  /** It ends then: a change would never come about. */
  | { readonly code: 'cancellation_scheduled'; readonly cancel_at: string }
  /** A trial is of its own plan; another begins with the first period. */
  | { readonly code: 'trial_not_ended'; readonly trial_end: string }
  /** What costs nothing is not begun anew before its last period has passed. */
  | { readonly code: 'free_period_used'; readonly plan: string; readonly available_at: string }
  | { readonly code: 'start_out_of_range'; readonly earliest: string; readonly latest: string }
  /** A downgrade waits for the period's end (billing rule 3). */
  | { readonly code: 'downgrade_waits'; readonly period_end: string }
  /** So does a plan with less of a quota that was granted for this period. */
  | {
      readonly code: 'quota_shrinks';
      readonly unit: string;
      readonly model: string;
      readonly period_end: string;
    }
  | { readonly code: 'interval_differs'; readonly interval: string; readonly period_end: string }
  | { readonly code: 'plan_unchanged'; readonly plan: string }
  /** A period that is not paid cannot be changed half-way. */
  | { readonly code: 'period_unpaid'; readonly period_start: string }
  | { readonly code: 'too_many_quotas'; readonly limit: number };

export type UseRefusal =
  | {
      readonly code: 'quota_exhausted';
      readonly unit: string;
      readonly model: string;
      /** When quota of it comes next; null where it is not known, or the period has first to be paid. */
      readonly resets_at: string | null;
      /** The beginning of a period that nobody has paid. */
      readonly unpaid_since?: string;
      readonly grace_ends_at?: string | null;
    }
  | {
      readonly code: 'cap_reached';
      readonly unit: string;
      readonly model: string;
      readonly amount: string;
      readonly resets_at: string;
    }
  | { readonly code: 'model_not_allowed'; readonly model: string; readonly plan: string }
  | { readonly code: 'too_many_concurrent'; readonly limit: number; readonly open: number };
