/**
 * What an account buys: packages, and credits for an amount. For its owner and for the service that sells; that money has
 * come only finance says. A purchase is pending until then. Its id is its `reference`.
 */
import type { Money, OfAccount, Page, Paging } from './shapes.ts';
import type { Transport } from './transport.ts';

/** With one of `package` and `amount`. */
export interface NewPurchase {
  readonly package?: string;
  readonly amount?: Money;
  /** Of a package that is sold in several; left out: the account's own. */
  readonly currency?: string;
  /** Left out: of the saved ones the one that takes off most. */
  readonly coupon?: string;
  readonly reference: string;
  /** The money has been received. For finance. */
  readonly paid?: true;
}

interface PurchaseTerms {
  readonly id: string;
  readonly status: 'pending' | 'paid' | 'canceled';
  readonly package: { readonly id: string; readonly version: number };
  /** What is bought; `bonus` comes on top. */
  readonly credits: string;
  readonly bonus: string;
  readonly price: Money;
  readonly discount: Money;
  /** What is to be paid. */
  readonly total: Money;
  readonly coupon: string | null;
  /** Where the credits are; empty until it is paid. */
  readonly lots: readonly string[];
}

export interface Purchase extends PurchaseTerms {
  readonly position?: string;
}

/** As lists show it. */
export interface ListedPurchase extends PurchaseTerms {
  readonly entry_id: string | null;
  readonly opened_at: string;
  readonly closed_at: string | null;
  /** Taken back since. */
  readonly reversed_at: string | null;
}

/** One payment pays one thing: its id is `reference`. */
export interface PurchasePayment {
  readonly paid: Money;
  readonly reference: string;
}

export interface RecordedPurchasePayment extends PurchaseTerms {
  /** False: it is booked, fits nothing as it was ordered, and waits for finance. */
  readonly applied: boolean;
  /** `amount_differs`, `already_paid` or `canceled`, where it is not applied. */
  readonly reason?: string;
  readonly position: string;
}

interface OfPurchase extends OfAccount {
  readonly purchase: string;
}

export interface PurchaseRoutes {
  readonly 'POST /v1/accounts/{id}/purchases': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: NewPurchase;
    readonly answers: { readonly 200: Purchase; readonly 201: Purchase };
  };
  readonly 'GET /v1/accounts/{id}/purchases': {
    readonly path: OfAccount;
    readonly query: Paging;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<ListedPurchase> };
  };
  readonly 'GET /v1/accounts/{id}/purchases/{purchase}': {
    readonly path: OfPurchase;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: Purchase };
  };
  readonly 'POST /v1/accounts/{id}/purchases/{purchase}/paid': {
    readonly path: OfPurchase;
    readonly query: undefined;
    readonly body: PurchasePayment;
    readonly answers: { readonly 200: RecordedPurchasePayment; readonly 201: RecordedPurchasePayment };
  };
  readonly 'POST /v1/accounts/{id}/purchases/{purchase}/cancel': {
    readonly path: OfPurchase;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: Purchase };
  };
}

export function purchaseCalls({ send }: Transport) {
  return {
    open(account: string, purchase: NewPurchase): Promise<Purchase> {
      return send('POST /v1/accounts/{id}/purchases', { path: { id: account }, body: purchase });
    },
    /** As it is now. */
    get(account: string, purchase: string): Promise<Purchase> {
      return send('GET /v1/accounts/{id}/purchases/{purchase}', { path: { id: account, purchase } });
    },
    /** The latest first. */
    list(account: string, query: Paging = {}): Promise<Page<ListedPurchase>> {
      return send('GET /v1/accounts/{id}/purchases', { path: { id: account }, query });
    },
    cancel(account: string, purchase: string): Promise<Purchase> {
      return send('POST /v1/accounts/{id}/purchases/{purchase}/cancel', { path: { id: account, purchase } });
    },
    /** For finance. */
    recordPayment(
      account: string,
      purchase: string,
      payment: PurchasePayment,
    ): Promise<RecordedPurchasePayment> {
      const path = { id: account, purchase };
      return send('POST /v1/accounts/{id}/purchases/{purchase}/paid', { path, body: payment });
    },
  };
}
