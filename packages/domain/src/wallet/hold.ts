/** Holds: reserve before the call, let go when it does not happen (L8, rule 20). Extending them: `extend.ts`. */
import { formatCredits } from '../amount.ts';
import type { CommandKey } from '../decider.ts';
import { keys } from '../ids.ts';
import type { WalletContext } from './booked.ts';
import { canAfford, insufficient } from './charge.ts';
import {
  accepted,
  NEEDS_CATALOGUE,
  needs,
  type PlaceHold,
  refused,
  UNCHANGED,
  type WalletDecision,
} from './commands.ts';
import { EntryDraft } from './entry-draft.ts';
import type { HoldFacts, HoldTerms, PriceFacts, WalletEvent } from './events.ts';
import { openHold } from './evolve.ts';
import { freeCredits, type Hold, type Wallet } from './state.ts';
import type { UseRefusal } from './subscription/commands.ts';
import type { PinnedPlan, PlanVersionRef } from './subscription/events.ts';
import { isInForce } from './subscription/state.ts';
import { type Use, useOf } from './use.ts';

export const HOLDS_MAX = 10_000;
/**
 * Open holds that reach into the overdraft. The next credits that come in stand in for all of them, in one event: without
 * a bound that event could outgrow what a store takes, and the wallet could never be topped up again (rule 7).
 */
export const UNCOVERED_HOLDS_MAX = 400;
const NO_PRICE: PriceFacts = { exact: '0', round_to: '1', lines: [] };

export function placeHold(
  wallet: Wallet,
  command: PlaceHold & CommandKey,
  context: WalletContext,
): WalletDecision {
  if (wallet.frozen.size > 0)
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  const { model, estimate, hold } = command;
  const { now, catalogue } = context;
  const asked = { model, usage: estimate, at: now, now, mustBook: false, isEstimate: true, hold: null };
  const outcome = useOf(wallet, asked, catalogue);
  if (outcome.status === 'refused') return refused(outcome.refusal);
  if (outcome.status === 'unpriced') {
    if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
    return refused({ code: 'no_price', reason: outcome.reason, missing: outcome.missing });
  }
  const crowd = tooManyConcurrent(wallet);
  if (crowd !== null) return refused(crowd);
  if (wallet.holds.size >= HOLDS_MAX) return refused({ code: 'too_many_holds', limit: HOLDS_MAX });
  const { use } = outcome;
  const { priced } = use;
  const terms: HoldTerms = {
    hold,
    purpose: 'call',
    model,
    estimate,
    credits: formatCredits(priced.credits),
    expires_at: new Date(context.now + command.expiresInMs).toISOString(),
    price_book: { name: priced.book.name, version: priced.book.version },
    ...planTermsOf(use),
  };
  return reserve(wallet, 'HoldPlaced', command.key, terms, priced.credits, use, context);
}

/** Open holds are calls under way (Q6). */
export function tooManyConcurrent(wallet: Readonly<Wallet>): UseRefusal | null {
  const limit = isInForce(wallet.subscription)
    ? wallet.subscription.terms.max_concurrent_requests
    : undefined;
  if (limit === undefined || wallet.holds.size < limit) return null;
  return { code: 'too_many_concurrent', limit, open: wallet.holds.size };
}

export function planTermsOf({
  funding,
  plan,
  open,
  paidIn,
  caps,
}: Pick<Use, 'funding' | 'plan' | 'open' | 'paidIn'> & Pick<Hold, 'caps'>): Pick<
  HoldTerms,
  'covered' | 'plan' | 'caps'
> {
  return {
    ...(funding === null || funding.covered.length === 0 ? {} : { covered: funding.covered }),
    ...(plan === null ? {} : { plan: pinnedPlan(plan, open, paidIn) }),
    ...(caps.length === 0
      ? {}
      : { caps: caps.map(({ cap, quantity }) => ({ cap, quantity: quantity.toString() })) }),
  };
}

function pinnedPlan({ id, version }: PlanVersionRef, open: boolean, paidIn: string | null): PinnedPlan {
  return { id, version, ...(open ? { open } : {}), ...(paidIn === null ? {} : { paid_in: paidIn }) };
}

function uncoveredHolds(wallet: Wallet): number {
  let count = 0;
  for (const { uncovered } of wallet.holds.values()) if (uncovered > 0n) count += 1;
  return count;
}

/** Reserves `credits` more for the hold; refused where they are not there. */
export function reserve(
  wallet: Wallet,
  type: 'HoldPlaced' | 'HoldExtended',
  key: string | null,
  terms: HoldTerms,
  credits: bigint,
  use: Use | null,
  context: WalletContext,
): WalletDecision {
  if (wallet.frozen.size > 0 && credits > 0n) {
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  }
  if (!canAfford(wallet, credits)) return insufficient(wallet, credits);
  if (credits > freeCredits(wallet) && uncoveredHolds(wallet) >= UNCOVERED_HOLDS_MAX) {
    return refused({ code: 'too_many_holds', limit: UNCOVERED_HOLDS_MAX });
  }
  const draft = new EntryDraft(wallet, context.now);
  openHold(draft.wallet, terms);
  const place = `hold:${terms.hold}` as const;
  if (use !== null && use.funding !== null) draft.takeQuotas(use.funding.takes, place, terms.hold);
  draft.take(credits, place);
  const facts: HoldFacts = { ...draft.facts(), price: use?.priced.facts ?? NO_PRICE };
  return accepted({ type, key, data: { ...terms, ...draft.movement() }, facts });
}

export function voidHold(
  wallet: Wallet,
  command: { hold: string } & CommandKey,
  context: WalletContext,
): WalletDecision {
  const { hold } = command;
  if (wallet.holds.has(hold)) {
    const draft = new EntryDraft(wallet, context.now);
    draft.releaseQuotas(hold);
    draft.release(hold);
    const event: WalletEvent = {
      type: 'HoldVoided',
      key: command.key,
      data: { hold, ...draft.movement() },
      facts: draft.facts(),
    };
    return accepted(event);
  }
  const asked = [keys.settle(hold), keys.hold(hold)];
  if (asked.some((key) => !context.facts.has(key))) return needs(...asked);
  if (context.facts.get(keys.settle(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'settled' });
  // Expired: it has let go already, void after it changes nothing.
  return context.facts.get(keys.hold(hold)) != null ? UNCHANGED : refused({ code: 'hold_not_found', hold });
}
