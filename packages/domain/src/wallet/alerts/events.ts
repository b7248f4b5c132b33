/**
 * What can happen to the warnings of an account. They move nothing: they tell of what has been crossed by the events
 * before them in the same append. Whom they are mailed to is no part of them: that is personal data (rule 17).
 */
import type { QuotaUnit } from '../../plans/terms.ts';
import type { Of } from '../events.ts';

/**
 * - `quota`: so many percent of a window's quota are used or held
 * - `balance`: fewer credits than these are available
 * - `daily_spend`: usage has cost more than so many credits in one day of the account
 */
export type AlertThreshold =
  | { readonly on: 'quota'; readonly percent: number }
  | { readonly on: 'balance'; readonly credits: string }
  | { readonly on: 'daily_spend'; readonly credits: string };

export interface AlertTerms {
  readonly enabled: boolean;
  readonly thresholds: readonly AlertThreshold[];
}

export type AlertEvent =
  | Of<'AlertsSet', AlertTerms, object>
  | Of<'AlertRaised', AlertRaised, object>
  | Of<'AlertsRearmed', AlertsRearmed, object>
  | Of<'SpendDayBegan', SpendDayBegan, object>;

export type AlertRaised = QuotaAlert | BalanceAlert | SpendAlert;

interface Raised {
  /** Of the crossing: no two alerts of an account have the same. */
  readonly key: string;
  /** When it was crossed; of what fell due: its own instant, however late it was carried out. */
  readonly effective_at: string;
}
export interface QuotaAlert extends Raised {
  readonly alert: 'quota';
  /** Percent: `"80"`. */
  readonly threshold: string;
  readonly unit: QuotaUnit;
  /** A model, or `*`. */
  readonly model: string;
  readonly granted: string;
  readonly used: string;
  /** In open holds. */
  readonly held: string;
  readonly period_start: string;
  readonly period_end: string;
}
export interface BalanceAlert extends Raised {
  readonly alert: 'balance';
  /** Credits. */
  readonly threshold: string;
  readonly available: string;
}
export interface SpendAlert extends Raised {
  readonly alert: 'daily_spend';
  /** Credits. */
  readonly threshold: string;
  readonly spent: string;
  /** `2026-01-31`, in the account's time zone. */
  readonly day: string;
}

/** Credits have come in: these thresholds on the balance, told of before, may tell again. */
export interface AlertsRearmed {
  readonly alert: 'balance';
  readonly thresholds: readonly string[];
  readonly effective_at: string;
}

/** The first usage of a day, where somebody wants to know what a day costs. */
export interface SpendDayBegan {
  readonly day: string;
  readonly starts_at: string;
  readonly ends_at: string;
  /** Charges from this revision on are of the day. */
  readonly since: number;
  /** Credits, of those in this append. */
  readonly spent: string;
}
