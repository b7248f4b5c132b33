/**
 * What events say of quotas. A quota is a lot in its own unit (calls or tokens) for one window of time: granted, used,
 * held, expired. Its moves stand beside those of credits, never among them; debt exists in credits only (rule 29).
 */

import type { Money } from '../../amount.ts';
import type { QuotaUnit, Window } from '../../plans/terms.ts';
import type { Dimension, Usage } from '../../usage.ts';

export type QuotaPlace = 'granted' | 'free' | 'used' | 'expired' | `hold:${string}`;

export interface QuotaMove {
  readonly quota: string;
  readonly from: QuotaPlace;
  readonly to: QuotaPlace;
  /** A whole number. */
  readonly quantity: string;
}

/** A quota as it is born. `quota-17` is the first of revision 17, `quota-17.1` the second. */
export interface NewQuota {
  readonly quota: string;
  readonly unit: QuotaUnit;
  /** A model, or `*`. */
  readonly model: string;
  readonly quantity: string;
  readonly starts_at: string;
  readonly expires_at: string;
  /** Of a quota in tokens: which dimensions count. Left out: all that are tokens. */
  readonly counted_dimensions?: readonly Dimension[];
  readonly origin: QuotaOrigin;
}

export type QuotaOrigin =
  /** By this line of the plan's `included`; `extra`: more of it, in mid-window. */
  | {
      readonly kind: 'plan';
      readonly subscription: string;
      readonly line: number;
      readonly per: Window;
      readonly extra?: true;
    }
  | { readonly kind: 'expansion'; readonly ref: string; readonly reason: string };

export interface QuotaMovement {
  readonly granted?: readonly NewQuota[];
  readonly moves: readonly QuotaMove[];
}

/** The money behind the quotas: their share of the plan's price (billing rule 10). */
export interface QuotaMoney {
  /** Of each of `moves`, in the quota's currency, in the same order. */
  readonly paid: readonly string[];
  /** Of each quota that was paid for. */
  readonly granted?: { readonly [quota: string]: Money };
}

/** A part of a usage that a quota has covered. */
export interface Covered {
  readonly unit: QuotaUnit;
  readonly quantity: string;
  /** Of the quota: a model, or `*`. */
  readonly model: string;
  /** Left out: of a line without limit. */
  readonly quota?: string;
  /** By dimension. */
  readonly usage: Usage;
}

/** What a usage adds to the counter of the cap with this index in the plan's terms. */
export interface CapCount {
  readonly cap: number;
  readonly quantity: string;
  /** Of a charge: the window in which it counts. */
  readonly start?: string;
  readonly end?: string;
}
