/** Holds: reserve before the call, extend while it streams, let go when it does not happen (L8, rule 20). */
import { formatCredits } from '../amount.ts';
import type { CommandKey } from '../decider.ts';
import { keys } from '../ids.ts';
import type { WalletContext } from './booked.ts';
import { canAfford, insufficient, planOfClosed } from './charge.ts';
import {
  accepted,
  type ExtendHold,
  NEEDS_CATALOGUE,
  needs,
  type PlaceHold,
  refused,
  UNCHANGED,
  type WalletDecision,
} from './commands.ts';
import { EntryDraft } from './entry-draft.ts';
import type { BookVersion, HoldFacts, HoldTerms, PriceFacts, WalletEvent } from './events.ts';
import { openHold } from './evolve.ts';
import type { CapCount } from './quota/events.ts';
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

function planTermsOf({
  funding,
  plan,
  open,
  paidIn,
  caps,
}: Use): Pick<HoldTerms, 'covered' | 'plan' | 'caps'> {
  return {
    ...(funding === null || funding.covered.length === 0 ? {} : { covered: funding.covered }),
    ...(plan === null ? {} : { plan: pinnedPlan(plan, open, paidIn) }),
    ...(caps.length === 0 ? {} : { caps: caps.map(({ cap, quantity }) => ({ cap, quantity })) }),
  };
}

function pinnedPlan({ id, version }: PlanVersionRef, open: boolean, paidIn: string | null): PinnedPlan {
  return { id, version, ...(open ? { open } : {}), ...(paidIn === null ? {} : { paid_in: paidIn }) };
}

export function extendHold(
  wallet: Wallet,
  command: ExtendHold & CommandKey,
  context: WalletContext,
): WalletDecision {
  const open = wallet.holds.get(command.hold);
  if (open !== undefined) return extendOpen(wallet, open, command, context);
  const { hold } = command;
  const asked = [keys.settle(hold), keys.void(hold), keys.hold(hold)];
  if (asked.some((key) => !context.facts.has(key))) return needs(...asked);
  if (context.facts.get(keys.settle(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'settled' });
  if (context.facts.get(keys.void(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'voided' });
  const placed = context.facts.get(keys.hold(hold));
  if (placed?.type !== 'HoldPlaced') return refused({ code: 'hold_not_found', hold });
  if (wallet.frozen.size > 0)
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  const crowd = tooManyConcurrent(wallet);
  if (crowd !== null) return refused(crowd);
  if (wallet.holds.size >= HOLDS_MAX) return refused({ code: 'too_many_holds', limit: HOLDS_MAX });
  // It has expired: it is placed anew, at its own prices, or the answer is 402.
  const { model, price_book, expires_at } = placed.data;
  const again = {
    ...{ hold, model, book: price_book, estimate: placed.data.estimate, credits: 0n },
    ...{ plan: planOfClosed(wallet, placed), quotaPins: [], caps: [], expired: true },
  };
  const lifetime = command.expiresInMs ?? Date.parse(expires_at) - placed.recordedAt;
  return extendTo(wallet, again, command.estimate ?? placed.data.estimate, context.now + lifetime, context);
}

function extendOpen(wallet: Wallet, open: Hold, command: ExtendHold, context: WalletContext): WalletDecision {
  const asked = command.expiresInMs === null ? open.expiresAt : context.now + command.expiresInMs;
  const expiresAt = Math.max(open.expiresAt, asked);
  const held = {
    hold: open.id,
    model: open.model,
    book: open.book,
    estimate: open.estimate,
    credits: open.credits,
    plan: open.plan,
    quotaPins: open.quotaPins,
    caps: open.caps,
  };
  return extendTo(wallet, held, command.estimate, expiresAt, context, open.expiresAt);
}

interface Held {
  readonly hold: string;
  readonly model: string;
  readonly book: BookVersion;
  readonly estimate: HoldTerms['estimate'];
  readonly credits: bigint;
  readonly plan: Hold['plan'];
  readonly quotaPins: Hold['quotaPins'];
  readonly caps: Hold['caps'];
  /** It has expired, and is placed anew. */
  readonly expired?: boolean;
}

function extendTo(
  wallet: Wallet,
  held: Held,
  estimate: HoldTerms['estimate'] | null,
  expiresAt: number,
  context: WalletContext,
  expiresNow = 0,
): WalletDecision {
  let use: Use | null = null;
  if (estimate !== null) {
    const { now, catalogue } = context;
    const asked = {
      ...{ model: held.model, usage: estimate, at: now, now, hold: held },
      ...{ mustBook: false, isEstimate: true },
    };
    const outcome = useOf(wallet, asked, catalogue);
    if (outcome.status === 'refused') return refused(outcome.refusal);
    if (outcome.status === 'unpriced') {
      // Another process may have pinned a version that was published a moment ago (rule 24).
      if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
      return refused({ code: 'no_price', reason: outcome.reason, missing: outcome.missing });
    }
    use = outcome.use;
  }
  const grown = use !== null && (held.expired === true || growsBeyond(held, use)) ? use : null;
  if (grown === null && expiresAt <= expiresNow) return UNCHANGED;
  const credits = grown !== null && grown.priced.credits > held.credits ? grown.priced.credits : held.credits;
  const terms: HoldTerms = {
    hold: held.hold,
    purpose: 'call',
    model: held.model,
    estimate: grown !== null && estimate !== null ? estimate : held.estimate,
    credits: formatCredits(credits),
    expires_at: new Date(expiresAt).toISOString(),
    price_book: held.book,
    ...(grown === null ? planTermsKept(held) : planTermsOf({ ...grown, caps: largerCaps(held, grown) })),
  };
  return reserve(wallet, 'HoldExtended', null, terms, credits - held.credits, grown, context);
}

/** "At least": more credits, or more of a quota or a cap, than the hold has. */
function growsBeyond({ credits, quotaPins, caps: held }: Held, { priced, funding, caps }: Use): boolean {
  if (priced.credits > credits) return true;
  if (caps.some(({ cap, quantity }) => BigInt(quantity) > heldOf(held, cap))) return true;
  return (funding?.takes ?? []).some(
    ({ quota, quantity }) => quantity > (quotaPins.find((pin) => pin.quota === quota.id)?.quantity ?? 0n),
  );
}

function heldOf(caps: Hold['caps'], index: number): bigint {
  return caps.find(({ cap }) => cap === index)?.quantity ?? 0n;
}

/** What it has of a cap it keeps: the call may still use it. */
function largerCaps({ caps: held }: Held, { caps }: Use): readonly CapCount[] {
  const indexes = [...new Set([...held, ...caps].map(({ cap }) => cap))].sort((a, b) => a - b);
  return indexes.map((cap) => {
    const asked = BigInt(caps.find((count) => count.cap === cap)?.quantity ?? 0);
    const has = heldOf(held, cap);
    return { cap, quantity: (asked > has ? asked : has).toString() };
  });
}

function planTermsKept({ plan, caps }: Held): Pick<HoldTerms, 'plan' | 'caps'> {
  const counts = caps.map(({ cap, quantity }) => ({ cap, quantity: quantity.toString() }));
  return { ...(plan === null ? {} : { plan }), ...(counts.length === 0 ? {} : { caps: counts }) };
}

function uncoveredHolds(wallet: Wallet): number {
  let count = 0;
  for (const { uncovered } of wallet.holds.values()) if (uncovered > 0n) count += 1;
  return count;
}

/** Reserves `credits` more for the hold; refused where they are not there. */
function reserve(
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
