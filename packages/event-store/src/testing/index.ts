export { type EventStoreDbStandIn, startEventStoreDbStandIn } from './eventstoredb.ts';
export { startPostgres, type TestPostgres, type TestPostgresServer } from './postgres.ts';
