/** Commands about purchases, coupons, referrals and topping up, as the API would make them of requests. */
import { type Money, parseCredits } from '../amount.ts';
import { canonical } from '../canonical.ts';
import type { CouponTerms } from '../catalogue/coupon-terms.ts';
import type { CreditPackage, FreeAmount, PackageTerms } from '../catalogue/package-terms.ts';
import { keys } from '../ids.ts';
import type { AutoTopUpTerms } from '../wallet/auto-top-up/events.ts';
import type { WalletCommand } from '../wallet/commands.ts';
import type { CouponOffer, Offer } from '../wallet/purchase/commands.ts';

export const usd = (amount: string): Money => ({ amount, currency: 'USD' });

/** Of the documents: so many credits, for so much. */
export const STARTER: CreditPackage = { credits: '1000', prices: [usd('10')] };
export const PRO: CreditPackage = { credits: '10000', prices: [usd('90')] };
export const ENTERPRISE: CreditPackage = { credits: '100000', prices: [usd('800')] };
/** $1 = 100 credits; from $100 on 10 % more. */
export const FREE_AMOUNT: FreeAmount = {
  rate: { credits: '100', currency: 'USD' },
  volume_bonus: [{ from: '100', percent: '10' }],
};

export function offer(terms: PackageTerms, price: Money): Offer {
  return { package: { id: 'package', version: 1 }, terms, price };
}
export const amount = (sum: string): Offer => offer(FREE_AMOUNT, usd(sum));

export function coupon(code: string, terms: Partial<CouponTerms>): CouponOffer {
  return { code, version: 1, terms: { max_uses_per_account: 1, ...terms } as CouponTerms };
}

export function buy(
  id: string,
  what: Offer,
  { paid = false, with: used = null }: { readonly paid?: boolean; readonly with?: CouponOffer | null } = {},
): WalletCommand {
  const fingerprint = canonical({ what, paid, used: used?.code });
  return { type: 'OpenPurchase', key: keys.purchase(id), fingerprint, id, offer: what, coupon: used, paid };
}

export function pay(purchase: string, paid: Money, reference = `pay-${purchase}`): WalletCommand {
  const key = keys.purchasePayment(reference);
  return {
    type: 'RecordPurchasePayment',
    key,
    fingerprint: canonical({ purchase, paid }),
    purchase,
    paid,
    reference,
  };
}

export function cancel(purchase: string): WalletCommand {
  return { type: 'CancelPurchase', key: null, fingerprint: null, purchase };
}

export function apply(offered: CouponOffer): WalletCommand {
  const key = 'credits' in offered.terms ? keys.couponGrant(offered.code) : null;
  return { type: 'ApplyCoupon', key, fingerprint: key, ...offered };
}

export function forget(code: string): WalletCommand {
  return { type: 'ForgetCoupon', key: null, fingerprint: null, code };
}

export function refer(referredBy: string, referrerReferredBy: string | null = null): WalletCommand {
  return { type: 'LinkReferral', key: null, fingerprint: null, referredBy, referrerReferredBy };
}

export function accrue(
  from: string,
  revision: number,
  credits: string,
  availableAt: number,
  percent = '10',
): WalletCommand {
  const key = keys.referral(from, revision);
  return {
    type: 'AccrueReferral',
    key,
    fingerprint: key,
    from,
    revision,
    reason: 'purchase',
    ofCredits: parseCredits(credits),
    percent,
    availableAt,
  };
}

export function clawBack(from: string, revision: number): WalletCommand {
  const key = keys.referralClawBack(from, revision);
  return { type: 'ClawBackReferral', key, fingerprint: key, from, revision };
}

export function setAutoTopUp(terms: Partial<AutoTopUpTerms> = {}): WalletCommand {
  return {
    type: 'SetAutoTopUp',
    key: null,
    fingerprint: null,
    terms: {
      enabled: true,
      threshold: '100',
      amount: usd('10'),
      cool_off_seconds: 3600,
      daily_cap: 3,
      ...terms,
    },
  };
}

/** @param paid null: declined */
export function answer(id: string, paid: Money | null, reference = `answer-${id}`): WalletCommand {
  return {
    type: 'ResolveAutoTopUp',
    key: keys.purchasePayment(reference),
    fingerprint: canonical({ id, paid }),
    id,
    reference,
    paid,
    offer: paid === null ? null : offer(FREE_AMOUNT, paid),
  };
}
