/** Folds wallet events. Never refuses; an event type it does not know stops the wallet (rule 11). */
import { parseCredits } from '../amount.ts';
import { alertsAfterEvent, spentLess, spentMore } from './alerts/state.ts';
import { autoTopUpAfterEvent } from './auto-top-up/state.ts';
import type { AccountTerms, HoldTerms, UsageCharged, WalletEvent } from './events.ts';
import { addLot, applyMovement, ownHolds } from './moves.ts';
import { evolvePurchase } from './purchase/evolve.ts';
import { freed } from './purchase/state.ts';
import { addToCaps, holdOfCaps } from './quota/caps.ts';
import { quotaDueAt } from './quota/state.ts';
import { evolveReferral } from './referral/evolve.ts';
import { nextReferralAt, toppedUp } from './referral/state.ts';
import { type Hold, NEVER, type Wallet } from './state.ts';
import { evolveSubscription, markCalled } from './subscription/evolve.ts';
import { nextSubscriptionDue } from './subscription/state.ts';

export function evolveWallet(wallet: Wallet, event: WalletEvent, revision: number): void {
  // Before the moves: lots are named after the revision of their event.
  wallet.revision = revision;
  switch (event.type) {
    case 'AccountOpened':
      wallet.opened = true;
      applyTerms(wallet, event.data);
      return;
    case 'AccountChanged':
      applyTerms(wallet, event.data);
      return;
    case 'AccountFrozen':
      wallet.frozen = new Map(wallet.frozen).set(event.data.reference, event.data.reason);
      return;
    case 'AccountUnfrozen': {
      const frozen = new Map(wallet.frozen);
      frozen.delete(event.data.reference);
      wallet.frozen = frozen;
      return;
    }
    case 'TopUp':
      wallet.referral = toppedUp(wallet.referral);
      applyMovement(wallet, event.data, event.facts);
      return;
    case 'PurchaseOpened':
    case 'PurchasePaid':
    case 'PurchaseClosed':
    case 'PurchasePaymentUnapplied':
    case 'CouponApplied':
    case 'CouponForgotten':
      evolvePurchase(wallet, event);
      return;
    case 'ReferralLinked':
    case 'ReferralAccrued':
    case 'ReferralGranted':
    case 'ReferralClawedBack':
      evolveReferral(wallet, event);
      return;
    case 'AutoTopUpSet':
    case 'AutoTopUpRequested':
    case 'AutoTopUpResolved':
      wallet.autoTopUp = autoTopUpAfterEvent(wallet.autoTopUp, event);
      return;
    case 'AlertsSet':
    case 'AlertRaised':
    case 'AlertsRearmed':
    case 'SpendDayBegan':
      wallet.alerts = alertsAfterEvent(wallet.alerts, event);
      return;
    case 'CreditsGranted':
    case 'CreditsAdjusted':
      applyMovement(wallet, event.data, event.facts);
      return;
    case 'UsageCharged':
    case 'UsageUnpriced':
      applyMovement(wallet, event.data, event.facts);
      if (event.type === 'UsageCharged') markUsed(wallet, event.data);
      if (event.data.hold !== undefined) closeHold(wallet, event.data.hold);
      if (event.type !== 'UsageCharged') return;
      if (event.data.caps !== undefined && wallet.subscription !== null)
        wallet.subscription = addToCaps(wallet.subscription, event.data.caps);
      wallet.alerts = spentMore(wallet.alerts, event.data.credits);
      return;
    case 'HoldPlaced':
    case 'HoldExtended':
      openHold(wallet, event.data);
      applyMovement(wallet, event.data, event.facts);
      return;
    case 'HoldVoided':
      applyMovement(wallet, event.data, event.facts);
      closeHold(wallet, event.data.hold);
      return;
    case 'HoldClosed':
      return;
    case 'Expired':
      applyMovement(wallet, event.data, event.facts);
      for (const item of event.data.items) {
        if (item.kind === 'hold') {
          if (wallet.holds.get(item.id)?.plan != null) markCalled(wallet);
          closeHold(wallet, item.id);
        } else if (item.kind !== 'lot') forgetQuota(wallet, item.id);
      }
      wallet.nextDueAt = nextDueAt(wallet);
      return;
    case 'EntryReversed':
      for (const lot of event.data.restored ?? []) addLot(wallet, lot, event.facts.lots?.[lot.lot]);
      applyMovement(wallet, event.data, event.facts);
      if (event.data.frees_coupon !== undefined)
        wallet.coupons = freed(wallet.coupons, event.data.frees_coupon.code);
      wallet.alerts = spentLess(wallet.alerts, event.data);
      return;
    case 'SubscriptionStarted':
    case 'SubscriptionRenewed':
    case 'SubscriptionPastDue':
    case 'SubscriptionChanged':
    case 'SubscriptionEnded':
    case 'SubscriptionPaymentRecorded':
    case 'QuotaGranted':
    case 'QuotaExpanded':
      evolveSubscription(wallet, event);
      wallet.nextDueAt = nextDueAt(wallet);
      return;
    default:
      throw new UnknownEvent(wallet.account, event);
  }
}

class UnknownEvent extends Error {
  constructor(account: string, event: never) {
    super(
      `wallet ${account} holds an event of a type this code does not know: ${(event as WalletEvent).type}`,
    );
  }
}

function applyTerms(wallet: Wallet, terms: Partial<AccountTerms>): void {
  if (terms.price_book !== undefined) wallet.priceBook = terms.price_book;
  if (terms.overdraft_limit !== undefined) wallet.overdraftLimit = parseCredits(terms.overdraft_limit);
  if (terms.time_zone !== undefined) wallet.timeZone = terms.time_zone;
  if (terms.currency !== undefined) wallet.currency = terms.currency;
}

/** Opens a hold, or gives an open one new terms; what it holds comes by the moves. */
export function openHold(wallet: Wallet, terms: HoldTerms): void {
  const expiresAt = Date.parse(terms.expires_at);
  const open = wallet.holds.get(terms.hold);
  ownHolds(wallet).set(terms.hold, {
    id: terms.hold,
    purpose: terms.purpose,
    model: terms.model,
    estimate: terms.estimate,
    book: terms.price_book,
    expiresAt,
    credits: open?.credits ?? 0n,
    uncovered: open?.uncovered ?? 0n,
    pins: open?.pins ?? [],
    quotaPins: open?.quotaPins ?? [],
    plan: terms.plan ?? null,
    caps: (terms.caps ?? []).map(({ cap, quantity }) => ({ cap, quantity: BigInt(quantity) })),
  });
  countHeld(wallet, open?.caps ?? [], -1n);
  countHeld(wallet, wallet.holds.get(terms.hold)?.caps ?? [], 1n);
  if (expiresAt < wallet.nextDueAt) wallet.nextDueAt = expiresAt;
}

/** An overrun voids what would come back of its own subscription; one that ended in its time has nothing to give back. */
function markUsed(wallet: Wallet, { plan, hold, violations }: UsageCharged): void {
  if (plan === undefined) return;
  const held = hold === undefined ? undefined : wallet.holds.get(hold)?.plan?.paid_in;
  const isOfNow = held === undefined || held === wallet.subscription?.now.id;
  markCalled(wallet, isOfNow && violations?.includes('quota_exhausted'));
}

function countHeld(wallet: Wallet, caps: Hold['caps'], sign: bigint): void {
  if (caps.length > 0 && wallet.subscription !== null)
    wallet.subscription = holdOfCaps(wallet.subscription, caps, sign);
}

/** Its window is over; what open holds have of it keeps it. */
function forgetQuota(wallet: Wallet, id: string): void {
  wallet.quotas = wallet.quotas.filter((quota) => quota.id !== id || quota.pinned > 0n || quota.free > 0n);
}

export function closeHold(wallet: Wallet, id: string): void {
  const hold = wallet.holds.get(id);
  if (hold === undefined) return;
  countHeld(wallet, hold.caps, -1n);
  ownHolds(wallet).delete(id);
}

/** The earliest instant at which something of this wallet falls due. */
export function nextDueAt(wallet: Wallet): number {
  let next = NEVER;
  for (const lot of wallet.lots)
    if (lot.free > 0n && lot.expiresAt !== null && lot.expiresAt < next) next = lot.expiresAt;
  for (const hold of wallet.holds.values()) if (hold.expiresAt < next) next = hold.expiresAt;
  for (const quota of wallet.quotas) next = Math.min(next, quotaDueAt(quota));
  return Math.min(next, nextReferralAt(wallet.referral), nextSubscriptionDue(wallet));
}
