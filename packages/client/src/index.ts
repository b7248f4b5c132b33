/** What users of the client may name. */
export type { AccountCoupon, AppliedCoupon } from './account-coupons.ts';
export type * from './accounts.ts';
export type * from './alerts.ts';
export type { CreatedApiKey, ListedApiKey, NewApiKey, Scope } from './api-keys.ts';
export type { Authorization, Authorized, AuthorizeRequest, Timeout } from './authorize.ts';
export type * from './auto-top-up.ts';
export type * from './billing.ts';
export type { Entry, Posting, TrialBalance } from './books.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export type { Coupon, NewCoupon, PublishedCoupon } from './coupons.ts';
export type * from './credits.ts';
export { ClientClosed, LedgerRefused, LedgerUnreachable, QueueFull } from './errors.ts';
export type { Explanation, Move, OwnExplanation } from './explain.ts';
export type * from './holds.ts';
export {
  HoldDenied,
  type HoldRequest,
  OpenHold,
  type RanUnderHold,
  SettleUndelivered,
  UsageMissing,
} from './open-hold.ts';
export type * from './packages.ts';
export type * from './plans.ts';
export type * from './prices.ts';
export type * from './purchases.ts';
export type * from './quotas.ts';
export type * from './reads.ts';
export type { LaterSeal, Receipt, ReceiptQuery, Seal, SealsQuery } from './receipts.ts';
export type { Referral, ReferralAccrual } from './referrals.ts';
export type { Routes } from './routes.ts';
export type * from './shapes.ts';
export type * from './subscriptions.ts';
export type { ClockAdvance, ShownClock } from './test-clock.ts';
export type { Connection } from './transport.ts';
export type * from './usage.ts';
export type * from './webhooks.ts';
