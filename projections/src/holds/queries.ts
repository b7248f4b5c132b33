/** Holds as they are now: one whose time is over has expired, whether or not it was carried out yet (rule 33). */
import { entryId, type Usage, walletStream } from '@tallystick/domain';
import type { QuotaPart } from '../entries/views.ts';
import { decodeCursor, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { credits, instant, instantOrNull, type Reads } from '../reads.ts';
import type { HoldStatus } from './project.ts';

export interface HoldView {
  readonly id: string;
  readonly account: string;
  readonly status: HoldStatus;
  readonly purpose: string;
  readonly model: string;
  readonly estimate: Usage;
  /** Held now; "0" once it is closed. */
  readonly credits: string;
  /** Held of quotas now; left out where nothing is. */
  readonly quota?: readonly QuotaPart[];
  readonly price_book: { readonly name: string; readonly version: number };
  readonly placed_at: string;
  readonly expires_at: string;
  readonly closed_at: string | null;
  /** The entry that closed it. */
  readonly closed_by: string | null;
}

interface Row {
  readonly account: string;
  readonly hold: string;
  readonly status: HoldStatus;
  readonly purpose: string;
  readonly model: string;
  readonly estimate: string;
  readonly price_book: string;
  readonly price_book_version: number;
  readonly credits: string;
  readonly expires_at: Date;
  readonly placed_at: Date;
  readonly closed_at: Date | null;
  readonly closed: string | null;
  /** One part per kind of quota; null where it has nothing of any. */
  readonly quota: readonly QuotaPart[] | null;
}

/** Quantities travel as texts: JSON would round them. */
const select = (schema: string): string => `
  select h.*, (
    select json_agg(json_build_object('unit', k.unit, 'model', k.model, 'amount', k.amount) order by k.first)
    from (
      select q.unit, q.model, sum(p.quantity)::text as amount, min(q.born) as first
      from ${schema}.quota_pins p join ${schema}.quotas q on q.account = p.account and q.quota = p.quota
      where p.account = h.account and p.hold = h.hold group by q.unit, q.model
    ) k) as quota
  from ${schema}.holds h`;

export async function getHold(
  { pool, schema }: Reads,
  account: string,
  hold: string,
  now: number,
): Promise<HoldView | null> {
  const { rows } = await pool.query<Row>(`${select(schema)} where h.account = $1 and h.hold = $2`, [
    account,
    hold,
  ]);
  return rows[0] === undefined ? null : viewOf(rows[0], now);
}

export interface HoldsQuery extends PageQuery {
  readonly account: string;
  readonly now: number;
  /** Only holds that are open now. */
  readonly open?: boolean;
}

/** In the order of their ids. */
export async function listHolds({ pool, schema }: Reads, query: HoldsQuery): Promise<PageOf<HoldView>> {
  const size = pageSizeOf(query);
  const { rows } = await pool.query<Row>(
    `${select(schema)}
     where h.account = $1 and ($2::text is null or h.hold > $2)
       and (not $3 or (h.status = 'open' and h.expires_at > $4))
     order by h.hold limit $5`,
    [query.account, decodeCursor('holds', query), query.open ?? false, new Date(query.now), size + 1],
  );
  return pageOf(
    'holds',
    rows,
    size,
    (row) => row.hold,
    (row) => viewOf(row, query.now),
  );
}

function viewOf(row: Row, now: number): HoldView {
  const due = row.status === 'open' && row.expires_at.getTime() <= now;
  return {
    id: row.hold,
    account: row.account,
    status: due ? 'expired' : row.status,
    purpose: row.purpose,
    model: row.model,
    estimate: JSON.parse(row.estimate) as Usage,
    credits: due ? '0' : credits(row.credits),
    ...(due || row.quota === null ? {} : { quota: row.quota }),
    price_book: { name: row.price_book, version: row.price_book_version },
    placed_at: instant(row.placed_at),
    expires_at: instant(row.expires_at),
    closed_at: due ? instant(row.expires_at) : instantOrNull(row.closed_at),
    closed_by: row.closed === null ? null : entryId(walletStream(row.account), Number(row.closed)),
  };
}
