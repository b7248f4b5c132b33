/**
 * What can happen to a purchase, and to a coupon on an account. Each event about a purchase carries the purchase whole, so
 * that whoever reads it looks nothing up. What a customer pays for is no secret to him: prices stand in `data`. What
 * moves in a currency stands in the facts, as everywhere.
 */
import type { Money } from '../../amount.ts';
import type { Movement, MovementFacts, Of } from '../events.ts';

/** What is bought, and for how much. Its id is the caller's `reference`, unique in its account. */
export interface Purchase {
  readonly id: string;
  readonly package: PackageRef;
  /** Bought; the bonus comes on top. */
  readonly credits: string;
  readonly bonus: string;
  readonly price: Money;
  readonly discount: Money;
  /** What is to be paid: the price less the discount. */
  readonly total: Money;
  readonly coupon: CouponRef | null;
  /** The request that it answers. */
  readonly auto_top_up?: string;
}
export interface PackageRef {
  readonly id: string;
  readonly version: number;
}
/** The version is that of its terms. */
export interface CouponRef {
  readonly code: string;
  readonly version: number;
}

export type PurchaseEvent =
  | Of<'PurchaseOpened', PurchaseOpened, object>
  | Of<'PurchasePaid', PurchasePaid, PaymentFacts>
  /** Claims the key that says that nothing more can become of a purchase. */
  | Of<'PurchaseClosed', PurchaseClosed, object>
  | Of<'PurchasePaymentUnapplied', PurchasePaymentUnapplied, PaymentFacts>
  | Of<'CouponApplied', CouponApplied, MovementFacts>
  | Of<'CouponForgotten', { code: string }, object>;

export interface PurchaseOpened {
  readonly purchase: Purchase;
  /** Paid in the same append: into which lot, and the balance after it. */
  readonly paid?: { readonly lot: string; readonly after: Movement['after'] };
}
/** One lot holds what was bought and its bonus: so what was paid for it is spread over both (billing rule 17). */
export interface PurchasePaid extends Movement {
  readonly purchase: Purchase;
  /** All that came in, the bonus too. */
  readonly credits: string;
  readonly lot: string;
  /** Of the payment. */
  readonly reference: string;
}
export interface PaymentFacts extends MovementFacts {
  readonly payment: Money;
}
export interface PurchaseClosed {
  readonly purchase: string;
  readonly by: 'paid' | 'canceled';
  /** Of a paid one: where its credits are. */
  readonly lot?: string;
  /** Of a canceled one: its use is free again. */
  readonly coupon?: string;
}
/** Money came that fits no purchase as it was ordered: it waits for finance (billing rules 17, 24). */
export interface PurchasePaymentUnapplied extends Movement {
  readonly purchase: string;
  readonly reason: UnappliedReason;
  readonly reference: string;
}
/** `not_offered`: no free amount of that currency can be bought any more. */
export type UnappliedReason =
  | 'amount_differs'
  | 'already_paid'
  | 'canceled'
  | 'already_resolved'
  | 'not_offered';

/** `granted`: it was worth credits, and here they are. `saved`: for the next purchase that it fits. */
export interface CouponApplied extends Movement {
  readonly code: string;
  readonly version: number;
  readonly effect: 'granted' | 'saved';
  readonly credits?: string;
  readonly lot?: string;
}
