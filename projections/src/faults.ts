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
  constructor(reason: string) {
    super(
      `${reason}. Are LEDGER_ESDB_URL, LEDGER_POSTGRES_URL and LEDGER_NAMESPACE as they were? ` +
        'If they are, and the event store is the right one, fill the read models anew: pnpm ledger rebuild --force',
    );
    this.name = 'ForeignReads';
  }
}

/** Another process has moved the checkpoint: this batch is not ours to write. */
export class LostCheckpoint extends Error {
  constructor() {
    super('another projector owns the checkpoint');
    this.name = 'LostCheckpoint';
  }
}
