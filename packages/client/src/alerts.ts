/** Warnings: what an account wants to be told of, and what it has been told. Each crossing is told once. */
import type { OfAccount, Page, Paging } from './shapes.ts';
import type { Transport } from './transport.ts';

/** In percent of what was granted in a window: used, or held by calls under way. */
interface QuotaThreshold {
  readonly on: 'quota';
  readonly percent: number;
}

export type NewAlertThreshold =
  | QuotaThreshold
  /** When fewer become available; again only after credits came in. */
  | { readonly on: 'balance'; readonly credits: string }
  /** When usage costs more in a day of the account's time zone. */
  | { readonly on: 'daily_spend'; readonly credits: string };

export type AlertThreshold =
  | QuotaThreshold
  | { readonly on: 'balance' | 'daily_spend'; readonly credits: string };

export interface NewAlertSettings {
  /** All that is wanted, none twice. */
  readonly thresholds: readonly NewAlertThreshold[];
  /** True unless given. */
  readonly enabled?: boolean;
  /** Null: none; left out: as before. */
  readonly email?: string | null;
}

interface Raised {
  readonly threshold: string;
  /** No two are the same. */
  readonly key: string;
  readonly effective_at: string;
  readonly raised_at: string;
}

export type RaisedAlert =
  | (Raised & {
      readonly alert: 'quota';
      readonly unit: 'calls' | 'tokens';
      readonly model: string;
      readonly granted: string;
      readonly used: string;
      readonly held: string;
      readonly period_start: string;
      readonly period_end: string;
    })
  | (Raised & { readonly alert: 'balance'; readonly available: string })
  /** `day` as in `2026-01-31`. */
  | (Raised & { readonly alert: 'daily_spend'; readonly spent: string; readonly day: string });

export interface AlertSettings {
  readonly enabled: boolean;
  readonly thresholds: readonly AlertThreshold[];
  /** Nobody has set them. */
  readonly by_default: boolean;
  readonly email: string | null;
  /** The latest few. */
  readonly raised: readonly RaisedAlert[];
}

export interface AlertRoutes {
  readonly 'PUT /v1/accounts/{id}/alerts': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: NewAlertSettings;
    readonly answers: { readonly 200: AlertSettings };
  };
  readonly 'GET /v1/accounts/{id}/alerts': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: AlertSettings };
  };
  readonly 'GET /v1/accounts/{id}/alerts/raised': {
    readonly path: OfAccount;
    readonly query: Paging;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<RaisedAlert> };
  };
}

export function alertCalls({ send }: Transport) {
  return {
    set(account: string, settings: NewAlertSettings): Promise<AlertSettings> {
      return send('PUT /v1/accounts/{id}/alerts', { path: { id: account }, body: settings });
    },
    get(account: string): Promise<AlertSettings> {
      return send('GET /v1/accounts/{id}/alerts', { path: { id: account } });
    },
    /** All that it was told, the latest first. */
    raised(account: string, query: Paging = {}): Promise<Page<RaisedAlert>> {
      return send('GET /v1/accounts/{id}/alerts/raised', { path: { id: account }, query });
    },
  };
}
