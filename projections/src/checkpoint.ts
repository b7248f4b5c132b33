/** How far the read models have come. Moved in the transaction of the rows: so each event counts once, and only once. */
import { type Cursor, type EventStore, hashOf, type RecordedEvent } from '@tallystick/event-store';
import type { ClientBase, Pool } from 'pg';
import { ForeignReads, LostCheckpoint } from './faults.ts';
import { CHECKPOINT, quoted, READS_VERSION, type StoreIdentity } from './schema.ts';

/** The event that a checkpoint stands behind: how it knows its history again (rule 10). */
export interface LastEvent {
  readonly stream: string;
  readonly revision: number;
  readonly hash: string;
}

export interface Checkpoint {
  readonly cursor: Cursor | null;
  readonly position: bigint;
  /** Null before the first event. */
  readonly last: LastEvent | null;
}

/** Which part of the accounts, of how many. */
export interface Share {
  readonly partition: number;
  readonly partitions: number;
}

/** Null for an empty page. */
export function lastEventOf(events: readonly RecordedEvent[]): LastEvent | null {
  const last = events.at(-1);
  return last === undefined ? null : { stream: last.stream, revision: last.revision, hash: hashOf(last) };
}

/** The checkpoint, made where there is none yet. */
export async function readCheckpoint(pool: Pool, schema: string, partition: number): Promise<Checkpoint> {
  const table = `${quoted(schema)}.checkpoints`;
  const { rows } = await pool.query<{
    cursor: string | null;
    position: string;
    stream: string | null;
    revision: string | null;
    hash: string | null;
  }>(`select cursor, position, stream, revision, hash from ${table} where name = $1 and partition = $2`, [
    CHECKPOINT,
    partition,
  ]);
  const [row] = rows;
  if (row === undefined) {
    const make = `insert into ${table} (name, partition, position) values ($1, $2, 0) on conflict do nothing`;
    await pool.query(make, [CHECKPOINT, partition]);
    return readCheckpoint(pool, schema, partition);
  }
  const { stream, revision, hash } = row;
  const last = stream === null || hash === null ? null : { stream, revision: Number(revision), hash };
  return { cursor: row.cursor, position: BigInt(row.position), last };
}

/**
 * Moves the checkpoint, first in its transaction: whoever comes second waits on the row, finds another cursor in it,
 * and has written nothing yet. So does whoever is at work while tables of another shape take the place of these: a
 * checkpoint of other partitions may stand at the same cursor and speak for other accounts.
 */
export async function moveCheckpoint(
  client: ClientBase,
  schema: string,
  { partition, partitions }: Share,
  from: Checkpoint,
  to: Checkpoint,
  recordedAt: string | null,
): Promise<void> {
  const { rowCount } = await client.query(
    `update ${quoted(schema)}.checkpoints
     set cursor = $4, position = $5, recorded_at = coalesce($6, recorded_at), stream = $7, revision = $8, hash = $9
     where name = $1 and partition = $2 and cursor is not distinct from $3
       and exists (select from ${quoted(schema)}.meta where partitions = $10 and version = ${READS_VERSION})`,
    [
      CHECKPOINT,
      partition,
      from.cursor,
      to.cursor,
      to.position.toString(),
      recordedAt,
      to.last?.stream ?? null,
      to.last?.revision ?? null,
      to.last?.hash ?? null,
      partitions,
    ],
  );
  if (rowCount !== 1) throw new LostCheckpoint();
}

/** The event behind the checkpoint must be in the store as it was: a restored log may end before it (rule 10). */
export async function assertSameHistory(store: EventStore, { last }: Checkpoint): Promise<void> {
  if (last === null) return;
  const [event] = await store.readRevisions(last.stream, [last.revision]);
  if (event !== undefined && hashOf(event) === last.hash) return;
  throw new ForeignReads(
    `the read models have seen ${last.stream}:${last.revision}, which the store does not have`,
  );
}

/** Who the store is: its first event says so. Null where the ledger has not been opened yet. */
export async function readIdentity(store: EventStore): Promise<StoreIdentity | null> {
  const [genesis] = await store.readStream('ledger-genesis', { from: 0, limit: 1 });
  if (genesis === undefined) return null;
  const data = JSON.parse(genesis.data) as { store_id: string; epoch: number; test_clock: boolean };
  return { storeId: data.store_id, epoch: data.epoch, testClock: data.test_clock };
}
