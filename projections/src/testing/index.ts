export { charge, liveThrough, topUp } from './history.ts';
export { BOOK, openTestLedger, type TestLedger } from './ledger.ts';
