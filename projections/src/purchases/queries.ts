/** Lists of one account: its purchases, its coupons, what has accrued to it. The latest first. */
import { entryId, type Money, type ReferralReason, walletStream } from '@tallystick/domain';
import { decodeNumber, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { amount, credits, instant, instantOrNull, type Reads } from '../reads.ts';

export interface OfAccount extends PageQuery {
  readonly account: string;
}

export interface PurchaseView {
  readonly id: string;
  readonly status: 'pending' | 'paid' | 'canceled';
  readonly package: { readonly id: string; readonly version: number };
  readonly credits: string;
  readonly bonus: string;
  readonly price: Money;
  readonly discount: Money;
  readonly total: Money;
  readonly coupon: string | null;
  readonly lots: readonly string[];
  readonly entry_id: string | null;
  readonly opened_at: string;
  readonly closed_at: string | null;
  /** Taken back since. */
  readonly reversed_at: string | null;
}

interface PurchaseRow {
  readonly account: string;
  readonly purchase: string;
  readonly status: PurchaseView['status'];
  readonly package: string;
  readonly package_version: number;
  readonly credits: string;
  readonly bonus: string;
  readonly currency: string;
  readonly price: string;
  readonly discount: string;
  readonly total: string;
  readonly coupon: string | null;
  readonly lot: string | null;
  readonly entry: string | null;
  readonly born: string;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  readonly reversed_at: Date | null;
}

export function listPurchases(reads: Reads, query: OfAccount): Promise<PageOf<PurchaseView>> {
  return latestFirst<PurchaseRow, PurchaseView>(reads, 'purchases', query, (row) => {
    const money = (steps: string): Money => ({ amount: amount(steps, row.currency), currency: row.currency });
    return {
      id: row.purchase,
      status: row.status,
      package: { id: row.package, version: row.package_version },
      credits: credits(row.credits),
      bonus: credits(row.bonus),
      price: money(row.price),
      discount: money(row.discount),
      total: money(row.total),
      coupon: row.coupon,
      lots: row.lot === null ? [] : [row.lot],
      entry_id: row.entry === null ? null : entryId(walletStream(row.account), Number(row.entry)),
      opened_at: instant(row.opened_at),
      closed_at: instantOrNull(row.closed_at),
      reversed_at: instantOrNull(row.reversed_at),
    };
  });
}

export interface AccountCouponView {
  readonly code: string;
  readonly status: 'saved' | 'used' | 'freed';
  readonly purchase: string | null;
  /** What it was worth in credits. */
  readonly credits: string | null;
  readonly at: string;
  readonly freed_at: string | null;
}

interface CouponRow {
  readonly born: string;
  readonly code: string;
  readonly status: AccountCouponView['status'];
  readonly purchase: string | null;
  readonly credits: string | null;
  readonly at: Date;
  readonly freed_at: Date | null;
}

export function listAccountCoupons(reads: Reads, query: OfAccount): Promise<PageOf<AccountCouponView>> {
  return latestFirst<CouponRow, AccountCouponView>(reads, 'account_coupons', query, (row) => ({
    code: row.code,
    status: row.status,
    purchase: row.purchase,
    credits: row.credits === null ? null : credits(row.credits),
    at: instant(row.at),
    freed_at: instantOrNull(row.freed_at),
  }));
}

export interface ReferralAccrualView {
  readonly from: string;
  /** The friend's entry. */
  readonly entry_id: string;
  readonly reason: ReferralReason;
  readonly credits: string;
  /** Of these: kept for what was clawed back elsewhere. */
  readonly withheld: string;
  readonly status: 'pending' | 'granted' | 'clawed_back';
  readonly lot: string | null;
  readonly available_at: string;
  readonly accrued_at: string;
}

interface AccrualRow {
  readonly born: string;
  readonly friend: string;
  readonly revision: string;
  readonly reason: ReferralReason;
  readonly credits: string;
  readonly taken: string;
  readonly status: ReferralAccrualView['status'];
  readonly lot: string | null;
  readonly available_at: Date;
  readonly accrued_at: Date;
}

export function listReferralAccruals(reads: Reads, query: OfAccount): Promise<PageOf<ReferralAccrualView>> {
  return latestFirst<AccrualRow, ReferralAccrualView>(reads, 'referral_accruals', query, (row) => ({
    from: row.friend,
    entry_id: entryId(walletStream(row.friend), Number(row.revision)),
    reason: row.reason,
    credits: credits(row.credits),
    withheld: credits(row.taken),
    status: row.status,
    lot: row.lot,
    available_at: instant(row.available_at),
    accrued_at: instant(row.accrued_at),
  }));
}

async function latestFirst<Row extends { readonly born: string }, View>(
  { pool, schema }: Reads,
  table: 'purchases' | 'account_coupons' | 'referral_accruals',
  query: OfAccount,
  toView: (row: Row) => View,
): Promise<PageOf<View>> {
  const size = pageSizeOf(query);
  const { rows } = await pool.query<Row>(
    `select * from ${schema}.${table}
     where account = $1 and ($2::bigint is null or born < $2) order by born desc limit $3`,
    [query.account, decodeNumber(table, query), size + 1],
  );
  return pageOf(table, rows, size, (row) => row.born, toView);
}
