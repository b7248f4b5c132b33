/** A batch on its way into the tables: folded in memory, then written with the checkpoint, all or nothing. */
import type { RecordedEvent } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { type Checkpoint, moveCheckpoint, type Share } from './checkpoint.ts';
import { readItem } from './item.ts';
import type { BatchContext, Fold, ReadModel } from './read-model.ts';
import { quoted } from './schema.ts';
import { inTransaction } from './transaction.ts';

export interface Tables extends Share {
  readonly pool: Pool;
  readonly schema: string;
  readonly models: readonly ReadModel[];
}

export interface FoldedBatch {
  readonly folds: readonly Fold[];
  readonly events: number;
  /** Of each account in it, the revision of its wallet's last event. */
  readonly revisions: ReadonlyMap<string, number>;
  /** When its first and its last event were recorded, RFC 3339; null where it has none. */
  readonly oldestAt: string | null;
  readonly newestAt: string | null;
}

/**
 * One event after the other, and none of them kept: of a batch of thousands only the rows that come of it are.
 * @throws CannotProject
 */
export function foldBatch(
  { schema, partition, models }: Tables,
  events: readonly RecordedEvent[],
): FoldedBatch {
  const context: BatchContext = {
    schema: quoted(schema),
    partition,
    dueAccounts: new Set(),
    dueBy: new Map(),
  };
  const folds = models.map((model) => model.fold(context));
  const revisions = new Map<string, number>();
  let oldestAt: string | null = null;
  let newestAt: string | null = null;
  for (const event of events) {
    const item = readItem(event);
    for (const fold of folds) fold.add(item);
    if (item.category === 'wallet') revisions.set(item.id, item.revision);
    oldestAt ??= item.at;
    newestAt = item.at;
  }
  return { folds, events: events.length, revisions, oldestAt, newestAt };
}

/** @throws LostCheckpoint where another projector has moved the checkpoint */
export async function writeBatch(
  { pool, schema, partition, partitions }: Tables,
  { folds, newestAt }: FoldedBatch,
  from: Checkpoint,
  to: Checkpoint,
): Promise<void> {
  await inTransaction(pool, BEGIN, async (client) => {
    await moveCheckpoint(client, schema, { partition, partitions }, from, to, newestAt);
    for (const fold of folds) await fold.write(client);
    for (const fold of folds) await fold.settle?.(client);
    await client.query('select pg_notify($1, $2)', [schema, to.position.toString()]);
  });
}

/**
 * Every statement has its index. Plans are made anew each time, but a table that grew since its statistics were taken
 * would be scanned whole (speed.md, 1); and compiling a plan costs more than running it.
 */
const BEGIN = `begin; set local enable_seqscan = off; set local enable_hashjoin = off;
  set local enable_mergejoin = off; set local jit = off; set local idle_in_transaction_session_timeout = '30s'`;
