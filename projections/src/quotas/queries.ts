/**
 * The quotas that an account has had, the latest first, as their last event left them: one whose time is over is shown
 * as expired, whether or not that was carried out yet (rule 33). What it has now is asked of the wallet itself.
 */
import type { QuotaOrigin, QuotaUnit } from '@tallystick/domain';
import { BadCursor, decodeCursor, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { instant, type Reads } from '../reads.ts';

/** Quantities are whole numbers as texts. `granted` = `remaining` + `held` + `used` + `expired`. */
export interface QuotaView {
  readonly quota: string;
  readonly unit: QuotaUnit;
  /** A model, or `*`. */
  readonly model: string;
  readonly granted: string;
  readonly used: string;
  readonly held: string;
  readonly remaining: string;
  readonly expired: string;
  readonly period_start: string;
  readonly period_end: string;
  readonly origin: QuotaOrigin;
}

interface Row {
  readonly quota: string;
  readonly unit: QuotaUnit;
  readonly model: string;
  readonly granted: string;
  readonly free: string;
  readonly pinned: string;
  readonly used: string;
  readonly expired: string;
  readonly starts_at: Date;
  readonly expires_at: Date;
  readonly origin: string;
  readonly born: string;
}

export interface QuotasQuery extends PageQuery {
  readonly account: string;
  readonly now: number;
}

export async function listQuotas({ pool, schema }: Reads, query: QuotasQuery): Promise<PageOf<QuotaView>> {
  const size = pageSizeOf(query);
  const [, born = null, quota = ''] = /^(\d{1,18}) (.*)$/.exec(decodeCursor('quotas', query) ?? '') ?? [];
  if (query.cursor !== undefined && born === null) throw new BadCursor();
  const { rows } = await pool.query<Row>(
    `select quota, unit, model, granted, free, pinned, used, expired, starts_at, expires_at, origin, born
     from ${schema}.quotas
     where account = $1 and ($2::bigint is null or (born, quota) < ($2::bigint, $3::text collate "C"))
     order by born desc, quota desc limit $4`,
    [query.account, born, quota, size + 1],
  );
  return pageOf(
    'quotas',
    rows,
    size,
    (row) => `${row.born} ${row.quota}`,
    (row) => viewOf(row, query.now),
  );
}

function viewOf(row: Row, now: number): QuotaView {
  const isOver = row.expires_at.getTime() <= now;
  return {
    quota: row.quota,
    unit: row.unit,
    model: row.model,
    granted: row.granted,
    used: row.used,
    held: row.pinned,
    remaining: isOver ? '0' : row.free,
    expired: isOver ? (BigInt(row.expired) + BigInt(row.free)).toString() : row.expired,
    period_start: instant(row.starts_at),
    period_end: instant(row.expires_at),
    origin: JSON.parse(row.origin) as QuotaOrigin,
  };
}
