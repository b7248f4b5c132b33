/** The read models' tables as they are compared: which columns, by which key, and how a value is shown. */
import { textOf } from '../decimal.ts';
import { type Cell, decimalOf } from './cells.ts';

export interface Column {
  readonly name: string;
  /** How it is stored; decides how it is read and shown. An `amount` is in the row's unit, `money` in any currency. */
  readonly kind: 'text' | 'credits' | 'amount' | 'money' | 'time' | 'array';
}

export interface Table {
  readonly name: string;
  /** The primary key's columns come first. */
  readonly columns: readonly Column[];
  readonly keyed: number;
  readonly where?: string;
}

const column =
  (kind: Column['kind']) =>
  (name: string): Column => ({ name, kind });
const text = (...names: string[]): Column[] => names.map(column('text'));
const credits = (...names: string[]): Column[] => names.map(column('credits'));
const amounts = (...names: string[]): Column[] => names.map(column('amount'));
const money = (...names: string[]): Column[] => names.map(column('money'));
const time = (...names: string[]): Column[] => names.map(column('time'));

export const BALANCES: Table = {
  name: 'balances',
  keyed: 2,
  columns: [
    ...text('account', 'unit'),
    ...credits('available', 'held', 'granted', 'adjusted', 'consumed', 'expired', 'withdrawn', 'debt'),
    ...text('revision', 'position'),
    ...time('next_due_at'),
  ],
};

export const LOTS: Table = {
  name: 'lots',
  keyed: 2,
  columns: [
    ...text('account', 'lot', 'unit'),
    ...amounts('quantity'),
    ...credits('free', 'pinned'),
    ...text('open', 'priority'),
    ...time('expires_at'),
    ...amounts('withdrawable'),
    ...text('origin_kind', 'origin_of', 'origin_ref', 'born'),
    ...time('created_at'),
    ...text('currency'),
    ...money('paid_in_all', 'paid'),
  ],
};

export const HOLDS: Table = {
  name: 'holds',
  keyed: 2,
  columns: [
    ...text('account', 'hold', 'status', 'purpose', 'model', 'estimate', 'price_book', 'price_book_version'),
    ...credits('credits', 'uncovered'),
    ...time('expires_at', 'placed_at'),
    ...text('opened'),
    ...time('closed_at'),
    ...text('closed'),
  ],
};

export const PINS: Table = {
  name: 'pins',
  keyed: 3,
  columns: [...text('account', 'hold', 'lot'), ...credits('credits'), ...money('paid'), ...text('since')],
};

/** What holds have of quotas, in whole calls or tokens. */
export const QUOTA_PINS: Table = {
  name: 'quota_pins',
  keyed: 3,
  columns: text('account', 'hold', 'quota', 'quantity'),
};

export const TOTALS: Table = {
  name: 'platform_totals',
  keyed: 3,
  columns: [...text('partition', 'account', 'unit'), ...amounts('balance')],
};

export const DAILY: Table = {
  name: 'daily_totals',
  keyed: 5,
  columns: [...text('partition', 'day', 'model', 'supplier', 'unit', 'calls'), ...amounts('amount', 'cost')],
};

export const ACCOUNTS: Table = {
  name: 'accounts',
  keyed: 1,
  columns: [
    ...text('account', 'price_book'),
    ...credits('overdraft_limit'),
    ...text('time_zone', 'currency'),
    ...time('created_at'),
  ],
};

export const FREEZES: Table = {
  name: 'freezes',
  keyed: 2,
  columns: [...text('account', 'reference', 'reason'), ...time('frozen_at')],
};

export const SUBSCRIPTIONS: Table = {
  name: 'subscriptions',
  keyed: 2,
  columns: [
    ...text('account', 'subscription', 'born', 'plan', 'plan_version', 'status'),
    ...time('period_end', 'grace_ends_at', 'ended_at', 'next_grant_at', 'due_at'),
    ...text('picture', 'terms', 'pots', 'paid_money'),
    ...time('started_at'),
    ...text('revision'),
  ],
};

export const QUOTAS: Table = {
  name: 'quotas',
  keyed: 2,
  columns: [
    ...text('account', 'quota', 'unit', 'model'),
    ...amounts('granted', 'free', 'pinned', 'used', 'expired'),
    ...text('open'),
    ...time('starts_at', 'expires_at'),
    ...text('counted_dimensions', 'origin', 'subscription', 'line', 'born'),
    ...time('created_at'),
    ...text('currency'),
    ...money('paid_in_all', 'paid'),
  ],
};

export const PURCHASES: Table = {
  name: 'purchases',
  keyed: 2,
  columns: [
    ...text('account', 'purchase', 'package', 'package_version'),
    ...credits('credits', 'bonus'),
    ...text('currency'),
    ...money('price', 'discount', 'total'),
    ...text('coupon', 'auto_top_up', 'status', 'lot', 'born'),
    ...time('opened_at', 'closed_at'),
    ...text('entry'),
    ...time('reversed_at'),
  ],
};

export const ACCOUNT_COUPONS: Table = {
  name: 'account_coupons',
  keyed: 2,
  columns: [
    ...text('account', 'born', 'code', 'status', 'purchase'),
    ...credits('credits'),
    ...time('at', 'freed_at'),
  ],
};

export const REFERRAL_ACCRUALS: Table = {
  name: 'referral_accruals',
  keyed: 3,
  columns: [
    ...text('account', 'friend', 'revision', 'reason'),
    ...credits('credits', 'taken'),
    ...text('clawed_back', 'lot'),
    ...time('available_at'),
    ...text('born'),
    ...time('accrued_at'),
    ...text('status'),
  ],
};

export const PROFILES: Table = { name: 'profiles', keyed: 1, columns: text('account', 'name', 'metadata') };

export const API_KEYS: Table = {
  name: 'api_keys',
  keyed: 1,
  columns: [
    ...text('id', 'name'),
    column('array')('scopes'),
    ...text('account'),
    ...time('created_at', 'revoked_at'),
  ],
};

/** All of an entry but the two marks that later events set. */
export const ENTRIES: Table = {
  name: 'entries',
  keyed: 2,
  columns: [
    ...text('stream', 'revision', 'position'),
    ...time('recorded_at'),
    ...text('type'),
    ...credits('available', 'held', 'after_available', 'after_held', 'credits'),
    ...text('usage_id', 'source', 'reference', 'reason', 'hold', 'model', 'mode'),
    ...time('occurred_at'),
    ...text('usage', 'lots', 'price_book', 'price_book_version', 'late', 'repriced'),
    ...text('quota', 'violations', 'supplier'),
    ...money('cost'),
    ...text('cost_currency'),
    ...money('revenue'),
    ...text('revenue_currency', 'reverses', 'postings'),
  ],
};

export const MARKS: Table = {
  name: 'entries',
  keyed: 2,
  columns: text('stream', 'revision', 'reversed_by', 'resolved_by'),
  where: 'reversed_by is not null or resolved_by is not null',
};

export const SEALS: Table = {
  name: 'seals',
  keyed: 1,
  columns: [
    ...text('number'),
    ...time('recorded_at'),
    ...text('root', 'hash', 'events', 'ranges', 'data', 'internal'),
  ],
};

export const SEALED_RANGES: Table = {
  name: 'sealed_ranges',
  keyed: 2,
  columns: text('stream', 'to_revision', 'from_revision', 'seal'),
};

export const KEYS: Table = { name: 'stream_keys', keyed: 2, columns: text('stream', 'key', 'revision') };
export const COVERAGE: Table = { name: 'key_coverage', keyed: 1, columns: text('stream', 'revision') };

export function sqlOf({ name, kind }: Column): string {
  switch (kind) {
    case 'time':
      return `date_part('epoch', ${name})::text`;
    case 'array':
      return `array_to_json(${name})::text`;
    case 'text':
    case 'credits':
    case 'amount':
    case 'money':
      return `${name}::text`;
    default:
      return kind satisfies never;
  }
}

/** For people: amounts as decimals. */
export function shown({ kind }: Column, cell: Cell, unit: Cell): Cell {
  if (cell === null) return null;
  switch (kind) {
    case 'credits':
      return textOf(BigInt(cell) * 1_000n);
    case 'money':
      return textOf(BigInt(cell));
    case 'amount':
      return unit === null ? cell : decimalOf(cell, unit);
    case 'time':
      return new Date(Number(cell) * 1_000).toISOString();
    case 'text':
    case 'array':
      return cell;
    default:
      return kind satisfies never;
  }
}
