/** Bugs to plant in purchases, coupons, referrals and warnings. See `mutations.ts`. */
import type { Mutation } from './mutations.ts';

export const SHOP_MUTATIONS: { readonly [name: string]: Mutation } = {
  'let an account use a coupon for ever': {
    file: 'packages/domain/src/wallet/purchase/coupon.ts',
    find: "if (usesOf(wallet.coupons, code) >= limit) return { code: 'coupon_already_used', limit };",
    replace: '',
  },
  'reserve one use of a coupon too many': {
    file: 'packages/domain/src/catalogue/coupon.ts',
    find: 'uses + open.size >= max;',
    replace: 'uses + open.size > max;',
  },
  'pay for a purchase twice': {
    file: 'packages/domain/src/wallet/purchase/purchase.ts',
    find: "if (closure?.type === 'PurchaseClosed') {",
    replace: "if (closure?.type === 'PurchaseClosed' && closure.data.by === 'canceled') {",
  },
  'sell the bonus and forget it': {
    file: 'packages/domain/src/wallet/purchase/purchase.ts',
    find: 'const credits = parseAmount(purchase.credits, CREDITS) + parseAmount(purchase.bonus, CREDITS);',
    replace: 'const credits = parseAmount(purchase.credits, CREDITS);',
  },
  'claw back an accrual and leave it pending': {
    file: 'packages/domain/src/wallet/referral/referral.ts',
    find: 'const own = takePending(wallet, credits, (other) => sameEntry(other, command));',
    replace: 'const own = takePending(wallet, 0n, (other) => sameEntry(other, command));',
    from: 6,
  },
  'ask for a second top-up while one is open': {
    file: 'packages/domain/src/wallet/auto-top-up/auto-top-up.ts',
    find: 'state.isOff || state.open !== null) return null;',
    replace: 'state.isOff) return null;',
  },
  'tell of a quota at every call': {
    file: 'packages/domain/src/wallet/alerts/quota.ts',
    find: 'if (!wallet.alerts.quotas.some((told) => told.key === key))',
    replace: '',
  },
  'round a percentage to a billionth': {
    file: 'packages/domain/src/catalogue/coupon-terms.ts',
    find: 'return sum % cent === 0n ? divideHalfEven(steps, cent) * cent : steps;',
    replace: 'return steps;',
  },
  'leave a canceled purchase pending in its row': {
    file: 'projections/src/purchases/purchases.ts',
    find: "if (by === 'canceled')",
    replace: "if (by !== 'canceled' && by !== 'paid')",
  },
};
