export { ensureAdminKey } from './admin-key.ts';
export type { ApiLimits, ApiParts, ApiReads } from './api.ts';
export { buildApp } from './app.ts';
export { measureGroups } from './append-metrics.ts';
export { tellFaults } from './behind-answers.ts';
export { type ServedLedger, type ServeOptions, serveLedger } from './serve.ts';
export { type RunningApi, startApi } from './server.ts';
