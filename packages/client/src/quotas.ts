/** Quotas: what a plan includes, in calls or tokens, and what finance adds for a time. Whole numbers as texts. */
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
    readonly answers: { readonly 200: Page<Quota> };
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
