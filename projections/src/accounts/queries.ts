/** Accounts: what they are agreed to be. Balances are apart. */
import { decodeCursor, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { credits, instant, type Reads } from '../reads.ts';

/** As the account's owner sees it. */
export interface AccountView {
  readonly id: string;
  readonly name: string | null;
  readonly status: 'active' | 'frozen';
  readonly price_book: string | null;
  readonly overdraft_limit: string;
  readonly time_zone: string;
  readonly currency: string | null;
  /** Reasons in force (rule 34). */
  readonly freezes: readonly { readonly reason: string; readonly reference: string }[];
  readonly created_at: string;
}
/** For services and finance: gateways keep what they like in the metadata, so no owner sees it. */
export interface AccountFullView extends AccountView {
  readonly metadata: object | null;
}

interface Row {
  readonly account: string;
  readonly name: string | null;
  readonly metadata: string | null;
  readonly price_book: string | null;
  readonly overdraft_limit: string;
  readonly time_zone: string;
  readonly currency: string | null;
  readonly freezes: { reason: string; reference: string }[] | null;
  readonly created_at: Date;
}

const select = (schema: string): string => `
  select a.account, p.name, p.metadata, a.price_book, a.overdraft_limit, a.time_zone, a.currency, a.created_at,
    (select json_agg(json_build_object('reason', f.reason, 'reference', f.reference) order by f.frozen_at, f.reference)
     from ${schema}.freezes f where f.account = a.account) as freezes
  from ${schema}.accounts a left join ${schema}.profiles p on p.account = a.account`;

/** Null where there is no such account (yet). */
export async function getAccount(reads: Reads, account: string): Promise<AccountView | null> {
  const row = await findAccount(reads, account);
  return row === null ? null : viewOf(row);
}

export async function getAccountFull(reads: Reads, account: string): Promise<AccountFullView | null> {
  const row = await findAccount(reads, account);
  return row === null ? null : fullViewOf(row);
}

async function findAccount({ pool, schema }: Reads, account: string): Promise<Row | null> {
  const { rows } = await pool.query<Row>(`${select(schema)} where a.account = $1`, [account]);
  return rows[0] ?? null;
}

/** In the order of their ids. */
export async function listAccounts(
  { pool, schema }: Reads,
  query: PageQuery,
): Promise<PageOf<AccountFullView>> {
  const size = pageSizeOf(query);
  const { rows } = await pool.query<Row>(
    `${select(schema)} where $1::text is null or a.account > $1 order by a.account limit $2`,
    [decodeCursor('accounts', query), size + 1],
  );
  return pageOf('accounts', rows, size, (row) => row.account, fullViewOf);
}

function viewOf(row: Row): AccountView {
  return {
    id: row.account,
    name: row.name,
    status: row.freezes === null ? 'active' : 'frozen',
    price_book: row.price_book,
    overdraft_limit: credits(row.overdraft_limit),
    time_zone: row.time_zone,
    currency: row.currency,
    freezes: row.freezes ?? [],
    created_at: instant(row.created_at),
  };
}

function fullViewOf(row: Row): AccountFullView {
  return { ...viewOf(row), metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as object) };
}
