/** Balance, lots, statement and usage of an account. Owners see credits only; finance sees the money beside them. */
import type {
  AsOf,
  Balance,
  BurnedLot,
  Money,
  OfAccount,
  Page,
  Paging,
  Period,
  PriceBookVersion,
  QuotaPart,
  Reading,
} from './shapes.ts';
import type { Transport } from './transport.ts';

/** granted + adjusted - consumed - held - expired - withdrawn = available */
export interface AccountBalance {
  readonly account: string;
  readonly available: string;
  readonly held: string;
  readonly granted: string;
  readonly adjusted: string;
  readonly consumed: string;
  readonly expired: string;
  readonly withdrawn: string;
  readonly expiring: readonly {
    readonly lot: string;
    readonly credits: string;
    readonly expires_at: string;
  }[];
  readonly position: string;
}

/** What was recorded by then, no more: a lot that was due counts until its expiry was an event. */
export interface PastBalance {
  readonly account: string;
  readonly available: string;
  readonly held: string;
  /** The last entry that is in it; null where there was none yet. */
  readonly entry_id: string | null;
  readonly recorded_at: string | null;
  readonly position: string;
  readonly as_of: string;
}

export interface OwnLot {
  readonly lot: string;
  readonly unit: string;
  readonly quantity: string;
  readonly available: string;
  readonly held: string;
  readonly priority: number;
  readonly expires_at: string | null;
  readonly expired: boolean;
  readonly origin: { readonly kind: string; readonly of: string; readonly ref: string };
  readonly created_at: string;
}

/** With what only finance sees. */
export interface Lot extends OwnLot {
  readonly withdrawable: string;
  readonly paid: (Money & { readonly remaining: string }) | null;
}

export interface StatementLine {
  readonly entry_id: string;
  readonly type: string;
  readonly recorded_at: string;
  readonly credits: string | null;
  readonly change: Balance;
  readonly after: Balance;
  readonly usage_id: string | null;
  readonly model: string | null;
  readonly hold: string | null;
  readonly source: string | null;
  readonly reference: string | null;
  readonly reason: string | null;
  readonly reversed_by: string | null;
  readonly reverses: string | null;
}

export interface OwnUsage {
  readonly id: string;
  readonly entry_id: string;
  readonly account: string;
  readonly source: string;
  readonly status: 'charged' | 'unpriced';
  readonly model: string;
  readonly usage: Quantities;
  readonly mode: string;
  readonly hold: string | null;
  readonly credits: string | null;
  readonly lots: readonly BurnedLot[];
  /** What came from quotas; left out where nothing did. */
  readonly quota?: readonly QuotaPart[];
  /** What the plan would have refused, had the call not run. */
  readonly violations?: readonly string[];
  readonly price_book: PriceBookVersion | null;
  readonly balance: Balance;
  readonly occurred_at: string;
  readonly recorded_at: string;
  readonly late: boolean;
  readonly repriced: string | null;
  readonly reversed: boolean;
  readonly reason: string | null;
  readonly position: string;
}

/** With what only finance sees. */
export interface RecordedUsage extends OwnUsage {
  readonly supplier: string | null;
  readonly cost: Money | null;
  readonly revenue: Money | null;
}

/** By dimension, also such as this version of the client does not know yet. */
export interface Quantities {
  readonly [dimension: string]: number;
}

/** Only such as are still open. */
export interface OpenOnly extends Paging {
  readonly open?: boolean;
}

export interface UsagePeriod extends Period {
  /** Only what the plan would have refused. */
  readonly violations?: boolean;
}

/** Without a source: that of usage which named none. */
export interface OfSource {
  readonly source?: string;
}

export interface ReadRoutes {
  readonly 'GET /v1/accounts/{id}/balance': {
    readonly path: OfAccount;
    readonly query: Reading & AsOf;
    readonly body: undefined;
    readonly answers: { readonly 200: AccountBalance | PastBalance };
  };
  readonly 'GET /v1/accounts/{id}/lots': {
    readonly path: OfAccount;
    readonly query: OpenOnly;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Lot | OwnLot> };
  };
  readonly 'GET /v1/accounts/{id}/statement': {
    readonly path: OfAccount;
    readonly query: Period;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<StatementLine> };
  };
  readonly 'GET /v1/accounts/{id}/usage': {
    readonly path: OfAccount;
    readonly query: UsagePeriod;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<RecordedUsage | OwnUsage> };
  };
  readonly 'GET /v1/accounts/{id}/usage/{usage_id}': {
    readonly path: { readonly id: string; readonly usage_id: string };
    readonly query: Reading & OfSource;
    readonly body: undefined;
    readonly answers: { readonly 200: RecordedUsage | OwnUsage };
  };
  readonly 'GET /v1/usage': {
    readonly path: undefined;
    readonly query: Paging & { readonly status?: 'unpriced'; readonly violations?: boolean };
    readonly body: undefined;
    readonly answers: { readonly 200: Page<RecordedUsage | OwnUsage> };
  };
}

/** Reads of one account; they stand beside the other calls of accounts. */
export function balanceCalls({ send }: Transport) {
  return {
    async balance(account: string, query: Reading = {}): Promise<AccountBalance> {
      const answer = await send('GET /v1/accounts/{id}/balance', { path: { id: account }, query });
      // A balance of the past is the answer to `as_of` only.
      return answer as AccountBalance;
    },
    async balanceAt(account: string, as_of: string, query: Reading = {}): Promise<PastBalance> {
      const path = { id: account };
      return (await send('GET /v1/accounts/{id}/balance', {
        path,
        query: { ...query, as_of },
      })) as PastBalance;
    },
    lots(account: string, query: OpenOnly = {}): Promise<Page<Lot | OwnLot>> {
      return send('GET /v1/accounts/{id}/lots', { path: { id: account }, query });
    },
    statement(account: string, query: Period = {}): Promise<Page<StatementLine>> {
      return send('GET /v1/accounts/{id}/statement', { path: { id: account }, query });
    },
  };
}

/** Reads of usage; they stand beside the calls that charge it. */
export function usageReads({ send }: Transport) {
  return {
    list(account: string, query: UsagePeriod = {}): Promise<Page<RecordedUsage | OwnUsage>> {
      return send('GET /v1/accounts/{id}/usage', { path: { id: account }, query });
    },
    get(account: string, id: string, query: Reading & OfSource = {}): Promise<RecordedUsage | OwnUsage> {
      return send('GET /v1/accounts/{id}/usage/{usage_id}', { path: { id: account, usage_id: id }, query });
    },
    /** Usage of all accounts that is parked because it has no price yet. */
    unpriced(query: Paging = {}): Promise<Page<RecordedUsage | OwnUsage>> {
      return send('GET /v1/usage', { query: { ...query, status: 'unpriced' } });
    },
    /** Usage of all accounts that the plan would have refused, had the call not run. */
    violations(query: Paging = {}): Promise<Page<RecordedUsage | OwnUsage>> {
      return send('GET /v1/usage', { query: { ...query, violations: true } });
    },
  };
}
