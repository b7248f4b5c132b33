/** What an error of the Postgres client means for an append. */
import pg from 'pg';
import { StoreUnavailable } from './port.ts';

/**
 * - `data`: this statement's values can never be stored; the transaction was rolled back.
 * - `rolled_back`: the server says that it rolled back; the connection is good.
 * - `unusable`: the same, but this connection or its session is no good for writing: open another.
 * - `lost`: no answer, or one that does not say whether the commit happened.
 */
export type Failure = 'data' | 'rolled_back' | 'unusable' | 'lost';

/** Value out of range, cardinality, a row too big for an index or page. */
const DATA = /^(21|22|54)/;
/**
 * Serialization, deadlock, lock time-out, and the statement time-out: its clock stops before the commit begins, so a
 * statement that it cancelled is not committed.
 */
const ROLLED_BACK = new Set(['40001', '40P01', '55P03', '57014']);
/** Constraint, read-only server (after a fail-over), unknown prepared statement, missing object or privilege. */
const UNUSABLE = /^(23|25006|26|42|55)/;

/**
 * By SQLSTATE only: the severity is translated into the server's language. Whatever is not known to come before the
 * commit counts as lost: a server that shuts down (57P01) or panics (disk full while writing the log) may have
 * committed first.
 */
export function failureOf(error: unknown): Failure {
  const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
  if (DATA.test(code)) return 'data';
  if (ROLLED_BACK.has(code)) return 'rolled_back';
  return UNUSABLE.test(code) ? 'unusable' : 'lost';
}

/** The error of a read, or of a connection that could not be opened: nothing was written. */
export function unavailable(error: unknown): StoreUnavailable {
  return new StoreUnavailable('unwritten', `Postgres is not available: ${messageOf(error)}`, {
    cause: error,
  });
}

/** A refused connection to several addresses has an empty message and the reasons inside. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
