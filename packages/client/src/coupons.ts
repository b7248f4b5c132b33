/** Coupons, for admins. Their codes are the same in capitals and not. */
import type { Money, Page, Paging } from './shapes.ts';
import type { Transport } from './transport.ts';

/** With one of `percent`, `fixed` and `credits`. */
interface CouponTerms {
  readonly percent?: string;
  readonly fixed?: Money;
  readonly credits?: string;
  readonly description?: string;
  /** Left out: any number. */
  readonly max_uses?: number;
  readonly minimum_purchase?: Money;
  readonly valid_from?: string;
  /** Itself not included. */
  readonly expires_at?: string;
  /** Only for subscribers of one of these. */
  readonly plans?: readonly string[];
  readonly active?: boolean;
}

export interface NewCoupon extends CouponTerms {
  /** 1 unless given. */
  readonly max_uses_per_account?: number;
}

export interface PublishedCoupon {
  readonly code: string;
  readonly version: number;
}

export interface Coupon extends PublishedCoupon, CouponTerms {
  readonly max_uses_per_account: number;
  /** By paid purchases that were not refunded since. */
  readonly uses: number;
  /** Reserved by purchases that wait for payment. */
  readonly open_uses: number;
  /** How many were paid after their reservation had gone to others. */
  readonly over_limit: number;
}

type Listing = Omit<Paging, 'min_position'>;

export interface CouponRoutes {
  readonly 'PUT /v1/coupons/{code}': {
    readonly path: { readonly code: string };
    readonly query: undefined;
    readonly body: NewCoupon;
    readonly answers: { readonly 200: PublishedCoupon; readonly 201: PublishedCoupon };
  };
  readonly 'GET /v1/coupons': {
    readonly path: undefined;
    readonly query: Listing;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Coupon> };
  };
  readonly 'GET /v1/coupons/{code}': {
    readonly path: { readonly code: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: Coupon };
  };
}

export function couponCalls({ send }: Transport) {
  return {
    /** The same content as the latest version's makes no new one; a new one keeps the counters. */
    publish(code: string, coupon: NewCoupon): Promise<PublishedCoupon> {
      return send('PUT /v1/coupons/{code}', { path: { code }, body: coupon });
    },
    list(query: Listing = {}): Promise<Page<Coupon>> {
      return send('GET /v1/coupons', { query });
    },
    get(code: string): Promise<Coupon> {
      return send('GET /v1/coupons/{code}', { path: { code } });
    },
  };
}
