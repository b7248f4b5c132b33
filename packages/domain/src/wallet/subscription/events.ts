/**
 * What can happen to a subscription. Each event carries the subscription as it stands afterwards, so that nothing has to
 * be computed again by whoever reads it: windows, periods and due instants are stored, never derived (billing rule 7).
 */

import type { Money } from '../../amount.ts';
import type { Anchor, GraceQuota, PlanTerms } from '../../plans/terms.ts';
import type { Movement, MovementFacts, NewLot, Of } from '../events.ts';

export type SubscriptionStatus = 'trialing' | 'active' | 'past_due' | 'canceled' | 'lapsed';
export type PaidBy = 'credits' | 'external';

export interface PlanVersionRef {
  readonly id: string;
  readonly version: number;
}

/** The plan that a hold was placed on. */
export interface PinnedPlan extends PlanVersionRef {
  /** It gave then what it gives: it was paid for, or its grace said so. */
  readonly open?: true;
  /**
   * The subscription, where it was paid for then, tried, or free: what runs beyond its hard stop is the platform's, unless
   * it is left before its period's end (billing rule 6).
   */
  readonly paid_in?: string;
}

export interface Subscription {
  /** `sub-17`: started by the event at revision 17. */
  readonly id: string;
  readonly plan: string;
  readonly plan_version: number;
  readonly status: SubscriptionStatus;
  readonly pay: PaidBy;
  readonly auto_renew: boolean;
  /** Copied when subscribing; a change of the account's zone applies from the next subscription. */
  readonly time_zone: string;
  readonly anchor: Anchor;
  /** What all periods and windows are counted from. */
  readonly anchor_at: string;
  readonly period_start: string;
  readonly period_end: string;
  /** Of the period: what was charged in credits; "0" where it is a trial, unpaid, or paid outside. */
  readonly period_credits: string;
  readonly period_paid: boolean;
  readonly trial_end: string | null;
  /** While it is past due: when it lapses. */
  readonly grace_ends_at: string | null;
  /** What quota there is meanwhile. */
  readonly grace_quota?: GraceQuota;
  /** A period whose grace had quota and was left unpaid, in this subscription or one before: there is no other. */
  readonly grace_spent?: string;
  /** It ends then, and is not renewed. */
  readonly cancel_at: string | null;
  readonly ended_at: string | null;
  /** Takes effect with the next period. */
  readonly pending_plan: string | null;
  /** By line of the plan's `included`: when its next quota is due; null for those of the period and without limit. */
  readonly next_grants: readonly (string | null)[];
  /** Which lots paid for the period, oldest first: a refund goes back to them. */
  readonly paid_from: readonly PaidFrom[];
}

/** Credits of a lot that paid, with its marks: the lot may have left the wallet when they come back. */
export interface PaidFrom {
  /** None: from the overdraft. */
  readonly lot: string | null;
  readonly credits: string;
}

/** Money of the period that no quota has taken yet, by line (billing rule 10). */
export interface Pots {
  readonly currency: string;
  readonly lines: readonly string[];
}

export interface SubscriptionFacts extends MovementFacts {
  readonly pots: Pots | null;
  /** The money behind each of the subscription's `paid_from`; left out: as before. */
  readonly paid_from?: readonly Money[];
}

interface After extends Movement {
  readonly subscription: Subscription;
  /** The plan's, where they are others than before. */
  readonly terms?: PlanTerms;
  /** Of what fell due: its own instant, however late it was carried out. */
  readonly effective_at?: string;
}

/** A line of a bill in credits: what was charged (positive) or given back. */
export interface BillLine {
  readonly description: string;
  readonly credits: string;
}

export type SubscriptionEvent =
  | Of<
      'SubscriptionStarted',
      After & { readonly terms: PlanTerms; readonly reference: string },
      SubscriptionFacts
    >
  | Of<'SubscriptionRenewed', After, SubscriptionFacts>
  /** A period has begun and is not paid. */
  | Of<'SubscriptionPastDue', After & { readonly reason: PastDueReason }, SubscriptionFacts>
  | Of<
      'SubscriptionChanged',
      After & { readonly change: Change; readonly lines: readonly BillLine[]; readonly reference: string },
      SubscriptionFacts
    >
  | Of<
      'SubscriptionEnded',
      After & {
        readonly lines: readonly BillLine[];
        readonly reference?: string;
        /** Lots that had left the wallet's state and take credits back. */
        readonly restored?: readonly NewLot[];
      },
      SubscriptionFacts
    >
  /** The outside world's word on a period; not `applied`: the money waits for finance. */
  | Of<
      'SubscriptionPaymentRecorded',
      PaymentRecorded,
      SubscriptionFacts & { readonly received: Money | null }
    >
  /** Quotas whose window has begun. */
  | Of<'QuotaGranted', After, SubscriptionFacts>
  | Of<'QuotaExpanded', QuotaExpanded, MovementFacts>;

export type PastDueReason =
  | 'insufficient_credits'
  | 'awaiting_payment'
  | 'account_frozen'
  | 'plan_not_in_credits';
export type Change = 'upgraded' | 'plan_change_scheduled' | 'cancellation_scheduled' | 'resumed';

export type UnappliedPaymentReason =
  | 'not_the_period'
  | 'paid_already'
  | 'amount_differs'
  | 'canceled'
  | 'too_late';

export interface PaymentRecorded extends Movement {
  readonly period_start: string;
  readonly result: 'paid' | 'failed';
  readonly applied: boolean;
  /** Why money was not applied. */
  readonly reason?: UnappliedPaymentReason;
  readonly reference: string;
  readonly subscription?: Subscription;
  readonly terms?: PlanTerms;
}

/** More for a time, by finance (Q9). */
export interface QuotaExpanded extends Movement {
  readonly reason: string;
  readonly reference: string;
}
