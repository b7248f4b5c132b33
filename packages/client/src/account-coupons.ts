/** Coupons on an account: one that is worth credits gives them at once, any other waits for a purchase that it fits. */
import type { Money, OfAccount, Page, Paging } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface AppliedCoupon {
  readonly code: string;
  readonly status: 'granted' | 'saved';
  readonly percent?: string;
  readonly fixed?: Money;
  readonly credits?: string;
  /** Where the credits are. */
  readonly lot?: string;
  readonly position?: string;
}

export interface AccountCoupon {
  readonly code: string;
  /** `freed`: its purchase was canceled, or taken back whole; it may be used again. */
  readonly status: 'saved' | 'used' | 'freed';
  readonly purchase: string | null;
  readonly credits: string | null;
  readonly at: string;
  readonly freed_at: string | null;
}

export interface AccountCouponRoutes {
  readonly 'POST /v1/accounts/{id}/coupons': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: { readonly code: string };
    readonly answers: { readonly 200: AppliedCoupon; readonly 201: AppliedCoupon };
  };
  readonly 'GET /v1/accounts/{id}/coupons': {
    readonly path: OfAccount;
    readonly query: Paging;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<AccountCoupon> };
  };
  readonly 'DELETE /v1/accounts/{id}/coupons/{code}': {
    readonly path: OfAccount & { readonly code: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 204: undefined };
  };
}

export function accountCouponCalls({ send }: Transport) {
  return {
    /** Once: the same code again is answered as at first. */
    apply(account: string, code: string): Promise<AppliedCoupon> {
      return send('POST /v1/accounts/{id}/coupons', { path: { id: account }, body: { code } });
    },
    /** Saved and used ones, the latest first. */
    ofAccount(account: string, query: Paging = {}): Promise<Page<AccountCoupon>> {
      return send('GET /v1/accounts/{id}/coupons', { path: { id: account }, query });
    },
    /** One that waits for a purchase; nothing where none does. */
    forget(account: string, code: string): Promise<undefined> {
      return send('DELETE /v1/accounts/{id}/coupons/{code}', { path: { id: account, code } });
    },
  };
}
