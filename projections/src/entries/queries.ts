/** Statements, usage, single entries. In the order of revisions: order is revision, never time (rule 9). */
import { keys, type Posting, walletStream } from '@tallystick/domain';
import type { KeyIndex } from '@tallystick/event-store';
import { decodeNumber, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import type { Reads } from '../reads.ts';
import {
  type EntryRecord,
  type EntryView,
  entryView,
  type StatementLine,
  statementLine,
  type UsageFinanceView,
  type UsageView,
  usageFinanceView,
  usageView,
} from './views.ts';

export interface AccountQuery extends PageQuery {
  readonly account: string;
  /** By the time of recording, milliseconds since 1970; `from` inclusive, `to` exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Newest first where left out. */
  readonly order?: 'newest' | 'oldest';
}

/** Clocks of writers differ by seconds (rule 9), so times in a stream may step back by as much. */
export const CLOCKS_MS = 10_000;

async function readEntries(
  { pool, schema }: Reads,
  list: string,
  query: AccountQuery,
  filter: string,
): Promise<{ rows: EntryRecord[]; size: number }> {
  const size = pageSizeOf(query);
  const after = decodeNumber(list, query);
  const oldest = query.order === 'oldest';
  const stream = walletStream(query.account);
  const conditions = ['e.stream = $1', ...(filter === '' ? [] : [filter])];
  const values: unknown[] = [stream, size + 1];
  const param = (value: unknown): string => `$${values.push(value)}`;
  if (after !== null) conditions.push(`e.revision ${oldest ? '>' : '<'} ${param(after)}`);
  if (query.from !== undefined) {
    conditions.push(`e.recorded_at >= ${param(new Date(query.from))}`);
    const early = param(new Date(query.from - CLOCKS_MS));
    conditions.push(`e.revision >= (select ${schema}.revision_at($1, ${early}))`);
  }
  if (query.to !== undefined) {
    conditions.push(`e.recorded_at < ${param(new Date(query.to))}`);
    const late = param(new Date(query.to + CLOCKS_MS));
    conditions.push(`e.revision < (select ${schema}.revision_at($1, ${late}))`);
  }
  const { rows } = await pool.query<EntryRecord>(
    `select e.* from ${schema}.entries e where ${conditions.join(' and ')}
     order by e.revision ${oldest ? 'asc' : 'desc'} limit $2`,
    values,
  );
  return { rows, size };
}

/** Every entry of the account, with the balance after it. */
export async function readStatement(reads: Reads, query: AccountQuery): Promise<PageOf<StatementLine>> {
  const { rows, size } = await readEntries(reads, 'statement', query, '');
  return pageOf('statement', rows, size, (row) => row.revision, statementLine);
}

/** Charged or parked; a parked usage that was charged later is shown as its charge. */
const USAGE = `(e.type = 'UsageCharged' or (e.type = 'UsageUnpriced' and e.resolved_by is null))`;

const IN_VIOLATION = 'e.violations is not null';

export interface UsageQuery extends AccountQuery {
  /** Only what the plan would have refused. */
  readonly violations?: boolean | undefined;
}

const usageFilter = ({ violations = false }: UsageQuery): string => (violations ? IN_VIOLATION : USAGE);

export async function listUsage(reads: Reads, query: UsageQuery): Promise<PageOf<UsageView>> {
  const { rows, size } = await readEntries(reads, 'usage', query, usageFilter(query));
  return pageOf('usage', rows, size, (row) => row.revision, usageView);
}

export async function listUsageFinance(reads: Reads, query: UsageQuery): Promise<PageOf<UsageFinanceView>> {
  const { rows, size } = await readEntries(reads, 'usage', query, usageFilter(query));
  return pageOf('usage', rows, size, (row) => row.revision, usageFinanceView);
}

/** Usage without a price, of all accounts, oldest first (P10). */
export async function listUnpriced(reads: Reads, query: PageQuery): Promise<PageOf<UsageView>> {
  return readOfAll(reads, UNPRICED, query, usageView);
}

export async function listUnpricedFinance(reads: Reads, query: PageQuery): Promise<PageOf<UsageFinanceView>> {
  return readOfAll(reads, UNPRICED, query, usageFinanceView);
}

/** Usage that a plan would have refused, had the call not run, of all accounts, oldest first (billing rules 6, 9). */
export async function listViolations(reads: Reads, query: PageQuery): Promise<PageOf<UsageView>> {
  return readOfAll(reads, VIOLATIONS, query, usageView);
}

export async function listViolationsFinance(
  reads: Reads,
  query: PageQuery,
): Promise<PageOf<UsageFinanceView>> {
  return readOfAll(reads, VIOLATIONS, query, usageFinanceView);
}

/** Each with an index of its own. */
const UNPRICED = { list: 'unpriced', filter: `e.type = 'UsageUnpriced' and e.resolved_by is null` } as const;
const VIOLATIONS = { list: 'violations', filter: IN_VIOLATION } as const;

async function readOfAll<T>(
  { pool, schema }: Reads,
  { list, filter }: { readonly list: string; readonly filter: string },
  query: PageQuery,
  toView: (row: EntryRecord) => T,
): Promise<PageOf<T>> {
  const size = pageSizeOf(query);
  const { rows } = await pool.query<EntryRecord>(
    `select e.* from ${schema}.entries e
     where ${filter} and e.position > $1::bigint
     order by e.position limit $2`,
    [decodeNumber(list, query) ?? '0', size + 1],
  );
  return pageOf(list, rows, size, (row) => row.position, toView);
}

/**
 * One usage of an account by its id (and source, where it was posted with one); the charge, if it was parked first.
 * Found by its business key: `index` is the store where it enforces keys, else the projector's. Null where there is
 * none, or where the read models have not come so far.
 */
export async function getUsage(
  reads: Reads,
  index: KeyIndex,
  usage: { account: string; id: string; source?: string | undefined },
): Promise<UsageView | null> {
  const row = await findUsage(reads, index, usage);
  return row === null ? null : usageView(row);
}

export async function getUsageFinance(
  reads: Reads,
  index: KeyIndex,
  usage: { account: string; id: string; source?: string | undefined },
): Promise<UsageFinanceView | null> {
  const row = await findUsage(reads, index, usage);
  return row === null ? null : usageFinanceView(row);
}

async function findUsage(
  { pool, schema }: Reads,
  index: KeyIndex,
  { account, id, source = '' }: { account: string; id: string; source?: string | undefined },
): Promise<EntryRecord | null> {
  const stream = walletStream(account);
  const { hits } = await index.lookup(stream, [keys.usage(source, id), keys.reprice(source, id)]);
  if (hits.size === 0) return null;
  // A hold that was settled under another id claims the hold's key too, and has no entry: the newest that is one.
  const { rows } = await pool.query<EntryRecord>(
    `select e.* from ${schema}.entries e
     where e.stream = $1 and e.revision = any($2) and e.type in ('UsageCharged', 'UsageUnpriced')
     order by e.revision desc limit 1`,
    [stream, [...hits.values()]],
  );
  return rows[0] ?? null;
}

/** With its postings, in credits and currencies: for finance. */
export async function getEntry(
  { pool, schema }: Reads,
  entry: { stream: string; revision: number },
): Promise<EntryView | null> {
  const key = [entry.stream, entry.revision];
  const { rows } = await pool.query<EntryRecord>(
    `select e.* from ${schema}.entries e where e.stream = $1 and e.revision = $2`,
    key,
  );
  if (rows[0] === undefined) return null;
  const postings = await pool.query<Posting>(
    `select p.account, p.unit, p.amount from ${schema}.postings p where p.stream = $1 and p.revision = $2`,
    key,
  );
  return entryView(rows[0], postings.rows);
}
