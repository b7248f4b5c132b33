/** Prices: what a call would cost, and the price books that say so. */
import type { Money, PriceBookVersion, Usage } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface QuoteRequest {
  readonly model: string;
  readonly usage: Usage;
  /** Prices by the book of this account; left out: by "default". */
  readonly account?: string;
}

/** How a price came about. `exact` values may be fractions such as "22/3". */
export interface PriceFormula {
  readonly lines: readonly {
    readonly dimension: string;
    readonly quantity: number;
    readonly price: { readonly credits: string; readonly per?: number; readonly up_to?: number };
    readonly credits_exact: string;
  }[];
  readonly rounding: { readonly exact: string; readonly round_to: string; readonly rule: 'up' };
}

export interface Quote extends PriceFormula {
  readonly credits: string;
  readonly price_book: PriceBookVersion;
}

/** What a supplier asks, and what is added to it. */
interface Cost {
  readonly cost: Money;
  readonly markup: string;
  readonly demand_factor?: string;
}
interface InCredits {
  readonly credits: string;
}
interface Per {
  readonly per: number;
}
interface UpTo {
  readonly up_to: number;
}

export type Price =
  | (InCredits & Per)
  | (Cost & Per)
  | { readonly steps: readonly ((InCredits & UpTo) | (Cost & UpTo))[] };

export interface ModelPrices {
  readonly supplier?: string;
  readonly round_to?: string;
  readonly prices: { readonly [D in keyof Usage]?: Price };
}

export interface NewPriceBook {
  readonly effective_from?: string;
  /** What one credit is worth; needed where prices are costs. */
  readonly credit_value?: Money;
  readonly models: { readonly [model: string]: ModelPrices };
}

export interface PublishedPriceBook extends PriceBookVersion {
  readonly effective_from: string;
}

export interface PriceBook extends PublishedPriceBook {
  readonly credit_value?: Money;
  readonly models: { readonly [model: string]: unknown };
}

export interface PriceRoutes {
  readonly 'POST /v1/quotes': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: QuoteRequest;
    readonly answers: { readonly 200: Quote };
  };
  readonly 'PUT /v1/price-books/{name}': {
    readonly path: { readonly name: string };
    readonly query: undefined;
    readonly body: NewPriceBook;
    readonly answers: { readonly 200: PublishedPriceBook; readonly 201: PublishedPriceBook };
  };
  readonly 'GET /v1/price-books/{name}': {
    readonly path: { readonly name: string };
    readonly query: { readonly version?: number };
    readonly body: undefined;
    readonly answers: { readonly 200: PriceBook };
  };
}

export function quoteCall({ send }: Transport) {
  return (request: QuoteRequest): Promise<Quote> => send('POST /v1/quotes', { body: request });
}

export function priceBookCalls({ send }: Transport) {
  return {
    /** The same content as the latest version's makes no new one. */
    publish(name: string, book: NewPriceBook): Promise<PublishedPriceBook> {
      return send('PUT /v1/price-books/{name}', { path: { name }, body: book });
    },
    get(name: string, query: { readonly version?: number } = {}): Promise<PriceBook> {
      return send('GET /v1/price-books/{name}', { path: { name }, query });
    },
  };
}
