/** Bugs to plant in plans, quotas, purchases, coupons, referrals and warnings. See `mutations.ts`. */
import type { Mutation } from './mutations.ts';

export const BILLING_MUTATIONS: { readonly [name: string]: Mutation } = {
  'leave a quota as it was after a call': {
    file: 'packages/domain/src/wallet/charge.ts',
    find: `if (funding !== null) draft.takeQuotas(funding.takes, 'used');
`,
    replace: `
`,
  },
  'let what is left of a quota last a day longer': {
    file: 'packages/domain/src/wallet/quota/state.ts',
    find: 'if (free > 0n) return expiresAt;',
    replace: 'if (free > 0n) return expiresAt + 86_400_000;',
  },
  'lose what a hold lets go of a quota': {
    file: 'packages/domain/src/wallet/entry-draft.ts',
    find: "expiresAt <= at ? 'expired' : 'free'",
    replace: "'expired'",
  },
  'grant all of a quota again with an upgrade': {
    file: 'packages/domain/src/wallet/subscription/change.ts',
    find: 'const had = was === undefined ? 0n : amountOf(was);',
    replace: 'const had = was === null ? null : 0n;',
  },
  'renew without being paid': {
    file: 'packages/domain/src/wallet/subscription/renewal.ts',
    find: 'const opened = openPaid(opening, { credits });',
    replace: 'const opened = openPaid(opening, { money: null });',
  },
  'renew when somebody looks instead of at the boundary': {
    file: 'packages/domain/src/wallet/subscription/renewal.ts',
    find: 'atBoundary(wallet, subscription, boundary, now, catalogue)',
    replace: 'atBoundary(wallet, subscription, now, now, catalogue)',
  },
  'renew on the terms of today': {
    file: 'packages/domain/src/wallet/subscription/renewal.ts',
    find: 'const plan = plans.inForce(id, at);',
    replace: 'const plan = plans.inForce(id, now);',
    from: 12,
  },
  'round a proration down': {
    file: 'packages/domain/src/wallet/subscription/period.ts',
    find: 'const up = divideUp(credits * BigInt(part), BigInt(whole) * CREDIT) * CREDIT;',
    replace: 'const up = ((credits * BigInt(part)) / (BigInt(whole) * CREDIT)) * CREDIT;',
  },
  'leave what the pots still have to the next period': {
    file: 'packages/domain/src/wallet/subscription/period.ts',
    find: 'last.lapse();',
    replace: '',
  },
  'refund to lots that have expired': {
    file: 'packages/domain/src/wallet/subscription/end.ts',
    find: 'lot === undefined || !isOver(lotOf(draft.wallet, lot).expiresAt, at)',
    replace: 'lot === undefined || at > 0',
  },
  'charge beyond a hard stop': {
    file: 'packages/domain/src/wallet/use.ts',
    find: "const isBeyondStop = funding.lacking !== null && tariff?.terms.overage === 'refuse';",
    replace: 'const isBeyondStop = false;',
  },
  "forget the plan's factor": {
    file: 'packages/domain/src/wallet/use.ts',
    find: 'if (prices === undefined && terms.overage_multiplier === undefined) return null;',
    replace: 'if (prices === undefined) return null;',
  },
  'leave open holds out of the caps': {
    file: 'packages/domain/src/wallet/quota/caps.ts',
    find: 'if (used + held - own + quantity > cap.amount)',
    replace: 'if (used + quantity > cap.amount)',
    from: 50,
  },
  'allow one call more at once': {
    file: 'packages/domain/src/wallet/hold.ts',
    find: 'wallet.holds.size < limit',
    replace: 'wallet.holds.size <= limit',
    from: 12,
  },
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
  'leave a canceled purchase pending in its row': {
    file: 'projections/src/purchases/purchases.ts',
    find: "if (by === 'canceled')",
    replace: "if (by !== 'canceled' && by !== 'paid')",
  },
};
