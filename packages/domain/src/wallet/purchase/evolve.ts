/** Folds what happens to purchases and coupons. */
import { applyMovement } from '../moves.ts';
import { toppedUp } from '../referral/state.ts';
import type { Wallet } from '../state.ts';
import type { PurchaseEvent } from './events.ts';
import { couponsAfter } from './state.ts';

export function evolvePurchase(wallet: Wallet, event: PurchaseEvent): void {
  wallet.coupons = couponsAfter(wallet.coupons, event);
  switch (event.type) {
    case 'PurchasePaid':
      wallet.referral = toppedUp(wallet.referral);
      applyMovement(wallet, event.data, event.facts);
      return;
    case 'PurchasePaymentUnapplied':
    case 'CouponApplied':
      applyMovement(wallet, event.data, event.facts);
      return;
    case 'PurchaseOpened':
    case 'PurchaseClosed':
    case 'CouponForgotten':
      return;
  }
}
