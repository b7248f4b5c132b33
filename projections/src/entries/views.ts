/** How entries are shown: to an account's owner in credits only; to finance with cost, revenue and postings (P8). */
import { entryId, type Posting, type Usage } from '@tallystick/domain';
import { amount, credits, instant } from '../reads.ts';

export interface EntryRecord {
  readonly stream: string;
  readonly revision: string;
  readonly position: string;
  readonly recorded_at: Date;
  readonly type: string;
  readonly available: string;
  readonly held: string;
  readonly after_available: string;
  readonly after_held: string;
  readonly credits: string | null;
  readonly usage_id: string | null;
  readonly source: string | null;
  readonly reference: string | null;
  readonly reason: string | null;
  readonly hold: string | null;
  readonly model: string | null;
  readonly mode: string | null;
  readonly occurred_at: Date | null;
  readonly usage: string | null;
  readonly lots: string | null;
  readonly price_book: string | null;
  readonly price_book_version: number | null;
  readonly late: boolean | null;
  readonly repriced: string | null;
  readonly quota: string | null;
  readonly violations: string | null;
  readonly supplier: string | null;
  readonly cost: string | null;
  readonly cost_currency: string | null;
  readonly revenue: string | null;
  readonly revenue_currency: string | null;
  readonly reverses: string | null;
  readonly reversed_by: string | null;
}

/** One line of a statement. */
export interface StatementLine {
  readonly entry_id: string;
  readonly type: string;
  readonly recorded_at: string;
  /** What the entry is about, in credits; null where it only moves between available and held. */
  readonly credits: string | null;
  /** By how much it changed the balance, and the balance after it. */
  readonly change: { readonly available: string; readonly held: string };
  readonly after: { readonly available: string; readonly held: string };
  readonly usage_id: string | null;
  readonly model: string | null;
  readonly hold: string | null;
  readonly source: string | null;
  readonly reference: string | null;
  readonly reason: string | null;
  /** Entries that take this one back, or that this one takes back. */
  readonly reversed_by: string | null;
  readonly reverses: string | null;
}

/** A whole number of calls or tokens, of a quota for one model or, `*`, for all. */
export interface QuotaPart {
  readonly unit: string;
  readonly model: string;
  readonly amount: string;
}

export interface UsageView {
  readonly id: string;
  readonly entry_id: string;
  readonly account: string;
  readonly source: string;
  readonly status: 'charged' | 'unpriced';
  readonly model: string;
  readonly usage: Usage;
  readonly mode: string;
  readonly hold: string | null;
  /** Null while it has no price. */
  readonly credits: string | null;
  readonly lots: readonly { readonly lot: string; readonly credits: string }[];
  /** What came from quotas; left out where nothing did. */
  readonly quota?: readonly QuotaPart[];
  /** What the plan would have refused, had the call not run; left out where nothing. */
  readonly violations?: readonly string[];
  readonly price_book: { readonly name: string; readonly version: number } | null;
  readonly balance: { readonly available: string; readonly held: string };
  readonly occurred_at: string;
  readonly recorded_at: string;
  readonly late: boolean;
  readonly repriced: string | null;
  readonly reversed: boolean;
  /** Why it has no price. */
  readonly reason: string | null;
  readonly position: string;
}

export interface Money {
  readonly amount: string;
  readonly currency: string;
}
export interface UsageFinanceView extends UsageView {
  readonly supplier: string | null;
  readonly cost: Money | null;
  readonly revenue: Money | null;
}

export interface EntryView extends StatementLine {
  readonly account: string;
  readonly position: string;
  readonly postings: readonly Posting[];
}

const accountOf = (stream: string): string => stream.slice(stream.indexOf('-') + 1);
const entryOf = (stream: string, revision: string | null): string | null =>
  revision === null ? null : entryId(stream, Number(revision));

export function statementLine(row: EntryRecord): StatementLine {
  return {
    entry_id: entryId(row.stream, Number(row.revision)),
    type: row.type,
    recorded_at: instant(row.recorded_at),
    credits: row.credits === null ? null : credits(row.credits),
    change: { available: credits(row.available), held: credits(row.held) },
    after: { available: credits(row.after_available), held: credits(row.after_held) },
    usage_id: row.usage_id,
    model: row.model,
    hold: row.hold,
    source: row.source,
    reference: row.reference,
    reason: row.reason,
    reversed_by: entryOf(row.stream, row.reversed_by),
    reverses: entryOf(row.stream, row.reverses),
  };
}

export function usageView(row: EntryRecord): UsageView {
  const { price_book, price_book_version } = row;
  return {
    id: row.usage_id ?? '',
    entry_id: entryId(row.stream, Number(row.revision)),
    account: accountOf(row.stream),
    source: row.source ?? '',
    status: row.type === 'UsageCharged' ? 'charged' : 'unpriced',
    model: row.model ?? '',
    usage: JSON.parse(row.usage ?? '{}') as Usage,
    mode: row.mode ?? 'charge',
    hold: row.hold,
    credits: row.credits === null ? null : credits(row.credits),
    lots: lotsOf(row.lots),
    ...(row.quota === null ? {} : { quota: JSON.parse(row.quota) as QuotaPart[] }),
    ...(row.violations === null ? {} : { violations: row.violations.split(' ') }),
    price_book:
      price_book === null || price_book_version === null
        ? null
        : { name: price_book, version: price_book_version },
    balance: { available: credits(row.after_available), held: credits(row.after_held) },
    occurred_at: instant(row.occurred_at ?? row.recorded_at),
    recorded_at: instant(row.recorded_at),
    late: row.late ?? false,
    repriced: row.repriced,
    reversed: row.reversed_by !== null,
    reason: row.reason,
    position: row.position,
  };
}

/** "lot=steps lot=steps". */
function lotsOf(text: string | null): { lot: string; credits: string }[] {
  if (text === null || text === '') return [];
  return text.split(' ').map((part) => {
    const at = part.lastIndexOf('=');
    return { lot: part.slice(0, at), credits: credits(part.slice(at + 1)) };
  });
}

export function usageFinanceView(row: EntryRecord): UsageFinanceView {
  return {
    ...usageView(row),
    supplier: row.supplier,
    cost: moneyOf(row.cost, row.cost_currency),
    revenue: moneyOf(row.revenue, row.revenue_currency),
  };
}

function moneyOf(steps: string | null, currency: string | null): Money | null {
  return steps === null || currency === null ? null : { amount: amount(steps, currency), currency };
}

export function entryView(row: EntryRecord, postings: readonly Posting[]): EntryView {
  return { ...statementLine(row), account: accountOf(row.stream), position: row.position, postings };
}
