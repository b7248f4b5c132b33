/** Lots as they are now, dues carried out (rule 33). What was paid for them is for finance only (P8). */
import { BadCursor, decodeCursor, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { amount, instant, instantOrNull, type Reads } from '../reads.ts';
import { afterDues } from '../wallets/dues.ts';

export interface LotView {
  readonly lot: string;
  readonly unit: string;
  /** What it was born with. */
  readonly quantity: string;
  readonly available: string;
  readonly held: string;
  readonly priority: number;
  readonly expires_at: string | null;
  readonly expired: boolean;
  readonly origin: { readonly kind: string; readonly of: string; readonly ref: string };
  readonly created_at: string;
}
export interface LotFinanceView extends LotView {
  readonly withdrawable: string;
  /** What was paid for it, and what of that stands behind its available credits. */
  readonly paid: { readonly amount: string; readonly remaining: string; readonly currency: string } | null;
}

interface Row {
  readonly lot: string;
  readonly unit: string;
  readonly quantity: string;
  free: string;
  pinned: string;
  readonly priority: number;
  readonly expires_at: Date | null;
  readonly withdrawable: string;
  readonly origin_kind: string;
  readonly origin_of: string;
  readonly origin_ref: string;
  readonly born: string;
  readonly created_at: Date;
  readonly currency: string | null;
  readonly paid_in_all: string;
  paid: string;
  readonly due: boolean;
}

export interface LotsQuery extends PageQuery {
  readonly account: string;
  readonly now: number;
  /** Only lots with something in them. */
  readonly open?: boolean;
}

export async function listLots(reads: Reads, query: LotsQuery): Promise<PageOf<LotView>> {
  return readLots(reads, query, (row) => viewOf(row, query.now));
}

export async function listLotsFinance(reads: Reads, query: LotsQuery): Promise<PageOf<LotFinanceView>> {
  return readLots(reads, query, (row) => financeViewOf(row, query.now));
}

/** Oldest first. */
async function readLots<T>(reads: Reads, query: LotsQuery, toView: (row: Row) => T): Promise<PageOf<T>> {
  const { pool, schema } = reads;
  const size = pageSizeOf(query);
  const after = decodeCursor('lots', query) ?? '-1 ';
  const [, born, lot] = /^(-1|\d{1,18}) (.*)$/.exec(after) ?? [];
  if (born === undefined) throw new BadCursor();
  const { rows } = await pool.query<Row>(
    `select l.*, coalesce(b.next_due_at <= $5, false) as due
     from ${schema}.lots l left join ${schema}.balances b on b.account = l.account and b.unit = 'credits'
     where l.account = $1 and (l.born, l.lot) > ($2::bigint, $3::text collate "C") ${query.open ? 'and l.open' : ''}
     order by l.born, l.lot limit $4`,
    [query.account, born, lot ?? '', size + 1, new Date(query.now)],
  );
  if (rows[0]?.due) await carryOutDues(reads, query, rows);
  return pageOf('lots', rows, size, (row) => `${row.born} ${row.lot}`, toView);
}

async function carryOutDues(reads: Reads, { account, now }: LotsQuery, rows: Row[]): Promise<void> {
  const after = await afterDues(reads, account, now);
  if (after === null) return;
  const left = new Map(after.wallet.lots.map((lot) => [lot.id, lot]));
  for (const row of rows) {
    const lot = left.get(row.lot);
    row.free = (lot?.free ?? 0n).toString();
    row.pinned = (lot?.pinned ?? 0n).toString();
    row.paid = (lot?.paid ?? 0n).toString();
  }
}

function viewOf(row: Row, now: number): LotView {
  return {
    lot: row.lot,
    unit: row.unit,
    quantity: amount(row.quantity, row.unit),
    available: amount(row.free, row.unit),
    held: amount(row.pinned, row.unit),
    priority: row.priority,
    expires_at: instantOrNull(row.expires_at),
    expired: row.expires_at !== null && row.expires_at.getTime() <= now,
    origin: { kind: row.origin_kind, of: row.origin_of, ref: row.origin_ref },
    created_at: instant(row.created_at),
  };
}

function financeViewOf(row: Row, now: number): LotFinanceView {
  const { currency } = row;
  return {
    ...viewOf(row, now),
    withdrawable: amount(row.withdrawable, row.unit),
    paid:
      currency === null
        ? null
        : { amount: amount(row.paid_in_all, currency), remaining: amount(row.paid, currency), currency },
  };
}
