export { type EventStoreDbStandIn, startEventStoreDbStandIn } from './eventstoredb.ts';
export { type HeldLock, holdAppendLock } from './hold-append-lock.ts';
export { startPostgres, type TestPostgres, type TestPostgresServer } from './postgres.ts';
