/**
 * Coupons on an account (billing rule 18). How often *this* account has used a coupon is decided here; how often it is used
 * at all is decided in the coupon's own stream, where a use is reserved before an order comes to the wallet.
 * - one that is worth credits gives them at once, and once to an account
 * - any other is saved, and used by the next purchase that it fits; saved, it is no use yet
 */
import { formatCredits, parseCredits } from '../../amount.ts';
import { whyUnusable } from '../../catalogue/coupon-terms.ts';
import type { CommandKey } from '../../decider.ts';
import { accounts } from '../../entry.ts';
import { accepted, refused, UNCHANGED, type WalletDecision, type WalletRefusal } from '../commands.ts';
import { bringIn, DEFAULT_PRIORITY } from '../credit.ts';
import { EntryDraft } from '../entry-draft.ts';
import type { Wallet } from '../state.ts';
import { isInForce } from '../subscription/state.ts';
import type { ApplyCoupon, CouponOffer } from './commands.ts';
import { usesOf } from './state.ts';

/** Saved at a time. */
export const SAVED_COUPONS_MAX = 20;
/** What credits given for a coupon are booked under. */
export const COUPON_PROMOTION = 'coupon';

export function applyCoupon(wallet: Wallet, command: ApplyCoupon & CommandKey, now: number): WalletDecision {
  const { code, version, terms } = command;
  // Saved as another kind, and worth credits since: they are given, and nothing waits any more.
  if (!('credits' in terms) && wallet.coupons.saved.includes(code)) return UNCHANGED;
  const refusal = whyNotForAccount(wallet, command, now);
  if (refusal !== null) return refused(refusal);
  const promotions = accounts.promotions(COUPON_PROMOTION);
  const draft = new EntryDraft(wallet, now, { granted: { credits: promotions, money: promotions } });
  if (!('credits' in terms)) {
    if (wallet.coupons.saved.length >= SAVED_COUPONS_MAX)
      return refused({ code: 'too_many_coupons', limit: SAVED_COUPONS_MAX });
    const data = { code, version, effect: 'saved', ...draft.movement() } as const;
    return accepted({ type: 'CouponApplied', key: null, data, facts: draft.facts() });
  }
  const credits = parseCredits(terms.credits);
  const lot = bringIn(draft, {
    from: 'granted',
    credits,
    expiresAt: null,
    priority: DEFAULT_PRIORITY,
    origin: { kind: 'grant', of: COUPON_PROMOTION, ref: code },
    paid: null,
  });
  if (typeof lot !== 'string') return lot;
  const given = { effect: 'granted', credits: formatCredits(credits), lot } as const;
  const data = { code, version, ...given, ...draft.movement() };
  return accepted({ type: 'CouponApplied', key: command.key, data, facts: draft.facts() });
}

export function forgetCoupon(wallet: Wallet, code: string): WalletDecision {
  if (!wallet.coupons.saved.includes(code)) return UNCHANGED;
  return accepted({ type: 'CouponForgotten', key: null, data: { code }, facts: {} });
}

/** Why this account may not use the coupon now; null where it may. */
export function whyNotForAccount(
  wallet: Wallet,
  { code, terms }: CouponOffer,
  now: number,
): WalletRefusal | null {
  const unusable = whyUnusable(terms, now);
  if (unusable !== null) return unusable;
  const limit = terms.max_uses_per_account;
  if (usesOf(wallet.coupons, code) >= limit) return { code: 'coupon_already_used', limit };
  if (terms.plans === undefined) return null;
  const { subscription } = wallet;
  // A plan that nobody has paid for gives no right to its coupons.
  const isPaidFor = isInForce(subscription) && subscription.now.status !== 'past_due';
  const plan = isPaidFor ? subscription.now.plan : null;
  return plan !== null && terms.plans.includes(plan)
    ? null
    : { code: 'coupon_not_for_plan', plans: terms.plans };
}
