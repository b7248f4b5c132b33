/**
 * What can have happened to a wallet. These shapes are a promise: fields may be added, never changed in meaning.
 *
 * `data` is what the account's owner may see; `facts` holds everything in a currency and what reveals it (P8).
 * Every event that moves value carries its `entry`, and says lot by lot what moved from where to where (`moves`).
 * Amounts are decimal strings, quantities of usage JSON numbers, times RFC 3339 in UTC.
 */
import type { Money } from '../amount.ts';
import type { DomainEvent } from '../decider.ts';
import type { Posting } from '../entry.ts';
import type { Usage } from '../usage.ts';
import type { AlertEvent } from './alerts/events.ts';
import type { AutoTopUpEvent } from './auto-top-up/events.ts';
import type { PurchaseEvent } from './purchase/events.ts';
import type { CapCount, Covered, QuotaMoney, QuotaMovement } from './quota/events.ts';
import type { ReferralEvent } from './referral/events.ts';
import type { PinnedPlan, PlanVersionRef, SubscriptionEvent } from './subscription/events.ts';

/**
 * Where credits can stand, seen from the wallet:
 * - `granted`, `adjusted`: outside, where credits come from (and go back to when they are taken back)
 * - `free`: in a lot, to be spent · `spent`: consumed · `expired`
 * - `overdraft`: beyond all lots; what leaves it makes debt (or the uncovered part of a hold)
 * - `debt`: a lot's credits paying debt · `hold:{id}`: reserved · `cover:{id}`: a lot's credits standing in for the
 *   uncovered part of a hold
 */
export type Place =
  | 'granted'
  | 'adjusted'
  | 'free'
  | 'overdraft'
  | 'debt'
  | 'spent'
  | 'expired'
  | `hold:${string}`
  | `cover:${string}`;

/** `credits` of a lot go from one place to another; no lot where they are beyond all lots. */
export interface Move {
  readonly lot?: string;
  readonly from: Place;
  readonly to: Place;
  readonly credits: string;
}

export interface Origin {
  readonly kind: 'top_up' | 'grant' | 'adjustment' | 'reversal';
  /** The kind's own word: a top-up's source, a grant's kind. */
  readonly of: string;
  readonly ref: string;
}

/** A lot as it is born. Any unit (rule 29); `withdrawable` is an amount, because earned credits vest. */
export interface NewLot {
  readonly lot: string;
  readonly unit: string;
  readonly quantity: string;
  readonly priority: number;
  readonly expires_at: string | null;
  readonly withdrawable: string;
  readonly origin: Origin;
}

export interface Balance {
  readonly available: string;
  readonly held: string;
}

/** What every event that moves value says. */
export interface Movement {
  readonly lots?: readonly NewLot[];
  readonly moves: readonly Move[];
  /** What moved in quotas; left out where nothing did. */
  readonly quotas?: QuotaMovement;
  /** Postings in credits and quota units; the ones in currencies are in the facts. */
  readonly entry: readonly Posting[];
  readonly after: Balance;
}

export interface MovementFacts {
  /** Postings in currencies: supplier cost, deferred revenue released. */
  readonly entry: readonly Posting[];
  /** What was paid for the credits of each of `moves`, in the lot's currency; in the same order. */
  readonly paid: readonly string[];
  /** What was paid for each new lot that was paid for. */
  readonly lots?: { readonly [lot: string]: Money };
  readonly quotas?: QuotaMoney;
}

export interface BookVersion {
  readonly name: string;
  readonly version: number;
}

/** How a price came about, with its numbers: a replay never prices again (rule 31). */
export interface PriceFacts {
  /** Before rounding: a decimal, or a fraction `"22/3"` where the decimal would not end. */
  readonly exact: string;
  readonly round_to: string;
  readonly lines: readonly PriceLine[];
  /** On top of what the published prices say themselves (markup, demand factor): plan, VIP class, overage (rule 31). */
  readonly factors?: readonly { readonly kind: string; readonly value: string; readonly version: string }[];
}

export interface PriceLine {
  readonly dimension: string;
  readonly quantity: number;
  readonly exact: string;
  /** The price as published, with its markup and demand factor; its version is the charge's `price_book`. */
  readonly price: object;
}

export type WalletEvent =
  | Of<'AccountOpened', AccountOpened, object>
  | Of<'AccountChanged', AccountChanged, object>
  | Of<'AccountFrozen', { reason: string; reference: string }, object>
  | Of<'AccountUnfrozen', { reference: string }, object>
  | Of<'TopUp', TopUp, MovementFacts>
  | Of<'CreditsGranted', CreditsGranted, MovementFacts>
  | Of<'CreditsAdjusted', CreditsAdjusted, MovementFacts>
  | Of<'UsageCharged', UsageCharged, UsageFacts>
  | Of<'UsageUnpriced', UsageUnpriced, UnpricedFacts>
  | Of<'HoldPlaced', HoldTerms & Movement, HoldFacts>
  | Of<'HoldExtended', HoldTerms & Movement, HoldFacts>
  | Of<'HoldVoided', { hold: string } & Movement, MovementFacts>
  | Of<'HoldClosed', { hold: string; by: string }, object>
  | Of<'Expired', Expired, MovementFacts>
  | Of<'EntryReversed', EntryReversed, MovementFacts>
  | PurchaseEvent
  | ReferralEvent
  | AutoTopUpEvent
  | AlertEvent
  | SubscriptionEvent;

export interface Of<T extends string, D extends object, F extends object> extends DomainEvent {
  readonly type: T;
  readonly data: D;
  readonly facts: F;
}
export type WalletEventOf<T extends WalletEvent['type']> = Extract<WalletEvent, { type: T }>;

export interface AccountTerms {
  /** Null unless given, so that account, then plan, then "default" can be told apart (rule 35). */
  readonly price_book: string | null;
  readonly overdraft_limit: string;
  readonly time_zone: string;
  readonly currency: string | null;
}
export interface AccountOpened extends AccountTerms {
  readonly account: string;
}
export type AccountChanged = Partial<AccountTerms>;

export interface TopUp extends Movement {
  readonly lot: string;
  readonly credits: string;
  readonly source: string;
  readonly reference: string;
}
export interface CreditsGranted extends Movement {
  readonly lot: string;
  readonly credits: string;
  readonly kind: string;
  readonly reference: string;
}
export interface CreditsAdjusted extends Movement {
  /** Signed. */
  readonly credits: string;
  readonly lot?: string;
  readonly reason: string;
  readonly reference: string;
}

export interface UsageRecord {
  readonly usage_id: string;
  readonly source: string;
  readonly model: string;
  readonly usage: Usage;
  readonly mode: 'charge' | 'record';
  /** Settles this hold. */
  readonly hold?: string;
  readonly occurred_at: string;
}

export interface UsageCharged extends UsageRecord, Movement {
  readonly credits: string;
  readonly price_book: BookVersion;
  /** What quotas covered (rule 26); `credits` is what the rest costs. */
  readonly covered?: readonly Covered[];
  /** Whose terms said what is covered and what the rest costs. */
  readonly plan?: PlanVersionRef;
  readonly caps?: readonly CapCount[];
  /** Booked all the same, because the call had run (billing rules 6, 9). */
  readonly violations?: readonly Violation[];
  /** Settled after its hold had expired. */
  readonly late?: true;
  /** Was unpriced before; `later_version`: no version in force at the time had a price (rule 24). */
  readonly repriced?: 'in_force' | 'later_version';
}
/** `quota_exhausted`: beyond a hard stop, at the platform's own expense. */
export type Violation = 'quota_exhausted' | 'cap_reached' | 'model_not_allowed';
export interface UsageFacts extends MovementFacts {
  readonly price: PriceFacts;
  readonly supplier: string | null;
  readonly cost: Money | null;
  readonly metadata?: object;
}

/** Usage that has no price yet: parked and shown, never charged zero and never lost (P10). */
export interface UsageUnpriced extends UsageRecord, Movement {
  readonly reason: UnpricedReason;
}
/** `out_of_range`: the price makes more of it than one amount may be; that is a mistake in the book, not a charge. */
export type UnpricedReason = 'no_price_book' | 'no_model' | 'no_dimension' | 'no_step' | 'out_of_range';
export interface UnpricedFacts extends MovementFacts {
  readonly cost: Money | null;
  readonly metadata?: object;
}

export interface HoldTerms {
  readonly hold: string;
  /** `call` counts for concurrency; withdrawals and disputes come later (rule 34). */
  readonly purpose: 'call';
  readonly model: string;
  readonly estimate: Usage;
  /** Held in all, after this event. */
  readonly credits: string;
  readonly expires_at: string;
  readonly price_book: BookVersion;
  /** What quotas cover of the estimate; `credits` is for the rest. An extension of time alone leaves it out: as before. */
  readonly covered?: readonly Covered[];
  /** Pinned like the price book. */
  readonly plan?: PinnedPlan;
  readonly caps?: readonly CapCount[];
}
export interface HoldFacts extends MovementFacts {
  readonly price: PriceFacts;
}

/** Dues that were carried out: lots and holds whose time had come. */
export interface Expired extends Movement {
  readonly items: readonly {
    /** `quota_pins`: what holds still had of a quota an hour after its end. */
    readonly kind: 'lot' | 'hold' | 'quota' | 'quota_pins';
    readonly id: string;
    readonly effective_at: string;
  }[];
}

export interface EntryReversed extends Movement {
  /** Revision of the event that is reversed. */
  readonly reverses: number;
  readonly reversed_type: string;
  readonly credits: string;
  readonly reason: string;
  /** Of a purchase that was taken back whole and unspent: its coupon may be used again (billing rule 18). */
  readonly frees_coupon?: { readonly code: string; readonly purchase: string };
  /** Lots that had left the wallet's state and are needed again; quantity 0. */
  readonly restored?: readonly NewLot[];
}
