export * from './amount.ts';
export { canonical } from './canonical.ts';
export * from './catalogue/api-key.ts';
export { type Catalogues, NO_CATALOGUES } from './catalogue/catalogues.ts';
export * from './catalogue/coupon.ts';
export * from './catalogue/coupon-terms.ts';
export * from './catalogue/genesis.ts';
export * from './catalogue/package.ts';
export * from './catalogue/package-terms.ts';
export { Packages, type PackageVersion } from './catalogue/packages.ts';
export * from './catalogue/plan.ts';
export * from './catalogue/price-book.ts';
export * from './catalogue/profile.ts';
export * from './catalogue/seal.ts';
export { canonicalDecimal, canonicalMoney, type TermsFault } from './catalogue/terms.ts';
export * from './catalogue/test-clock.ts';
export * from './catalogue/webhook-endpoint.ts';
export type * from './decider.ts';
export { accounts, type Posting, sumsOf } from './entry.ts';
export * from './ids.ts';
export { isMailAddress, MAIL_ADDRESS_MAX } from './mail-address.ts';
export * from './plans/compile.ts';
export { Plans, type PlanVersion } from './plans/plans.ts';
export * from './plans/terms.ts';
export * from './pricing/price-book.ts';
export { DEFAULT_BOOK, PriceBooks } from './pricing/price-books.ts';
export { type Priced, priceUsage, type Unpriced } from './pricing/quote.ts';
export { divide, multiply, type Rational, readRational } from './rational.ts';
export * from './usage.ts';
export type * from './wallet/alerts/commands.ts';
export type * from './wallet/alerts/events.ts';
export { DEFAULT_ALERTS } from './wallet/alerts/limits.ts';
export { type QuotaWarning, quotaWarnings } from './wallet/alerts/quota.ts';
export type { QuotaWindow } from './wallet/alerts/windows.ts';
export {
  type Advice,
  type AuthorizeReason,
  adviseWallet,
  type PlanLimits,
  planLimits,
  walletAfterDues,
} from './wallet/authorize.ts';
export { AUTO_TOP_UP_PREFIX, autoTopUpAfter } from './wallet/auto-top-up/auto-top-up.ts';
export type * from './wallet/auto-top-up/commands.ts';
export type * from './wallet/auto-top-up/events.ts';
export type * from './wallet/commands.ts';
export { DEFAULT_PRIORITY } from './wallet/credit.ts';
export { decideWallet, walletDecider } from './wallet/decide.ts';
export type * from './wallet/events.ts';
export { noTotals, type Passage, type Totals, tally } from './wallet/places.ts';
export type * from './wallet/purchase/commands.ts';
export { whyNotForAccount } from './wallet/purchase/coupon.ts';
export type * from './wallet/purchase/events.ts';
export { usesOf } from './wallet/purchase/state.ts';
export { type CapNow, capsNow } from './wallet/quota/caps.ts';
export type * from './wallet/quota/events.ts';
export type * from './wallet/referral/commands.ts';
export type * from './wallet/referral/events.ts';
export { freeCredits, type Hold, type Lot, type Wallet } from './wallet/state.ts';
export { windowAt } from './wallet/subscription/calendar.ts';
export type * from './wallet/subscription/commands.ts';
export type * from './wallet/subscription/events.ts';
export { type NextCharge, nextCharge } from './wallet/subscription/next-charge.ts';
export { grantsQuota, isInForce } from './wallet/subscription/state.ts';
