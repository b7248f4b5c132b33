/** Orders to a wallet, already parsed: amounts in smallest steps, times in milliseconds since 1970. */

import type { Money } from '../amount.ts';
import type { CommandKey, Decision } from '../decider.ts';
import type { Usage } from '../usage.ts';
import type { SetAlerts } from './alerts/commands.ts';
import type { AutoTopUpCommand, AutoTopUpRefusal } from './auto-top-up/commands.ts';
import type { AccountTerms, WalletEvent } from './events.ts';
import type { PurchaseCommand, PurchaseRefusal } from './purchase/commands.ts';
import type { ReferralCommand, ReferralRefusal } from './referral/commands.ts';
import type { SubscriptionCommand, SubscriptionRefusal, UseRefusal } from './subscription/commands.ts';

export type WalletCommand = CommandKey &
  (
    | { readonly type: 'OpenAccount'; readonly terms: AccountTerms }
    | { readonly type: 'ChangeAccount'; readonly terms: Partial<AccountTerms> }
    | { readonly type: 'FreezeAccount'; readonly reason: string; readonly reference: string }
    | { readonly type: 'UnfreezeAccount'; readonly reference: string }
    | TopUpCredits
    | GrantCredits
    | AdjustCredits
    | ChargeUsage
    | SettleHold
    | RepriceUsage
    | PlaceHold
    | ExtendHold
    | { readonly type: 'VoidHold'; readonly hold: string }
    | ReverseEntry
    | SubscriptionCommand
    | PurchaseCommand
    | ReferralCommand
    | AutoTopUpCommand
    | SetAlerts
    /** Carries out what is due; changes nothing else. */
    | { readonly type: 'CarryOutDues' }
  );

export interface LotMarks {
  readonly credits: bigint;
  readonly expiresAt: number | null;
  readonly priority: number;
}
export interface TopUpCredits extends LotMarks {
  readonly type: 'TopUpCredits';
  readonly source: string;
  readonly reference: string;
  readonly paid: Money | null;
}
export interface GrantCredits extends LotMarks {
  readonly type: 'GrantCredits';
  readonly kind: string;
  readonly reference: string;
}
export interface AdjustCredits {
  readonly type: 'AdjustCredits';
  /** Signed, not 0. */
  readonly credits: bigint;
  readonly reason: string;
  readonly reference: string;
}
export interface ChargeUsage {
  readonly type: 'ChargeUsage';
  readonly id: string;
  readonly source: string;
  readonly model: string;
  readonly usage: Usage;
  /** The real cost, where the caller knows it better than the price book. */
  readonly cost: Money | null;
  /** `record`: the call has run, it is booked whatever happens. */
  readonly mode: 'charge' | 'record';
  readonly hold: string | null;
  readonly occurredAt: number | null;
  readonly metadata: object | null;
}
/** As a ChargeUsage whose id is the hold's and whose model is the hold's. */
export interface SettleHold {
  readonly type: 'SettleHold';
  readonly hold: string;
  readonly usage: Usage;
  readonly cost: Money | null;
}
export interface RepriceUsage {
  readonly type: 'RepriceUsage';
  readonly id: string;
  readonly source: string;
}
export interface PlaceHold {
  readonly type: 'PlaceHold';
  readonly hold: string;
  readonly model: string;
  readonly estimate: Usage;
  readonly expiresInMs: number;
}
export interface ExtendHold {
  readonly type: 'ExtendHold';
  readonly hold: string;
  /** "At least": what is less than the hold has already changes nothing, so twice is once (rule 20). */
  readonly estimate: Usage | null;
  readonly expiresInMs: number | null;
}
export interface ReverseEntry {
  readonly type: 'ReverseEntry';
  readonly revision: number;
  readonly reason: string;
  /** Takes back credits that were spent already, into debt (rule 23). */
  readonly allowDebt: boolean;
}

/** Every way in which a wallet says no. */
export type WalletRefusal =
  | { readonly code: 'account_not_found' }
  | { readonly code: 'account_frozen'; readonly reasons: readonly string[] }
  | { readonly code: 'insufficient_credits'; readonly available: string; readonly required: string }
  | { readonly code: 'hold_not_found'; readonly hold: string }
  | { readonly code: 'hold_closed'; readonly hold: string; readonly status: 'settled' | 'voided' }
  | { readonly code: 'too_many_holds'; readonly limit: number }
  | { readonly code: 'too_many_lots'; readonly limit: number }
  | { readonly code: 'no_price'; readonly reason: string; readonly missing: string }
  | { readonly code: 'usage_not_found' }
  | { readonly code: 'usage_already_charged' }
  | { readonly code: 'entry_not_found' }
  | { readonly code: 'entry_not_reversible'; readonly reason: string }
  | { readonly code: 'credits_already_spent'; readonly remaining: string; readonly required: string }
  /** Bought credits that would be gone on arrival: a slip of the pen, not an order. */
  | { readonly code: 'expires_in_past'; readonly expires_at: string }
  | { readonly code: 'balance_limit'; readonly limit: string }
  | { readonly code: 'idempotency_conflict' }
  | SubscriptionRefusal
  | UseRefusal
  | PurchaseRefusal
  | ReferralRefusal
  | AutoTopUpRefusal;

export type WalletDecision = Decision<WalletEvent, WalletRefusal>;

export const accepted = (...events: WalletEvent[]): WalletDecision => ({ kind: 'accepted', events });
export const refused = (refusal: WalletRefusal): WalletDecision => ({ kind: 'refused', refusal });
export const UNCHANGED: WalletDecision = { kind: 'unchanged' };
export const needs = (...facts: string[]): WalletDecision => ({
  kind: 'needs',
  facts,
  freshCatalogue: false,
});
export const NEEDS_CATALOGUE: WalletDecision = { kind: 'needs', facts: [], freshCatalogue: true };
