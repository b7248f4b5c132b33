export {
  type Cause,
  chainStart,
  decodeEvent,
  expectedHash,
  hashOf,
  internalDigest,
  type StoredEvent,
  traceOf,
} from './codec.ts';
export { createEventStoreDbStore, type EventStoreDbOptions } from './eventstoredb.ts';
export { createMemoryStore } from './memory.ts';
export { type AppendObserver, type AppendOutcome, observeStore } from './observe-store.ts';
export * from './port.ts';
export { createPostgresStore, type PostgresStoreOptions } from './postgres.ts';
export { hasPostgresStore } from './postgres-schema.ts';
export { createRunner, type RunnerParts } from './runner.ts';
export * from './runner-ports.ts';
export { linkTo, traceparentOf } from './trace-context.ts';
export { traceAppends, traceRounds } from './trace-rounds.ts';
