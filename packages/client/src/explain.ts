/** Why a balance is what it is: every event of an account, the formula of its price, and the lots it touched. */
import type { Posting } from './books.ts';
import type { PriceFormula } from './prices.ts';
import type { Balance, Money, OfAccount, Page, Period, PriceBookVersion } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface OwnExplanation {
  readonly entry_id: string;
  readonly type: string;
  readonly recorded_at: string;
  /** In words. */
  readonly what: string;
  readonly price: PriceInCredits | null;
  readonly moves: readonly Move[];
  /** Calls or tokens of which quota went from where to where. */
  readonly quotas: readonly QuotaMove[];
  /** What was charged for a subscription, or given back. */
  readonly bill: readonly { readonly description: string; readonly credits: string }[];
  readonly after: Balance | null;
  readonly position: string;
}

export interface PriceInCredits extends PriceFormula {
  readonly price_book: PriceBookVersion | null;
  /** The plan's, on the sum of the lines. */
  readonly factors?: readonly { readonly kind: string; readonly value: string }[];
}

export interface QuotaMove {
  readonly quota: string;
  readonly unit: string | null;
  readonly from: string;
  readonly to: string;
  readonly quantity: string;
}

/** So many credits of a lot, from here to there. */
export interface Move {
  readonly lot: string | null;
  readonly from: string;
  readonly to: string;
  readonly credits: string;
}

/** With what only finance sees. */
export interface Explanation extends OwnExplanation {
  readonly formula: readonly string[];
  readonly published: readonly { readonly dimension: string; readonly [name: string]: unknown }[];
  readonly factors: readonly { readonly kind: string; readonly value: string; readonly version: string }[];
  readonly supplier: string | null;
  readonly cost: Money | null;
  readonly paid: readonly string[];
  readonly quota_paid: readonly string[];
  readonly postings: readonly Posting[];
}

export interface ExplainRoutes {
  readonly 'GET /v1/accounts/{id}/explain': {
    readonly path: OfAccount;
    readonly query: Period;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Explanation | OwnExplanation> };
  };
}

export function explainCalls({ send }: Transport) {
  return {
    explain(account: string, query: Period = {}): Promise<Page<Explanation | OwnExplanation>> {
      return send('GET /v1/accounts/{id}/explain', { path: { id: account }, query });
    },
  };
}
