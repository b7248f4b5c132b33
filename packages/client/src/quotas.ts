/** Quotas: what a plan includes, in calls or tokens, what finance adds for a time, and the plan's limits. Whole numbers as texts. */
import type { OfAccount, Page, Paging } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface Quota {
  /** Null: a line of the plan without limit. */
  readonly id: string | null;
  readonly unit: 'calls' | 'tokens';
  /** A model, or `*` for all. */
  readonly model: string;
  /** Or `unlimited`. */
  readonly granted: string;
  readonly used: string | null;
  readonly held: string | null;
  /** Or `unlimited`. */
  readonly remaining: string;
  readonly period_start: string;
  readonly period_end: string;
  readonly source: 'plan' | 'expansion';
}

/** A limit of the plan, whoever pays: so much in each window. Whole numbers as texts. */
export interface Cap {
  readonly unit: 'calls' | 'tokens';
  /** A model, or `*`: all of them together. */
  readonly model: string;
  readonly amount: string;
  readonly per: 'day' | 'week' | 'month' | 'period';
  readonly used: string;
  /** What calls under way may still use of it. */
  readonly held: string;
  readonly resets_at: string;
}

/** Its id is `reference`. */
export interface Expansion {
  readonly unit: 'calls' | 'tokens';
  readonly model: string;
  readonly amount: string;
  /** In the future when it is first recorded. */
  readonly expires_at: string;
  readonly reason: string;
  readonly reference: string;
}

export interface Expanded {
  readonly entry_id: string;
  readonly quota: Quota;
  readonly position: string;
}

export interface QuotaRoutes {
  readonly 'GET /v1/accounts/{id}/quotas': {
    readonly path: OfAccount;
    readonly query: Paging & { readonly all?: boolean };
    readonly body: undefined;
    /** `caps` are left out of the list of `all`. */
    readonly answers: { readonly 200: Page<Quota> & { readonly caps?: readonly Cap[] } };
  };
  readonly 'POST /v1/accounts/{id}/quotas': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: Expansion;
    readonly answers: { readonly 200: Expanded; readonly 201: Expanded };
  };
}

export function quotaCalls({ send }: Transport) {
  return {
    /** What there is now: all of it, whatever the size of a page. */
    async now(account: string): Promise<readonly Quota[]> {
      return (await send('GET /v1/accounts/{id}/quotas', { path: { id: account }, query: {} })).data;
    },
    /** Where the limits of the plan in force stand. */
    async caps(account: string): Promise<readonly Cap[]> {
      return (await send('GET /v1/accounts/{id}/quotas', { path: { id: account }, query: {} })).caps ?? [];
    },
    /** All that there ever was, the latest first. */
    list(account: string, query: Paging = {}): Promise<Page<Quota>> {
      return send('GET /v1/accounts/{id}/quotas', { path: { id: account }, query: { ...query, all: true } });
    },
    /** More for a time. For finance. */
    expand(account: string, expansion: Expansion): Promise<Expanded> {
      return send('POST /v1/accounts/{id}/quotas', { path: { id: account }, body: expansion });
    },
  };
}
