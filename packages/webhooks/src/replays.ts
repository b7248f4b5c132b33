/**
 * Replays from a position of the ledger: what an endpoint would have been told of since then is queued again. The outbox
 * does it step by step; here it is only asked for. A replay ends where the outbox stood when it was asked for: what
 * follows is queued anyway.
 */
import type { Webhooks } from './webhooks.ts';

export interface ReplayView {
  readonly id: string;
  readonly endpoint: string;
  /** The store's own positions, both inclusive. */
  readonly from: bigint;
  readonly until: bigint;
}

export async function askForReplay(
  { pool, schema }: Webhooks,
  endpoint: string,
  from: bigint,
  now: number,
): Promise<ReplayView> {
  const { rows } = await pool.query<{ id: string; until_position: string }>(
    `insert into ${schema}.replays (endpoint, from_position, until_position, cursor, created_at)
     select $1, $2, c.position,
       (select l.cursor from ${schema}.landmarks l where l.position < $2 order by l.position desc limit 1), $3
     from ${schema}.checkpoint c returning id, until_position`,
    [endpoint, from.toString(), new Date(now)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('webhooks without a checkpoint');
  return { id: `whr_${row.id}`, endpoint, from, until: BigInt(row.until_position) };
}
