/**
 * Balances as they are *now*: what has fallen due is left out already, whether or not anyone has carried it out
 * (rules 28, 33).
 */
import { gathered } from '../gathered.ts';
import type { Reads } from '../reads.ts';
import { credits, instant, reached } from '../reads.ts';
import { afterDues } from '../wallets/dues.ts';

export interface BalanceView {
  readonly account: string;
  readonly available: string;
  readonly held: string;
  readonly granted: string;
  readonly adjusted: string;
  readonly consumed: string;
  readonly expired: string;
  readonly withdrawn: string;
  /** Free credits that expire within `EXPIRING_DAYS`, soonest first; at most `EXPIRING_MAX` lots. */
  readonly expiring: readonly {
    readonly lot: string;
    readonly credits: string;
    readonly expires_at: string;
  }[];
  /** Everything up to here is in it. */
  readonly position: string;
}

/** A balance, and how far it goes: what a reader who waits compares with. */
export interface BalanceRead {
  readonly view: BalanceView;
  /** Revision of the account's last event that is in it. */
  readonly revision: number;
  readonly position: bigint;
}

export const EXPIRING_DAYS = 30;
export const EXPIRING_MAX = 20;

export interface BalanceReader {
  /** Null where there is no such account (yet). `now` in milliseconds since 1970. */
  read(account: string, now: number): Promise<BalanceRead | null>;
}

interface Asked {
  readonly account: string;
  readonly now: number;
}

const TOGETHER_MAX = 200;

export function createBalanceReader(reads: Reads): BalanceReader {
  const ask = gathered<Asked, BalanceRead | null>(TOGETHER_MAX, (asked) => answer(reads, asked));
  return { read: (account, now) => ask({ account, now }) };
}

interface Row {
  readonly account: string;
  readonly available: string;
  readonly held: string;
  readonly granted: string;
  readonly adjusted: string;
  readonly consumed: string;
  readonly expired: string;
  readonly withdrawn: string;
  readonly revision: string;
  readonly position: string;
  readonly due: boolean;
  readonly expiring: [lot: string, free: string, expiresAt: string][] | null;
}

async function answer(
  reads: Reads,
  asked: readonly Asked[],
): Promise<readonly (BalanceRead | null | Promise<BalanceRead | null>)[]> {
  const { schema, pool } = reads;
  const now = asked.reduce((latest, one) => Math.max(latest, one.now), 0);
  // One statement, so rows and checkpoint are of one snapshot: the position is true of every row.
  const { rows } = await pool.query<Row>({
    name: `${schema}:balance`,
    text: `select b.account, b.available, b.held, b.granted, b.adjusted, b.consumed, b.expired, b.withdrawn,
        b.revision, c.position, coalesce(b.next_due_at <= $2, false) as due,
        case when b.next_due_at <= $3 then (
          select json_agg(json_build_array(l.lot, l.free::text, l.expires_at) order by l.expires_at, l.born)
          from (
            select * from ${schema}.lots l
            where l.account = b.account and l.open and l.free > 0 and l.expires_at > $2 and l.expires_at <= $3
            order by l.expires_at, l.born limit ${EXPIRING_MAX}
          ) l
        ) end as expiring
      from ${schema}.balances b, ${reached(schema)} c
      where b.account = any($1) and b.unit = 'credits'`,
    values: [
      [...new Set(asked.map(({ account }) => account))],
      new Date(now),
      new Date(now + EXPIRING_DAYS * 24 * 3_600_000),
    ],
  });
  const byAccount = new Map(rows.map((row) => [row.account, row]));
  return asked.map(({ account, now: at }) => {
    const row = byAccount.get(account);
    if (row === undefined) return null;
    return row.due ? readAfterDues(reads, account, at) : readOf(row);
  });
}

function readOf(row: Row): BalanceRead {
  const expiring = (row.expiring ?? []).map(([lot, free, expiresAt]) => ({
    lot,
    credits: credits(free),
    expires_at: instant(new Date(expiresAt)),
  }));
  const view: BalanceView = {
    account: row.account,
    available: credits(row.available),
    held: credits(row.held),
    granted: credits(row.granted),
    adjusted: credits(row.adjusted),
    consumed: credits(row.consumed),
    expired: credits(row.expired),
    withdrawn: credits(row.withdrawn),
    expiring,
    position: row.position,
  };
  return { view, revision: Number(row.revision), position: BigInt(row.position) };
}

/** The rare case: something is due. The domain itself says what becomes of the wallet. */
async function readAfterDues(reads: Reads, account: string, now: number): Promise<BalanceRead | null> {
  const found = await afterDues(reads, account, now);
  if (found === null) return null;
  const { totals, lots } = found.wallet;
  const horizon = now + EXPIRING_DAYS * 24 * 3_600_000;
  const expiring = lots
    .filter(
      ({ expiresAt, free }) => free > 0n && expiresAt !== null && expiresAt > now && expiresAt <= horizon,
    )
    .sort((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0) || a.born - b.born)
    .slice(0, EXPIRING_MAX)
    .map((lot) => ({
      lot: lot.id,
      credits: credits(lot.free.toString()),
      expires_at: instant(new Date(lot.expiresAt ?? 0)),
    }));
  const view: BalanceView = {
    account,
    available: credits(totals.available.toString()),
    held: credits(totals.held.toString()),
    granted: credits(totals.granted.toString()),
    adjusted: credits(totals.adjusted.toString()),
    consumed: credits(totals.consumed.toString()),
    expired: credits(totals.expired.toString()),
    withdrawn: credits(totals.withdrawn.toString()),
    expiring,
    position: found.position.toString(),
  };
  return { view, revision: found.wallet.revision, position: found.position };
}

/** The earliest instant, up to `until`, at which something of any account falls due; null where nothing does. */
export async function earliestDue({ pool, schema }: Reads, until: number): Promise<number | null> {
  const { rows } = await pool.query<{ at: Date | null }>(
    `select min(next_due_at) as at from ${schema}.balances where next_due_at <= $1`,
    [new Date(until)],
  );
  return rows[0]?.at?.getTime() ?? null;
}

/** An account with something due, and since when. Milliseconds since 1970. */
export interface DueAccount {
  readonly account: string;
  readonly dueAt: number;
}

/** What is due, longest first, a page after `after`: an account that cannot be carried out is passed, not waited for. */
export async function listDues(
  { pool, schema }: Reads,
  now: number,
  limit: number,
  after: DueAccount | null = null,
): Promise<readonly DueAccount[]> {
  const { rows } = await pool.query<{ account: string; next_due_at: Date }>(
    `select account, next_due_at from ${schema}.balances
    where next_due_at <= $1 and (next_due_at, account) > ($2::timestamptz, $3)
    order by next_due_at, account limit $4`,
    [new Date(now), after === null ? '-infinity' : new Date(after.dueAt), after?.account ?? '', limit],
  );
  return rows.map(({ account, next_due_at }) => ({ account, dueAt: next_due_at.getTime() }));
}

/** Accounts with something due, for the sweep: soonest first. */
export async function listDueAccounts(
  { pool, schema }: Reads,
  now: number,
  limit: number,
): Promise<string[]> {
  const { rows } = await pool.query<{ account: string }>(
    `select account from ${schema}.balances where next_due_at <= $1 order by next_due_at limit $2`,
    [new Date(now), limit],
  );
  return rows.map(({ account }) => account);
}
