/** The events that endpoints may be told of. Whatever is not in this list is told to nobody, whoever asks for `*`. */
import { EVERY_TYPE } from '@tallystick/domain';

export const OFFERED_TYPES = [
  'TopUp',
  'CreditsGranted',
  'CreditsAdjusted',
  'UsageCharged',
  'UsageUnpriced',
  'EntryReversed',
  'AccountFrozen',
  'AccountUnfrozen',
  'Expired',
  'SubscriptionStarted',
  'SubscriptionRenewed',
  'SubscriptionPastDue',
  'SubscriptionChanged',
  'SubscriptionEnded',
  'SubscriptionPaymentRecorded',
  'QuotaGranted',
  'QuotaExpanded',
  'AlertRaised',
  'PurchaseOpened',
  'PurchasePaid',
  'PurchasePaymentUnapplied',
  'PurchaseClosed',
  'CouponApplied',
  'ReferralAccrued',
  'ReferralGranted',
  'ReferralClawedBack',
  'AutoTopUpRequested',
  'AutoTopUpResolved',
] as const;
export type OfferedType = (typeof OFFERED_TYPES)[number];

/** Of a message that only tries an endpoint out. It is no event, and nobody can ask for it. */
export const TEST_TYPE = 'test';

/** The categories of streams whose events are offered. */
export const OFFERED_CATEGORIES = ['wallet'] as const;

const OFFERED: ReadonlySet<string> = new Set(OFFERED_TYPES);

/** Whether an endpoint that has asked for `wanted` is told of an event of this type. */
export function isWanted(wanted: readonly string[], type: string): boolean {
  return OFFERED.has(type) && (wanted.includes(EVERY_TYPE) || wanted.includes(type));
}

/** What is wrong with the types that somebody asks for; null where nothing is. */
export function faultOfTypes(wanted: readonly string[]): string | null {
  if (wanted.length === 1 && wanted[0] === EVERY_TYPE) return null;
  const known = wanted.length > 0 && wanted.every((type) => OFFERED.has(type));
  if (!known) return `must be ["${EVERY_TYPE}"] or name types out of ${OFFERED_TYPES.join(', ')}`;
  return new Set(wanted).size === wanted.length ? null : 'must name no type twice';
}
