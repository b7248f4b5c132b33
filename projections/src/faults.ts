/** Why a projector ends. Everything else that goes wrong is an outage: waited out, and tried again. */

/** An event that this code cannot fold, or rows that an event contradicts: never skipped (rule 11). */
export class CannotProject extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CannotProject';
  }
}

/** These read models belong to another store, another history or another version of the tables (rule 10). */
export class ForeignReads extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(
      `${reason}. Are LEDGER_ESDB_URL, LEDGER_POSTGRES_URL and LEDGER_NAMESPACE as they were? ` +
        'If they are, and the event store is the right one, fill the read models anew: pnpm ledger rebuild --force',
    );
    this.name = 'ForeignReads';
    this.reason = reason;
  }
}

/** Another process has moved the checkpoint: this batch is not ours to write. */
export class LostCheckpoint extends Error {
  constructor() {
    super('another projector owns the checkpoint');
    this.name = 'LostCheckpoint';
  }
}

/** What waiting does not mend: an event that cannot be folded, foreign rows, a constraint broken, a statement wrong. */
export function isFinal(error: unknown): error is Error {
  if (error instanceof CannotProject || error instanceof ForeignReads) return true;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  // A schema that vanishes is being rebuilt.
  if (error.code === '42P01' || error.code === '3F000') return false;
  return /^(22|23|42)[0-9A-Z]{3}$/.test(error.code);
}
