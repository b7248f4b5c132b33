/**
 * What a coupon is worth, and to whom (billing rule 18): a percentage or a fixed sum off the subtotal of one purchase,
 * before tax and never below zero; or credits, granted when it is applied.
 */
import {
  divideHalfEven,
  formatAmount,
  type Money,
  parseAmount,
  powerOfTen,
  scaleOf,
  smaller,
} from '../amount.ts';
import { isId } from '../ids.ts';
import { multiply } from '../rational.ts';
import {
  amountIn,
  BadTerms,
  checkCount,
  checked,
  checkSize,
  decimalIn,
  moneyIn,
  type TermsFault,
  wholeNumber,
} from './terms.ts';

export type CouponBenefit =
  | { readonly percent: string }
  /** Off purchases in the same currency only. */
  | { readonly fixed: Money }
  | { readonly credits: string };

export type CouponTerms = CouponBenefit & {
  readonly description?: string;
  /** Left out: any number. */
  readonly max_uses?: number;
  /** Counted in the account's wallet. */
  readonly max_uses_per_account: number;
  /** Of the subtotal, in the same currency. */
  readonly minimum_purchase?: Money;
  /** RFC 3339 in UTC: from then on, itself included. */
  readonly valid_from?: string;
  /** Until then, itself not included. */
  readonly expires_at?: string;
  /** Only for subscribers of one of these. */
  readonly plans?: readonly string[];
  /** Left out: true. */
  readonly active?: boolean;
};

const USES_MAX = 1_000_000_000;
const PLANS_MAX = 100;

/** The first fault; null where there is none. */
export function checkCoupon(terms: CouponTerms): TermsFault | null {
  const result = checked(() => {
    checkSize(terms);
    checkBenefit(terms);
    const uses = { min: 1, max: USES_MAX };
    wholeNumber(terms.max_uses, { ...uses, field: 'max_uses' });
    wholeNumber(terms.max_uses_per_account, { ...uses, field: 'max_uses_per_account' });
    const { valid_from, expires_at, plans } = terms;
    if (valid_from !== undefined && expires_at !== undefined && valid_from >= expires_at)
      throw new BadTerms('expires_at', 'must be later than valid_from');
    checkCount(plans, PLANS_MAX, 'plans');
    if (plans !== undefined && (plans.length === 0 || !plans.every(isId)))
      throw new BadTerms('plans', 'must be ids of plans, at least one');
  });
  return result.ok ? null : result.fault;
}

function checkBenefit(terms: CouponTerms): void {
  const given = ['percent', 'fixed', 'credits'].filter((kind) => kind in terms);
  if (given.length !== 1) throw new BadTerms('body', 'must have one of percent, fixed and credits');
  if ('percent' in terms) {
    const { n, d } = decimalIn(terms.percent, 'percent');
    if (n === 0n || n > 100n * d) throw new BadTerms('percent', 'must be more than 0 and at most 100');
  } else if ('fixed' in terms) {
    if (moneyIn(terms.fixed, 'fixed') === 0n) throw new BadTerms('fixed.amount', 'must be more than 0');
  } else if (amountIn(terms.credits, 'credits', 'credits') === 0n) {
    throw new BadTerms('credits', 'must be more than 0');
  }
  if (terms.minimum_purchase === undefined) return;
  moneyIn(terms.minimum_purchase, 'minimum_purchase');
  if ('credits' in terms) throw new BadTerms('minimum_purchase', 'is for coupons that take off a price');
  if ('fixed' in terms && terms.minimum_purchase.currency !== terms.fixed.currency)
    throw new BadTerms('minimum_purchase.currency', 'must be that of fixed');
}

export type CouponUnusable =
  | { readonly code: 'coupon_inactive' }
  | { readonly code: 'coupon_not_yet_valid'; readonly valid_from: string }
  | { readonly code: 'coupon_expired'; readonly expires_at: string };

/** Why nobody may use it at `now`; null where somebody may. */
export function whyUnusable(terms: CouponTerms, now: number): CouponUnusable | null {
  const { active = true, valid_from, expires_at } = terms;
  if (!active) return { code: 'coupon_inactive' };
  if (valid_from !== undefined && now < Date.parse(valid_from))
    return { code: 'coupon_not_yet_valid', valid_from };
  if (expires_at !== undefined && now >= Date.parse(expires_at))
    return { code: 'coupon_expired', expires_at };
  return null;
}

export type DiscountRefusal =
  /** It grants credits: there is nothing to take off. */
  | { readonly code: 'coupon_not_for_purchases' }
  | { readonly code: 'coupon_wrong_currency'; readonly currency: string }
  | { readonly code: 'minimum_purchase'; readonly minimum: Money };

/**
 * What comes off `subtotal`, an amount that this ledger wrote. A percentage is rounded, ties to even, to the currency's
 * cents (to its smallest step where the subtotal is finer); more than the subtotal it never is.
 */
export function discountOf(
  terms: CouponTerms,
  subtotal: Money,
): { readonly discount: Money } | DiscountRefusal {
  const { currency } = subtotal;
  const sum = parseAmount(subtotal.amount, currency);
  const { minimum_purchase: minimum } = terms;
  if (minimum !== undefined) {
    // There are no hidden exchange rates: in another currency it cannot be told whether the minimum is reached.
    if (minimum.currency !== currency) return { code: 'coupon_wrong_currency', currency: minimum.currency };
    if (sum < parseAmount(minimum.amount, currency)) return { code: 'minimum_purchase', minimum };
  }
  if ('credits' in terms) return { code: 'coupon_not_for_purchases' };
  if ('fixed' in terms) {
    const { fixed } = terms;
    if (fixed.currency !== currency) return { code: 'coupon_wrong_currency', currency: fixed.currency };
    return { discount: off(parseAmount(fixed.amount, currency), sum, currency) };
  }
  const { n, d } = multiply(decimalIn(terms.percent, 'percent'), { n: sum, d: 100n });
  return { discount: off(toCents(divideHalfEven(n, d), sum, currency), sum, currency) };
}

/** A sum that can be paid stays one that can be paid: to the currency's own cents, ties to even. */
function toCents(steps: bigint, sum: bigint, currency: string): bigint {
  const cent = powerOfTen(scaleOf(currency) - minorDigits(currency));
  return sum % cent === 0n ? divideHalfEven(steps, cent) * cent : steps;
}

function minorDigits(currency: string): number {
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  return maximumFractionDigits;
}

function off(steps: bigint, sum: bigint, currency: string): Money {
  return { amount: formatAmount(smaller(steps, sum), currency), currency };
}
