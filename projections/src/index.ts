export {
  type AccountFullView,
  type AccountView,
  getAccount,
  getAccountFull,
  listAccounts,
} from './accounts/queries.ts';
export { type AlertsQuery, type AlertView, listAlerts } from './alerts/queries.ts';
export { type ApiKeyView, listApiKeys } from './api-keys/queries.ts';
export {
  type BalanceRead,
  type BalanceReader,
  type BalanceView,
  createBalanceReader,
  type DueAccount,
  EXPIRING_DAYS,
  EXPIRING_MAX,
  earliestDue,
  listDueAccounts,
  listDues,
} from './balances/queries.ts';
export { assertSameHistory, readCheckpoint } from './checkpoint.ts';
export type { Difference, Differences } from './compare.ts';
export { type BalanceAtView, readBalanceAt } from './entries/balance-at.ts';
export { listParked, type ParkedUsage } from './entries/parked.ts';
export {
  type AccountQuery,
  getEntry,
  getUsage,
  getUsageFinance,
  listUnpriced,
  listUnpricedFinance,
  listUsage,
  listUsageFinance,
  listViolations,
  listViolationsFinance,
  readStatement,
  type UsageQuery,
} from './entries/queries.ts';
export { readSpent, type Spent } from './entries/spent.ts';
export type { EntryView, QuotaPart, StatementLine, UsageFinanceView, UsageView } from './entries/views.ts';
export { CannotProject, ForeignReads } from './faults.ts';
export { type Follower, followReads } from './follow.ts';
export type { HoldStatus } from './holds/project.ts';
export { getHold, type HoldsQuery, type HoldView, listHolds } from './holds/queries.ts';
export { createKeyIndex } from './keys/queries.ts';
export {
  type LotFinanceView,
  type LotsQuery,
  type LotView,
  listLots,
  listLotsFinance,
} from './lots/queries.ts';
export { type CreditSums, countOpenItems, type OpenItems, sumCredits } from './open-items.ts';
export {
  BadCursor,
  decodeCursor,
  decodeNumber,
  encodeCursor,
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  type PageOf,
  type PageQuery,
  pageOf,
  pageSizeOf,
} from './paging.ts';
export { partitionOf } from './partition.ts';
export type { BatchReport, ProjectorState } from './progress.ts';
export { type Projector, type ProjectorOptions, startProjector } from './projector.ts';
export {
  type AccountCouponView,
  listAccountCoupons,
  listPurchases,
  listReferralAccruals,
  type OfAccount,
  type PurchaseView,
  type ReferralAccrualView,
} from './purchases/queries.ts';
export { listQuotas, type QuotasQuery, type QuotaView } from './quotas/queries.ts';
export { openReads, type Reads } from './reads.ts';
export {
  positionOf,
  type RebuildOptions,
  type RebuildProgress,
  rebuildReads,
  SchemaNotEmpty,
} from './rebuild.ts';
export {
  assertSchema,
  claim,
  dropSchema,
  migrate,
  ownerOf,
  READS_VERSION,
  readsSchema,
  type StoreIdentity,
} from './schema.ts';
export {
  type Covering,
  findSeal,
  listSeals,
  readSealLinks,
  type SealLink,
  type SealsQuery,
  type SealView,
} from './seals/queries.ts';
export { folderOf, type StreamFolder, WALLET_FOLD_VERSION } from './snapshots/folder.ts';
export { createSnapshotReader } from './snapshots/queries.ts';
export {
  listSubscriptions,
  type SubscriptionsQuery,
  type SubscriptionView,
} from './subscriptions/queries.ts';
export {
  type CompareOptions,
  compareWithLive,
  nextOf,
  type SwitchOptions,
  type SwitchReport,
  switchReads,
} from './switch.ts';
export { realTime, type Time } from './time.ts';
export { readTrialBalanceAt } from './totals/as-of.ts';
export { readTrialBalance, type TrialBalance } from './totals/queries.ts';
export { type TracedBatches, traceBatches } from './trace-batches.ts';
export { inTransaction } from './transaction.ts';
export type { Until } from './until.ts';
export type { Wanted } from './waiting.ts';
