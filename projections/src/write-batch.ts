/** A batch on its way into the tables: the checkpoint first, then what each read model makes of the events. */
import type { Pool } from 'pg';
import type { Batch } from './batch.ts';
import { type Checkpoint, moveCheckpoint } from './checkpoint.ts';
import type { ReadModel } from './read-model.ts';
import { quoted } from './schema.ts';
import { inTransaction } from './transaction.ts';

export interface Tables {
  readonly pool: Pool;
  readonly schema: string;
  readonly partition: number;
  readonly models: readonly ReadModel[];
}

/** All or nothing. @throws LostCheckpoint where another projector has moved the checkpoint */
export async function writeBatch(
  { pool, schema, partition, models }: Tables,
  batch: Batch,
  from: Checkpoint,
  to: Checkpoint,
): Promise<void> {
  await inTransaction(pool, BEGIN, async (client) => {
    await moveCheckpoint(client, schema, partition, from, to, batch.items.at(-1)?.at ?? null);
    const context = { schema: quoted(schema), partition, dueAccounts: new Set<string>() };
    const folds = models.map((model) => model.fold(context));
    for (const item of batch.items) for (const fold of folds) fold.add(item);
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
