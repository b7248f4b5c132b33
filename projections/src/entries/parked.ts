/** Usage that is parked without a price, with what decides whether it has one by now. */
import type { Usage } from '@tallystick/domain';
import type { Reads } from '../reads.ts';

export interface ParkedUsage {
  readonly account: string;
  readonly id: string;
  readonly source: string;
  readonly model: string;
  readonly usage: Usage;
  /** Milliseconds since 1970. */
  readonly occurredAt: number;
  readonly recordedAt: number;
  /** The account's own; null where it has none. */
  readonly priceBook: string | null;
  readonly position: bigint;
}

interface Row {
  readonly account: string;
  readonly usage_id: string;
  readonly source: string | null;
  readonly model: string;
  readonly usage: string;
  readonly occurred_at: Date;
  readonly recorded_at: Date;
  readonly price_book: string | null;
  readonly position: string;
}

/** In the order of positions, at most `limit` after `after`. */
export async function listParked(
  { pool, schema }: Reads,
  after: bigint,
  limit: number,
): Promise<readonly ParkedUsage[]> {
  const { rows } = await pool.query<Row>(
    `select a.account, e.usage_id, e.source, e.model, e.usage, e.occurred_at, e.recorded_at, a.price_book, e.position
     from ${schema}.entries e join ${schema}.accounts a on a.account = substr(e.stream, 8)
     where e.type = 'UsageUnpriced' and e.resolved_by is null and e.position > $1
     order by e.position limit $2`,
    [after.toString(), limit],
  );
  return rows.map((row) => ({
    account: row.account,
    id: row.usage_id,
    source: row.source ?? '',
    model: row.model,
    usage: JSON.parse(row.usage) as Usage,
    occurredAt: row.occurred_at.getTime(),
    recordedAt: row.recorded_at.getTime(),
    priceBook: row.price_book,
    position: BigInt(row.position),
  }));
}
