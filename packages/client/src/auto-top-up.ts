/** Topping up by itself: the owner says when and how much, the account asks, a provider charges, finance tells what came of it. */
import type { Purchase } from './purchases.ts';
import type { Money, OfAccount } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface AutoTopUpTerms {
  readonly enabled: boolean;
  /** In credits: it asks when available and held together are less. */
  readonly threshold: string;
  readonly amount: Money;
  /** 3,600 unless given. */
  readonly cool_off_seconds?: number;
  /** Requests in a day of the account's time zone; 3 unless given. */
  readonly daily_cap?: number;
}

export interface AutoTopUp extends Required<AutoTopUpTerms> {
  /** Too many were declined in a row; to set it again is to trust it again. */
  readonly off: boolean;
  /** The request that waits for its result. */
  readonly open: { readonly id: string; readonly amount: Money; readonly requested_at: string } | null;
}

export interface AutoTopUpResult {
  readonly result: 'paid' | 'declined';
  /** With `paid`: what has come. */
  readonly paid?: Money;
  /** Of the payment, or of the attempt. */
  readonly reference: string;
}

export interface RecordedAutoTopUpResult {
  readonly id: string;
  /** `unapplied`: money came that is not what was asked for; it waits for finance. */
  readonly result: 'paid' | 'declined' | 'unapplied';
  readonly purchase: Purchase | null;
  readonly position?: string;
}

export interface AutoTopUpRoutes {
  readonly 'PUT /v1/accounts/{id}/auto-top-up': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: AutoTopUpTerms;
    readonly answers: { readonly 200: AutoTopUp };
  };
  readonly 'GET /v1/accounts/{id}/auto-top-up': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: AutoTopUp };
  };
  readonly 'POST /v1/accounts/{id}/auto-top-ups/{request}/result': {
    readonly path: OfAccount & { readonly request: string };
    readonly query: undefined;
    readonly body: AutoTopUpResult;
    readonly answers: { readonly 200: RecordedAutoTopUpResult; readonly 201: RecordedAutoTopUpResult };
  };
}

export function autoTopUpCalls({ send }: Transport) {
  return {
    set(account: string, terms: AutoTopUpTerms): Promise<AutoTopUp> {
      return send('PUT /v1/accounts/{id}/auto-top-up', { path: { id: account }, body: terms });
    },
    /** Refused with `not_found` where it was never set. */
    get(account: string): Promise<AutoTopUp> {
      return send('GET /v1/accounts/{id}/auto-top-up', { path: { id: account } });
    },
    /** What came of a request. For finance. */
    recordResult(
      account: string,
      request: string,
      result: AutoTopUpResult,
    ): Promise<RecordedAutoTopUpResult> {
      const path = { id: account, request };
      return send('POST /v1/accounts/{id}/auto-top-ups/{request}/result', { path, body: result });
    },
  };
}
