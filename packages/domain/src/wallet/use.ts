/**
 * What a call uses of a wallet: may its model be called at all, do the plan's caps let it through, what do quotas cover,
 * and what does the rest cost (billing rules 4 to 6, 9, 11). Charges, holds and advice all ask here, so that a call which
 * was allowed is charged by the same rules.
 *
 * `mustBook`: the call has run. Then nothing is refused; what would have been is listed as a violation, and what lies
 * beyond a hard stop is the platform's own expense: neither tomorrow's quota nor the customer's credits pay for it.
 * `isEstimate`: it has not run yet, and is more than its estimate may say: one token at least where tokens are limited.
 */

import type { Catalogues } from '../catalogue/catalogues.ts';
import { compiledTerms } from '../plans/compile.ts';
import { ANY_MODEL, type PlanTerms } from '../plans/terms.ts';
import type { PriceBookVersion } from '../pricing/price-book.ts';
import { DEFAULT_BOOK } from '../pricing/price-books.ts';
import {
  noBook,
  type Overage,
  type Priced,
  pricedAtNothing,
  priceUsage,
  type Unpriced,
} from '../pricing/quote.ts';
import type { Usage } from '../usage.ts';
import type { BookVersion, Violation } from './events.ts';
import { type CapTaken, countCaps, NOT_COUNTED } from './quota/caps.ts';
import { exhausted } from './quota/exhausted.ts';
import { type Funding, fundUsage } from './quota/funding.ts';
import { isOfAnotherKind } from './quota/measure.ts';
import type { Hold, Wallet } from './state.ts';
import type { UseRefusal } from './subscription/commands.ts';
import type { PlanVersionRef } from './subscription/events.ts';
import { grantsQuota, isInForce, paidIn, type SubscriptionState } from './subscription/state.ts';

export interface Pinned extends Pick<Hold, 'book' | 'model' | 'plan' | 'quotaPins' | 'caps' | 'estimate'> {
  /** It ended by itself, and reserves nothing any more. */
  readonly expired?: boolean;
}

export interface Asked {
  readonly model: string;
  readonly usage: Usage;
  /** Price time. */
  readonly at: number;
  readonly now: number;
  readonly mustBook: boolean;
  readonly isEstimate?: boolean;
  /** Its quotas and caps are there for its own settlement, and its terms are pinned. */
  readonly hold: Pinned | null;
  /** Where no version in force has a price, the earliest later one that has (rule 24). */
  readonly orLater?: boolean;
}

export interface Use {
  /** Of what quotas do not cover. */
  readonly priced: Priced;
  /** Null without plan and quotas. */
  readonly funding: Funding | null;
  readonly plan: PlanVersionRef | null;
  /** The plan gave what it gives when this was asked: what is placed on it is settled so. */
  readonly open: boolean;
  /** The subscription that had it paid for: beyond its hard stop what is placed on it is the platform's. */
  readonly paidIn: string | null;
  readonly caps: readonly CapTaken[];
  readonly violations: readonly Violation[];
  readonly by: 'in_force' | 'later_version';
}

export type UseOutcome =
  | { readonly status: 'usable'; readonly use: Use }
  | Unpriced
  | { readonly status: 'refused'; readonly refusal: UseRefusal };

/** A plan as this call has it: in force now, or pinned by its hold. */
interface Tariff {
  readonly ref: PlanVersionRef;
  readonly terms: PlanTerms;
  /** It is paid for, or its grace says so: it funds, and its prices hold. Restrictions bind all the same. */
  readonly open: boolean;
  /** The subscription that has it paid for, or had when the hold was placed; null: nothing beyond its stop is ours. */
  readonly paidIn: string | null;
}

export function useOf(wallet: Readonly<Wallet>, asked: Asked, catalogue: Catalogues): UseOutcome {
  const tariff = tariffOf(wallet, asked.hold, catalogue);
  // Published by another process a moment ago: whoever asks reads the catalogues to their heads, and asks again.
  if (tariff === 'unknown')
    return { status: 'unpriced', reason: 'no_price_book', missing: asked.hold?.plan?.id ?? '' };
  const book = bookOf(wallet, asked.orLater === true ? null : tariff, asked, catalogue);
  // What was parked has run long ago: a plan that has been joined since has no say in it.
  if (asked.orLater === true || (tariff === null && wallet.quotas.length === 0))
    return withoutPlan(book, asked, catalogue);
  const { model, usage, now, hold, mustBook, isEstimate = false } = asked;
  const violations: Violation[] = [];
  const allowed = tariff === null ? null : compiledTerms(tariff.terms).allowedModels;
  if (tariff !== null && allowed !== null && !allowed.has(model)) {
    if (!mustBook) return refuse({ code: 'model_not_allowed', model, plan: tariff.ref.id });
    violations.push('model_not_allowed');
  }
  const call = { model, usage, now, isEstimate, hold };
  // A call that was held before there was a plan is none of the plan's.
  const counted = tariff === null ? NOT_COUNTED : countCaps(wallet, call);
  if (counted.reached !== null) {
    if (!mustBook) return refuse(counted.reached);
    violations.push('cap_reached');
  }
  const included = { lines: tariff?.terms.included ?? [], open: tariff?.open ?? false };
  const funding = fundUsage(wallet, included, call);
  const isBeyondStop = funding.lacking !== null && tariff?.terms.overage === 'refuse';
  if (isBeyondStop && !mustBook) return refuse(exhausted(wallet, model, funding));
  const isOverrun = isBeyondStop && isOurs(tariff, hold, model, funding);
  if (isOverrun) violations.push('quota_exhausted');
  const isPriced = !isOverrun && Object.keys(funding.rest).length > 0;
  const overage = isPriced && funding.isIncluded && tariff?.open === true ? overageOf(tariff, model) : null;
  const { outcome: priced, by } = isPriced
    ? priceOf(book, { ...asked, usage: funding.rest }, overage, catalogue)
    : { outcome: pricedAtNothing(book, model), by: 'in_force' as const };
  if (priced.status === 'unpriced') return priced;
  const plan = tariff?.ref ?? null;
  return {
    status: 'usable',
    use: {
      priced,
      funding,
      plan,
      open: tariff?.open ?? false,
      paidIn: tariff?.paidIn ?? null,
      caps: counted.counts,
      violations,
      by,
    },
  };
}

/**
 * A plan that nobody had paid for, or that was left before its time, and a hold that has expired make nothing ours; nor
 * does a call that was held as one of another model, or tokens of one of another kind: no stop was asked about those.
 */
function isOurs({ paidIn }: Tariff, hold: Pinned | null, model: string, { lacking }: Funding): boolean {
  if (paidIn === null || hold?.expired === true) return false;
  if (hold === null) return true;
  return hold.model === model && (lacking !== 'tokens' || !isOfAnotherKind(hold.estimate));
}

function priceOf(
  book: PriceBookVersion,
  { model, usage, at, now, orLater }: Asked,
  overage: Overage | null,
  { books }: Catalogues,
): { outcome: Priced | Unpriced; by: Use['by'] } {
  if (orLater === true && overage === null) return books.priceLater(book.name, at, model, usage, now);
  if (book.version === 0 && overage === null) return { outcome: missing(book), by: 'in_force' };
  return { outcome: priceUsage(book, model, usage, overage), by: 'in_force' };
}

const NO_CAPS: readonly CapTaken[] = [];
const NO_VIOLATIONS: readonly Violation[] = [];

/** The way of every account that pays by credits alone. */
function withoutPlan(book: PriceBookVersion, asked: Asked, catalogue: Catalogues): UseOutcome {
  const { outcome: priced, by } = priceOf(book, asked, null, catalogue);
  if (priced.status === 'unpriced') return priced;
  return {
    status: 'usable',
    use: {
      priced,
      funding: null,
      plan: null,
      open: false,
      paidIn: null,
      caps: NO_CAPS,
      violations: NO_VIOLATIONS,
      by,
    },
  };
}

const refuse = (refusal: UseRefusal): UseOutcome => ({ status: 'refused', refusal });

const missing = ({ name }: BookVersion): Unpriced => ({
  status: 'unpriced',
  reason: 'no_price_book',
  missing: name,
});

function tariffOf(
  wallet: Readonly<Wallet>,
  hold: Asked['hold'],
  catalogue: Catalogues,
): Tariff | 'unknown' | null {
  const { subscription } = wallet;
  const pinned = hold?.plan ?? null;
  if (isInForce(subscription)) {
    const { now, terms } = subscription;
    const ref = { id: now.plan, version: now.plan_version };
    const open = grantsQuota(subscription);
    if (hold === null) return { ref, terms, open, paidIn: paidIn(subscription) };
    if (pinned?.id === ref.id && pinned.version === ref.version)
      return { ref, terms, open: pinned.open === true || open, paidIn: paidWhenHeld(hold, subscription) };
  }
  // A hold without a plan is settled without one, whatever has been joined since: a hard stop is not had afterwards.
  if (pinned === null) return null;
  // Changed or ended since the hold was placed: its terms are those it was placed on (rule 20).
  const terms = catalogue.plans.version(pinned.id, pinned.version)?.terms;
  if (terms === undefined) return 'unknown';
  const { id, version, open = false, paid_in = null } = pinned;
  return { ref: { id, version }, terms, open, paidIn: paid_in };
}

/** As when it was placed; one that has expired is placed anew on the plan as it is. */
function paidWhenHeld({ plan, expired }: Pinned, subscription: SubscriptionState): string | null {
  return expired === true ? paidIn(subscription) : (plan?.paid_in ?? null);
}

/** The hold's, else the account's, else the plan's, else "default" (billing rule 11). Version 0: there is none. */
function bookOf(
  wallet: Readonly<Wallet>,
  tariff: Tariff | null,
  { at, hold }: Asked,
  { books }: Catalogues,
): PriceBookVersion {
  if (hold !== null && hold.book.version > 0)
    return books.version(hold.book.name, hold.book.version) ?? noBook(hold.book.name);
  const name =
    wallet.priceBook ?? (tariff?.open === true ? tariff.terms.price_book : undefined) ?? DEFAULT_BOOK;
  return books.inForce(name, at) ?? noBook(name);
}

function overageOf({ ref, terms }: Tariff, model: string): Overage | null {
  const { overageMultiplier, overagePrices } = compiledTerms(terms);
  const prices = overagePrices.get(model) ?? overagePrices.get(ANY_MODEL);
  if (prices === undefined && terms.overage_multiplier === undefined) return null;
  return {
    prices: prices ?? new Map(),
    factor: overageMultiplier,
    published: { value: terms.overage_multiplier ?? '1', version: `${ref.id}:${ref.version}` },
  };
}
