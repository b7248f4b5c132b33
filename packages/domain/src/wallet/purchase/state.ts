/**
 * What a wallet knows of coupons: which ones wait for a purchase, and how often it has used each. Purchases are not in the
 * state: there may be any number that are never paid. They are found by their keys when a word about one comes.
 * Values are replaced, never changed in place: forks share them.
 */
import type { PurchaseEvent } from './events.ts';

export interface CouponsState {
  /** Codes, in the order in which they were applied. */
  readonly saved: readonly string[];
  /** Uses by purchases that are open or paid, and by grants. */
  readonly uses: readonly CouponCount[];
}
interface CouponCount {
  readonly code: string;
  readonly count: number;
}

export const NO_COUPONS: CouponsState = { saved: [], uses: [] };

export function usesOf({ uses }: CouponsState, coupon: string): number {
  return uses.find(({ code }) => code === coupon)?.count ?? 0;
}

/** The coupon part of a purchase event; what moves is folded as of every event. */
export function couponsAfter(state: CouponsState, event: PurchaseEvent): CouponsState {
  switch (event.type) {
    case 'PurchaseOpened': {
      const { coupon } = event.data.purchase;
      return coupon === null ? state : used(state, coupon.code, 1);
    }
    case 'PurchaseClosed':
      return event.data.coupon === undefined ? state : freed(state, event.data.coupon);
    case 'CouponApplied': {
      const { code, effect } = event.data;
      if (effect === 'granted') return used(state, code, 1);
      return { ...state, saved: [...state.saved, code] };
    }
    case 'CouponForgotten':
      return { ...state, saved: state.saved.filter((code) => code !== event.data.code) };
    case 'PurchasePaid':
    case 'PurchasePaymentUnapplied':
      return state;
  }
}

/** Of a purchase that was canceled, or taken back whole and unspent (billing rule 18). */
export function freed(state: CouponsState, code: string): CouponsState {
  return used(state, code, -1);
}

function used({ saved, uses }: CouponsState, code: string, by: 1 | -1): CouponsState {
  const count = usesOf({ saved, uses }, code) + by;
  const others = uses.filter((use) => use.code !== code);
  return {
    saved: by === 1 ? saved.filter((other) => other !== code) : saved,
    uses: count <= 0 ? others : [...others, { code, count }],
  };
}
