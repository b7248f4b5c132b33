/** What every stored event promises whatever it is about: its version, its time, its key, a type that is known. */
import type { AuditedEvent } from '../event.ts';
import type { Finding } from './finding.ts';

const VERSION = 1;

/** What the audit can account for. An event of any other type would be passed over in silence, so it is named. */
const TYPES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    'wallet',
    new Set([
      'AccountOpened',
      'AccountChanged',
      'AccountFrozen',
      'AccountUnfrozen',
      'TopUp',
      'CreditsGranted',
      'CreditsAdjusted',
      'UsageCharged',
      'UsageUnpriced',
      'HoldPlaced',
      'HoldExtended',
      'HoldVoided',
      'HoldClosed',
      'Expired',
      'EntryReversed',
      'SubscriptionStarted',
      'SubscriptionRenewed',
      'SubscriptionPastDue',
      'SubscriptionChanged',
      'SubscriptionEnded',
      'SubscriptionPaymentRecorded',
      'QuotaGranted',
      'QuotaExpanded',
      'PurchaseOpened',
      'PurchasePaid',
      'PurchaseClosed',
      'PurchasePaymentUnapplied',
      'CouponApplied',
      'CouponForgotten',
      'ReferralLinked',
      'ReferralAccrued',
      'ReferralGranted',
      'ReferralClawedBack',
      'AutoTopUpSet',
      'AutoTopUpRequested',
      'AutoTopUpResolved',
      'AlertsSet',
      'AlertRaised',
      'AlertsRearmed',
      'SpendDayBegan',
    ]),
  ],
  ['pricebook', new Set(['PriceBookPublished'])],
  ['apikey', new Set(['ApiKeyCreated', 'ApiKeyRevoked'])],
  ['profile', new Set(['ProfileSet'])],
  ['ledger', new Set(['LedgerOpened'])],
  ['seal', new Set(['LedgerSealed'])],
  ['plan', new Set(['PlanPublished'])],
  ['package', new Set(['PackagePublished'])],
  [
    'coupon',
    new Set([
      'CouponPublished',
      'CouponUseReserved',
      'CouponUseConfirmed',
      'CouponUseReleased',
      'CouponUseReturned',
    ]),
  ],
  ['testclock', new Set(['TestClockAdvanceBegun', 'TestClockMoved', 'TestClockAdvanceEnded'])],
  [
    'webhook',
    new Set([
      'WebhookEndpointCreated',
      'WebhookEndpointChanged',
      'WebhookSecretRotated',
      'WebhookEndpointDeleted',
    ]),
  ],
]);

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function checkEnvelope(
  event: AuditedEvent,
  category: string,
  report: (finding: Finding) => void,
): void {
  const { stream, revision, type, recordedAt, data, meta, recorded } = event;
  const name = (what: string, expected: string, found: string | null): void =>
    report({ what, stream, revision, expected, found });
  if (!TYPES.get(category)?.has(type)) name('the type is not known', `a type of ${category}`, type);
  if (data.v !== VERSION || meta.v !== VERSION)
    name('the version of the envelope is not known', String(VERSION), `${data.v} and ${meta.v}`);
  if (!TIME.test(recordedAt)) name('recorded_at is no time', 'RFC 3339 in UTC', String(recordedAt));
  const key = meta.key ?? null;
  if (key !== recorded.key)
    name('the key column is not the key in meta', key === null ? 'none' : String(key), recorded.key);
}
