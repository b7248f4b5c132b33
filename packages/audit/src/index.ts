export { type AccountChoice, readAccountChoice } from './account-name.ts';
export { type AsOf, includes } from './as-of.ts';
export {
  type AccountBalances,
  accountBalancesAt,
  type LastEvent,
  type WalletBalance,
  walletBalanceAt,
} from './balance-at.ts';
export { Books } from './books.ts';
export { stepsOf, textOf } from './decimal.ts';
export { type AuditedEvent, type PostingText, readEvent } from './event.ts';
export { Examiner, type Found } from './examine/examiner.ts';
export { type Explanation, explain, explainToFinance, type FinanceExplanation } from './explain.ts';
export { counted } from './explain-counts.ts';
export { type EventsPage, type EventsQuery, readEventsPage } from './explain-page.ts';
export { type ExportOptions, exportJournal } from './export/export.ts';
export { FORMATS, type FormatName } from './export/formats.ts';
export { type ScanOptions, scan } from './scan.ts';
export { createSealChecker } from './seal/check.ts';
export { gatherSeal } from './seal/gather.ts';
export { type Comparison, compareKept, type KeptSeal, readKeptSeal } from './seal/kept.ts';
export { type LaterSeal, makeReceipt, NoReceipt, parseReceipt, type Receipt } from './seal/receipt.ts';
export { SEALS } from './seal/seal.ts';
export { type Mismatch, type NumberedHash, sealOf, sealsOf, verifyReceipt } from './seal/verify-receipt.ts';
export { eventsOf } from './stream.ts';
export { type TrialBalanceAt, trialBalanceAt } from './trial-balance.ts';
export type { Finding } from './verify/finding.ts';
export { type Verdict, type VerifyOptions, type VerifyProgress, verifyLedger } from './verify.ts';
