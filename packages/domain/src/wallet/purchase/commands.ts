/** Orders about purchases and coupons, already parsed. Terms are data: whoever makes the order has read the catalogues. */

import type { Money } from '../../amount.ts';
import type { CouponTerms, CouponUnusable, DiscountRefusal } from '../../catalogue/coupon-terms.ts';
import type { AmountRefusal, PackageTerms } from '../../catalogue/package-terms.ts';
import type { PackageRef } from './events.ts';

export type PurchaseCommand =
  | OpenPurchase
  | RecordPurchasePayment
  | { readonly type: 'CancelPurchase'; readonly purchase: string }
  | ApplyCoupon
  | { readonly type: 'ForgetCoupon'; readonly code: string };

export interface OpenPurchase {
  readonly type: 'OpenPurchase';
  readonly id: string;
  readonly offer: Offer;
  readonly coupon: CouponOffer | null;
  /** The money has been received. */
  readonly paid: boolean;
}
export interface Offer {
  readonly package: PackageRef;
  readonly terms: PackageTerms;
  /** Of the package in the buyer's currency; of a free amount the amount. */
  readonly price: Money;
}
/** A use of it has been reserved in the coupon's own stream. */
export interface CouponOffer {
  readonly code: string;
  readonly version: number;
  readonly terms: CouponTerms;
}
export interface RecordPurchasePayment {
  readonly type: 'RecordPurchasePayment';
  readonly purchase: string;
  readonly paid: Money;
  readonly reference: string;
}
export interface ApplyCoupon extends CouponOffer {
  readonly type: 'ApplyCoupon';
}

export type PurchaseRefusal =
  | { readonly code: 'purchase_not_found'; readonly purchase: string }
  | { readonly code: 'purchase_already_paid'; readonly purchase: string }
  | { readonly code: 'coupon_already_used'; readonly limit: number }
  | { readonly code: 'coupon_not_for_plan'; readonly plans: readonly string[] }
  | { readonly code: 'too_many_coupons'; readonly limit: number }
  | CouponUnusable
  | DiscountRefusal
  | AmountRefusal;
