/**
 * The wallet's state: what every decision about one customer is made of.
 *
 *   available = free credits of all lots - debt - uncovered parts of open holds
 *   granted + adjusted - consumed - held - expired - withdrawn = available            (L14)
 *   free credits and (debt or uncovered) are never both above zero                    (rule 21)
 */
import { parseAmount } from '../amount.ts';
import { type AlertsState, NO_ALERTS } from './alerts/state.ts';
import type { AutoTopUpState } from './auto-top-up/state.ts';
import type { BookVersion, HoldTerms, NewLot, Origin } from './events.ts';
import { noTotals, type Totals } from './places.ts';
import { type CouponsState, NO_COUPONS } from './purchase/state.ts';
import type { Quota, QuotaPin } from './quota/state.ts';
import { NO_REFERRALS, type ReferralState } from './referral/state.ts';
import type { PinnedPlan } from './subscription/events.ts';
import type { SubscriptionState } from './subscription/state.ts';

export interface Lot {
  readonly id: string;
  readonly unit: string;
  readonly priority: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
  readonly withdrawable: bigint;
  readonly origin: Origin;
  /** Revision of the event of its birth; with the place in it, the last word in the burn order. */
  readonly born: number;
  readonly quantity: bigint;
  /** Of the money that was paid for the lot: currency, and the whole sum. */
  readonly currency: string | null;
  readonly paidInAll: bigint;
  /** Free to spend. */
  free: bigint;
  /** The part of the money that stands behind the free credits. */
  paid: bigint;
  /** In open holds. */
  pinned: bigint;
}

/** Credits of one lot that a hold has reserved, with the money behind them. */
export interface Pin {
  readonly lot: string;
  credits: bigint;
  paid: bigint;
}

export interface Hold {
  readonly id: string;
  readonly purpose: HoldTerms['purpose'];
  readonly model: string;
  readonly estimate: HoldTerms['estimate'];
  readonly book: BookVersion;
  readonly expiresAt: number;
  /** Pinned credits plus `uncovered`. */
  credits: bigint;
  uncovered: bigint;
  pins: Pin[];
  quotaPins: readonly QuotaPin[];
  /** Whose terms it was placed on; null without a plan. */
  readonly plan: PinnedPlan | null;
  /** What it adds to the plan's caps while it is open. */
  readonly caps: readonly { readonly cap: number; readonly quantity: bigint }[];
}

export interface Wallet {
  readonly account: string;
  opened: boolean;
  priceBook: string | null;
  overdraftLimit: bigint;
  timeZone: string;
  currency: string | null;
  /** References of the freezes in force; frozen while there is one (rule 34). */
  frozen: ReadonlyMap<string, string>;
  totals: Totals;
  /** In burn order; only lots that have free or pinned credits. */
  lots: Lot[];
  holds: ReadonlyMap<string, Hold>;
  /** Of windows that have not ended, used up or not, and those that open holds still have something of. */
  quotas: Quota[];
  /** The last one that there was; it may have ended. */
  subscription: SubscriptionState | null;
  /** One trial per account, for ever (billing rule 9). */
  trialUsed: boolean;
  /** The end of the last period that cost nothing: none begins anew before it, or its quota could be had again and again. */
  freeUntil: number;
  coupons: CouponsState;
  referral: ReferralState;
  /** Null: never set. */
  autoTopUp: AutoTopUpState | null;
  alerts: AlertsState;
  /** No due before this instant; may be too early, never too late. */
  nextDueAt: number;
  revision: number;
}

export const NEVER = Number.MAX_SAFE_INTEGER;

export function emptyWallet(account: string): Wallet {
  return {
    account,
    opened: false,
    priceBook: null,
    overdraftLimit: 0n,
    timeZone: 'UTC',
    currency: null,
    frozen: new Map(),
    totals: noTotals(),
    lots: [],
    holds: new Map(),
    quotas: [],
    subscription: null,
    trialUsed: false,
    freeUntil: 0,
    coupons: NO_COUPONS,
    referral: NO_REFERRALS,
    autoTopUp: null,
    alerts: NO_ALERTS,
    nextDueAt: NEVER,
    revision: -1,
  };
}

/**
 * A copy to work on. Holds are shared until one is touched (`ownHolds`): a wallet with 10,000 of them is still cheap to
 * fork. The copy never changes the original; that the original changes meanwhile is for `shareHolds` to allow.
 */
export function forkWallet(wallet: Wallet): Wallet {
  return {
    ...wallet,
    totals: { ...wallet.totals },
    lots: wallet.lots.map((lot) => ({ ...lot })),
    quotas: wallet.quotas.length === 0 ? wallet.quotas : wallet.quotas.map((quota) => ({ ...quota })),
  };
}

/** The burn order (L11, rule 26): priority, then what expires first, then what cannot be withdrawn, then age. */
export function burnsBefore(a: Lot, b: Lot): number {
  return (
    a.priority - b.priority ||
    (a.expiresAt ?? NEVER) - (b.expiresAt ?? NEVER) ||
    Number(a.withdrawable > 0n) - Number(b.withdrawable > 0n) ||
    a.born - b.born ||
    placeOf(a.id) - placeOf(b.id)
  );
}

/** A lot, quota or subscription leads to its event: `lot-17` is the first that was born at revision 17, `lot-17.2` the third. */
export function birthOf(lot: string): number | undefined {
  const match = /^(?:lot|quota|sub)-(\d+)/.exec(lot);
  return match === null ? undefined : Number(match[1]);
}

function placeOf(lot: string): number {
  return Number(/\.(\d+)$/.exec(lot)?.[1] ?? 0);
}

export function lotOf(wallet: Wallet, id: string): Lot {
  const lot = wallet.lots.find((candidate) => candidate.id === id);
  if (lot === undefined) throw new Error(`${wallet.account} has no lot ${id}`);
  return lot;
}

/** Sum of what free lots hold. */
export function freeCredits(wallet: Wallet): bigint {
  let sum = 0n;
  for (const lot of wallet.lots) sum += lot.free;
  return sum;
}

/** The money that goes with `credits` out of a stock of `remaining` credits (rule 22): the last takes all of it. */
export function shareOf(paid: bigint, credits: bigint, remaining: bigint): bigint {
  if (credits === remaining || paid === 0n) return paid === 0n ? 0n : paid;
  return halfEvenShare(paid, credits, remaining);
}
function halfEvenShare(paid: bigint, credits: bigint, remaining: bigint): bigint {
  const product = paid * credits;
  const floor = product / remaining;
  const twice = (product - floor * remaining) * 2n;
  return twice > remaining || (twice === remaining && floor % 2n === 1n) ? floor + 1n : floor;
}

export function lotFromEvent(
  event: NewLot,
  born: number,
  paid: { amount: string; currency: string } | undefined,
): Lot {
  return {
    id: event.lot,
    unit: event.unit,
    priority: event.priority,
    expiresAt: event.expires_at === null ? null : Date.parse(event.expires_at),
    withdrawable: parseAmount(event.withdrawable, event.unit),
    origin: event.origin,
    born,
    quantity: parseAmount(event.quantity, event.unit),
    currency: paid?.currency ?? null,
    paidInAll: paid === undefined ? 0n : parseAmount(paid.amount, paid.currency),
    free: 0n,
    paid: 0n,
    pinned: 0n,
  };
}
