/** What can be bought: packages of credits, and free amounts at a rate. Read with any key; published by admins. */
import type { Offered } from './plans.ts';
import type { Money, Page } from './shapes.ts';
import type { Transport } from './transport.ts';

/** Either `credits` with `prices`, or `rate`. */
export interface PackageTerms {
  readonly name?: string;
  readonly description?: string;
  readonly display_order?: number;
  readonly active?: boolean;
  readonly credits?: string;
  readonly bonus?: string;
  /** One per currency. */
  readonly prices?: readonly Money[];
  /** Of a free amount: credits for one unit of the currency. */
  readonly rate?: { readonly credits: string; readonly currency: string };
  /** From an amount on, so many percent more on all that is paid. */
  readonly volume_bonus?: readonly { readonly from: string; readonly percent: string }[];
}

export interface NewPackage extends PackageTerms {
  /** In place of `prices`, where there is one. */
  readonly price?: Money;
}

export interface PublishedPackage {
  readonly id: string;
  readonly version: number;
}

export interface Package extends PublishedPackage, PackageTerms {}

export interface PackageRoutes {
  readonly 'PUT /v1/packages/{id}': {
    readonly path: { readonly id: string };
    readonly query: undefined;
    readonly body: NewPackage;
    readonly answers: { readonly 200: PublishedPackage; readonly 201: PublishedPackage };
  };
  readonly 'GET /v1/packages': {
    readonly path: undefined;
    readonly query: Offered;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Package> };
  };
  readonly 'GET /v1/packages/{id}': {
    readonly path: { readonly id: string };
    readonly query: { readonly version?: number };
    readonly body: undefined;
    readonly answers: { readonly 200: Package };
  };
}

export function packageCalls({ send }: Transport) {
  return {
    /** The same content as the latest version's makes no new one. */
    publish(id: string, offer: NewPackage): Promise<PublishedPackage> {
      return send('PUT /v1/packages/{id}', { path: { id }, body: offer });
    },
    list(query: Offered = {}): Promise<Page<Package>> {
      return send('GET /v1/packages', { query });
    },
    get(id: string, query: { readonly version?: number } = {}): Promise<Package> {
      return send('GET /v1/packages/{id}', { path: { id }, query });
    },
  };
}
