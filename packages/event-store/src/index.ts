export {
  type Cause,
  chainStart,
  decodeEvent,
  expectedHash,
  hashOf,
  type StoredEvent,
} from './codec.ts';
export { createEventStoreDbStore, type EventStoreDbOptions } from './eventstoredb.ts';
export { createMemoryStore } from './memory.ts';
export * from './port.ts';
export { createPostgresStore, type PostgresStoreOptions } from './postgres.ts';
export { createRunner, type RunnerParts } from './runner.ts';
export * from './runner-ports.ts';
