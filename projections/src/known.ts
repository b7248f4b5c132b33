/** The events that the read models know. Anything else stops the projector rather than be skipped (rule 11). */
import type { CouponEvent, TestClockEvent, WalletEvent, WebhookEndpointEvent } from '@tallystick/domain';
import { splitStream } from '@tallystick/event-store';
import { CannotProject } from './faults.ts';

/** Whoever adds a wallet event finds out here that the read models must learn it. */
const WALLET: Record<WalletEvent['type'], true> = {
  AccountOpened: true,
  AccountChanged: true,
  AccountFrozen: true,
  AccountUnfrozen: true,
  TopUp: true,
  CreditsGranted: true,
  CreditsAdjusted: true,
  UsageCharged: true,
  UsageUnpriced: true,
  HoldPlaced: true,
  HoldExtended: true,
  HoldVoided: true,
  HoldClosed: true,
  Expired: true,
  EntryReversed: true,
  SubscriptionStarted: true,
  SubscriptionRenewed: true,
  SubscriptionPastDue: true,
  SubscriptionChanged: true,
  SubscriptionEnded: true,
  SubscriptionPaymentRecorded: true,
  QuotaGranted: true,
  QuotaExpanded: true,
  PurchaseOpened: true,
  PurchasePaid: true,
  PurchaseClosed: true,
  PurchasePaymentUnapplied: true,
  CouponApplied: true,
  CouponForgotten: true,
  ReferralLinked: true,
  ReferralAccrued: true,
  ReferralGranted: true,
  ReferralClawedBack: true,
  AutoTopUpSet: true,
  AutoTopUpRequested: true,
  AutoTopUpResolved: true,
  AlertsSet: true,
  AlertRaised: true,
  AlertsRearmed: true,
  SpendDayBegan: true,
};

const WEBHOOK: Record<WebhookEndpointEvent['type'], true> = {
  WebhookEndpointCreated: true,
  WebhookEndpointChanged: true,
  WebhookSecretRotated: true,
  WebhookEndpointDeleted: true,
};

const TEST_CLOCK: Record<TestClockEvent['type'], true> = {
  TestClockAdvanceBegun: true,
  TestClockMoved: true,
  TestClockAdvanceEnded: true,
};

const COUPON: Record<CouponEvent['type'], true> = {
  CouponPublished: true,
  CouponUseReserved: true,
  CouponUseConfirmed: true,
  CouponUseReleased: true,
  CouponUseReturned: true,
};

const KNOWN: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['wallet', new Set(Object.keys(WALLET))],
  ['pricebook', new Set(['PriceBookPublished'])],
  ['apikey', new Set(['ApiKeyCreated', 'ApiKeyRevoked'])],
  ['profile', new Set(['ProfileSet'])],
  ['ledger', new Set(['LedgerOpened'])],
  ['seal', new Set(['LedgerSealed'])],
  ['testclock', new Set(Object.keys(TEST_CLOCK))],
  ['plan', new Set(['PlanPublished'])],
  ['package', new Set(['PackagePublished'])],
  ['coupon', new Set(Object.keys(COUPON))],
  ['webhook', new Set(Object.keys(WEBHOOK))],
]);

export function assertKnown(
  stream: string,
  revision: number,
  type: string,
): { category: string; id: string } {
  const place = splitStream(stream);
  const types = KNOWN.get(place.category);
  if (types === undefined) throw new CannotProject(`${stream}:${revision} is of an unknown category`);
  if (!types.has(type)) throw new CannotProject(`${stream}:${revision} is of an unknown type: ${type}`);
  return place;
}
