export { charge, liveThrough, topUp } from './history.ts';
export { BOOK, keyOf, openTestLedger, type Plain, type TestLedger } from './ledger.ts';
