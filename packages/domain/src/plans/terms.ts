/**
 * A plan's terms as published, and as they are copied into the wallet of whoever subscribes: a subscriber keeps the terms
 * bought until renewal. Two things that other systems mix up are kept apart (billing rule 4):
 * - `included` funds: so much of a unit in every window, before credits are touched
 * - `caps` limit: window counters that every call must pass, whoever pays
 */

import type { Money } from '../amount.ts';
import type { Dimension } from '../usage.ts';

export const QUOTA_UNITS = ['calls', 'tokens'] as const;
export type QuotaUnit = (typeof QUOTA_UNITS)[number];

/** What a line in tokens counts where it does not say which (billing rule 5). Disjoint, so they may be added up. */
export const TOKEN_DIMENSIONS = [
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
] as const satisfies readonly Dimension[];

/** All models. */
export const ANY_MODEL = '*';

export const INTERVALS = ['week', 'month', 'year'] as const;
export type Interval = (typeof INTERVALS)[number];

/** `period`: that of the subscription. */
export const WINDOWS = ['day', 'week', 'month', 'period'] as const;
export type Window = (typeof WINDOWS)[number];

/** `subscription`: from the instant of subscribing; `calendar`: midnight, Monday, the first of the month. */
export const ANCHORS = ['subscription', 'calendar'] as const;
export type Anchor = (typeof ANCHORS)[number];

/** What quota there is while a period is not paid; `provisional`: the share of it that the grace has of the window. */
export const GRACE_QUOTAS = ['none', 'provisional', 'full'] as const;
export type GraceQuota = (typeof GRACE_QUOTAS)[number];

export interface IncludedLine {
  readonly unit: QuotaUnit;
  /** A model, or `*`. */
  readonly model: string;
  /** A whole number as text, or `unlimited`. */
  readonly amount: string;
  readonly per: Window;
  /** Of a line in tokens: which dimensions count (billing rule 5). Left out: all that are tokens. */
  readonly counted_dimensions?: readonly Dimension[];
}

export interface Cap {
  readonly unit: QuotaUnit;
  readonly model: string;
  readonly amount: string;
  readonly per: Window;
}

/** Price of a unit beyond what is included, in credits for `per` units. */
export interface OveragePrice {
  readonly credits: string;
  readonly per: number;
}

export type PlanPrice = { readonly credits: string } | Money;

export interface PlanTerms {
  readonly name: string;
  readonly description?: string;
  readonly features?: readonly string[];
  readonly price: PlanPrice;
  readonly interval: Interval;
  readonly anchor: Anchor;
  readonly trial_days?: number;
  /** How long, and with what quota, a period may stay unpaid. Left out: not at all. */
  readonly grace?: { readonly days: number; readonly quota: GraceQuota };
  readonly included: readonly IncludedLine[];
  readonly caps?: readonly Cap[];
  /** What becomes of usage that the included lines of its model do not cover. */
  readonly overage: 'credits' | 'refuse';
  /** Factor on the price of what is not covered, of models that the plan includes something for. */
  readonly overage_multiplier?: string;
  /** By model (or `*`) and dimension; stands instead of the price book's. */
  readonly overage_prices?: {
    readonly [model: string]: { readonly [D in Dimension]?: OveragePrice };
  };
  /** For accounts that name no book of their own (billing rule 11). */
  readonly price_book?: string;
  /** Left out: all. */
  readonly allowed_models?: readonly string[];
  readonly rate_limit_per_minute?: number;
  readonly max_concurrent_requests?: number;
  /** Class of service, told with every authorization (Q11). */
  readonly priority?: string;
  readonly support_level?: string;
  readonly display_order?: number;
  /** Cancelled now: what was paid for the rest of the period returns to the lots that paid. */
  readonly refund_on_cancel?: boolean;
  /** New accounts start with it; its price must be 0 credits. */
  readonly default_plan?: boolean;
  /** Left out: true. What is not active can no longer be subscribed to; subscribers keep it. */
  readonly active?: boolean;
}
