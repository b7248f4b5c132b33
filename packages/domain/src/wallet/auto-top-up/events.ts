/** What can happen to the topping up of an account by itself. The charge is somebody else's: here it is asked for. */
import type { Money } from '../../amount.ts';
import type { Of } from '../events.ts';
import type { Purchase } from '../purchase/events.ts';

export interface AutoTopUpTerms {
  readonly enabled: boolean;
  /** In credits: below this more is wanted. */
  readonly threshold: string;
  readonly amount: Money;
  readonly cool_off_seconds: number;
  /** Requests in a day of the account's time zone. */
  readonly daily_cap: number;
}

export type AutoTopUpEvent =
  | Of<'AutoTopUpSet', AutoTopUpTerms, object>
  | Of<'AutoTopUpRequested', AutoTopUpRequested, object>
  | Of<'AutoTopUpResolved', AutoTopUpResolved, object>;

export interface AutoTopUpRequested {
  readonly id: string;
  readonly amount: Money;
  /** What there was, held credits too. */
  readonly credits: string;
  readonly threshold: string;
  /** `2026-01-31`, in the account's time zone: the day that it counts for. */
  readonly day: string;
  readonly requested_at: string;
}

/** `unapplied`: money came, but another sum than was asked for, or nothing can be bought for it. */
export interface AutoTopUpResolved {
  readonly id: string;
  readonly result: 'paid' | 'declined' | 'unapplied';
  readonly reference: string;
  readonly paid?: { readonly purchase: Purchase; readonly lot: string };
  /** Off from now on: too many were declined in a row. */
  readonly off?: true;
}
