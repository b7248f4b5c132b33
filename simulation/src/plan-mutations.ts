/** Bugs to plant in plans, periods, quotas and limits. See `mutations.ts`. */
import type { Mutation } from './mutations.ts';

export const PLAN_MUTATIONS: { readonly [name: string]: Mutation } = {
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
    from: 14,
  },
  'lose what a hold lets go of a quota': {
    file: 'packages/domain/src/wallet/entry-draft.ts',
    find: `? 'free'
        : 'expired';`,
    replace: `? 'expired'
        : 'expired';`,
  },
  'grant all of a quota again with an upgrade': {
    file: 'packages/domain/src/wallet/subscription/change.ts',
    find: 'const had = larger(was === undefined ? 0n : (amountOf(was) ?? 0n), grantedIn(window, granting, line));',
    replace: 'const had = larger(0n, was === undefined ? 0n : grantedIn(window, granting, line) * 0n);',
    from: 5,
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
    from: 92,
  },
  'round a proration down': {
    file: 'packages/domain/src/wallet/subscription/period.ts',
    find: 'const up = divideUp(credits * BigInt(part), BigInt(whole) * CREDIT) * CREDIT;',
    replace: 'const up = ((credits * BigInt(part)) / (BigInt(whole) * CREDIT)) * CREDIT;',
    from: 5,
  },
  'leave what the pots still have to the next period': {
    file: 'packages/domain/src/wallet/subscription/period.ts',
    find: 'Pots.left(draft, before).lapse();',
    replace: '',
  },
  'refund to lots that have expired': {
    file: 'packages/domain/src/wallet/subscription/refund.ts',
    find: 'lot === undefined || !isOver(lotOf(draft.wallet, lot).expiresAt, at)',
    replace: 'lot === undefined || at > 0',
    from: 66,
  },
  'charge beyond a hard stop': {
    file: 'packages/domain/src/wallet/use.ts',
    find: "const isBeyondStop = funding.lacking !== null && tariff?.terms.overage === 'refuse';",
    replace: 'const isBeyondStop = false;',
    from: 80,
  },
  "forget the plan's factor": {
    file: 'packages/domain/src/wallet/use.ts',
    find: 'if (prices === undefined && terms.overage_multiplier === undefined) return null;',
    replace: 'if (prices === undefined) return null;',
  },
  'leave open holds out of the caps': {
    file: 'packages/domain/src/wallet/quota/caps.ts',
    find: 'if (isMore && used + held - own + quantity > cap.amount)',
    replace: 'if (isMore && used + quantity > cap.amount)',
    from: 60,
  },
  'allow one call more at once': {
    file: 'packages/domain/src/wallet/hold.ts',
    find: 'wallet.holds.size < limit',
    replace: 'wallet.holds.size <= limit',
    from: 73,
  },
  'give back to a quota after the end of its subscription': {
    file: 'packages/domain/src/wallet/quota/state.ts',
    find: 'if (subscription === null || subscription.now.ended_at !== null) return false;',
    replace: 'if (subscription === null) return false;',
  },
  'settle a hold without a plan on the one joined since': {
    file: 'packages/domain/src/wallet/use.ts',
    find: 'if (hold === null) return { ref, terms, open, paidIn: paidIn(subscription) };',
    replace: 'if (pinned === null) return { ref, terms, open, paidIn: paidIn(subscription) };',
  },
  'stop hard for an unpaid plan': {
    file: 'packages/domain/src/wallet/use.ts',
    find: 'if (paidIn === null || hold?.expired === true) return false;',
    replace: '',
    from: 7,
  },
  'price by a plan that nobody has paid for': {
    file: 'packages/domain/src/wallet/use.ts',
    find: 'funding.isIncluded && tariff?.open === true ?',
    replace: 'funding.isIncluded && tariff !== null ?',
  },
  'begin anew what costs nothing': {
    file: 'packages/domain/src/wallet/subscription/subscribe.ts',
    find: 'now < wallet.freeUntil)',
    replace: 'now < 0)',
    from: 24,
  },
  'grant a whole window for the end of a month': {
    file: 'packages/domain/src/wallet/subscription/grants.ts',
    find: 'end: Math.min(whole.end, granting.cutAt)',
    replace: 'end: whole.end',
    from: 49,
  },
  'give back what was used': {
    file: 'packages/domain/src/wallet/subscription/refund.ts',
    find: 'const rest = smaller(ofTime, paid - mostGone(wallet, state, paid, period, at));',
    replace: 'const rest = smaller(ofTime, paid - 0n * mostGone(wallet, state, paid, period, at));',
    from: 61,
  },
  'keep the quotas of another rhythm': {
    file: 'packages/domain/src/wallet/subscription/period.ts',
    find: '!isNewRhythm(opening) && terms',
    replace: 'terms',
  },
  'leave what a grace has granted without its money': {
    file: 'packages/domain/src/wallet/subscription/unpaid.ts',
    find: 'lapseUnpaid(draft, id, included, granting.period);',
    replace: '',
    from: 150,
  },
  'count caps anew with each subscription': {
    file: 'packages/domain/src/wallet/subscription/evolve.ts',
    find: "({ per }) => per !== 'period' || last?.now.id === now.id",
    replace: '() => last?.now.id === now.id',
    from: 61,
  },
  'give back for windows that have passed': {
    file: 'packages/domain/src/wallet/subscription/refund.ts',
    find: "let gone = per === 'period' ? 0n : divideUp(paid * BigInt(begun - start), whole);",
    replace: "let gone = per === 'period' ? 0n : 0n * divideUp(paid * BigInt(begun - start), whole);",
    from: 180,
  },
  'give back what calls have had that no quota measures': {
    file: 'packages/domain/src/wallet/subscription/refund.ts',
    find: 'if (isUnmeasured(wallet, state)) return [];',
    replace: '',
  },
  'settle an expired hold on the plan that was left': {
    file: 'packages/domain/src/wallet/closed-hold.ts',
    find: 'return { id: plan.id, version: plan.version };',
    replace: 'return plan;',
    from: 73,
  },
};
