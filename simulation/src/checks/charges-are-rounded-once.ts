/**
 * P4, billing rules 5, 6 and 11: a charge is the exact sum of what no quota covered, at the book's prices or the plan's own,
 * times the plan's factor, rounded up once; beyond a hard stop it is nothing. Prices are written out here again.
 *
 * A plan that nobody has paid for gives no benefit: no prices or factor of its own, and what runs beyond its hard stop is
 * charged; so is what was left before its time (plans-of-calls.ts). A call that was held is charged on the plan that it was
 * placed on, or on none; what was parked, on none.
 */
import type { PlanTerms } from '@tallystick/domain';
import { bookContent } from '../books.ts';
import { stepsOf } from '../refold.ts';
import { broken, type Evidence, termsOf } from './evidence.ts';
import { type Charge, PlansOfCalls } from './plans-of-calls.ts';

interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

export function chargesAreRoundedOnce(evidence: Evidence): void {
  for (const { stream, events } of evidence.wallets) {
    const plans = new PlansOfCalls();
    for (const event of events) {
      const at = { stream, revision: event.revision };
      plans.judge(event, at);
      if (event.type === 'UsageCharged') isRoundedOnce(evidence, event.data, plans, at);
      plans.follow(event);
    }
  }
}

type At = { readonly stream: string; readonly revision: number };

function isRoundedOnce(evidence: Evidence, charge: Charge, plans: PlansOfCalls, at: At): void {
  const plan = plans.of(charge);
  const { model, usage, credits, price_book, covered = [], violations = [], repriced } = charge;
  const isToldPlan = charge.plan?.id === plan?.id && charge.plan?.version === plan?.version;
  if (!isToldPlan) broken('a call is charged on its plan', { ...at, told: charge.plan, plan });
  if (repriced !== undefined && covered.length > 0)
    broken('what was parked is priced whole', { ...at, covered });
  const left = restOf(usage, covered);
  const terms = plan === null ? null : termsOf(evidence, plan.id, plan.version);
  const isIncluded = terms?.included.some((line) => line.model === '*' || line.model === model) === true;
  const isOpen = plan?.isOpen === true;
  const hasRest = Object.values(left).some((quantity) => quantity !== 0);
  const isStopped = plans.isOurs(charge) && isIncluded && hasRest && terms.overage === 'refuse';
  if (violations.includes('quota_exhausted') !== isStopped)
    broken('beyond a hard stop of a plan that is paid for nothing is charged', {
      ...at,
      left,
      covered,
      plan,
    });
  // What is wholly covered needs no price.
  const isFree = isStopped || !hasRest;
  const expected = isFree
    ? 0n
    : priceOf(price_book.version, model, left, isOpen && isIncluded ? terms : null);
  if (stepsOf(credits) !== expected) broken('a charge is rounded once', { ...at, credits, expected, plan });
}

interface Quantities {
  readonly [dimension: string]: number;
}

function restOf(usage: Quantities, covered: readonly { readonly usage: Quantities }[]): Quantities {
  const rest = { ...usage };
  for (const part of covered)
    for (const [dimension, quantity] of Object.entries(part.usage))
      rest[dimension] = (rest[dimension] ?? 0) - quantity;
  for (const [dimension, quantity] of Object.entries(rest))
    if (quantity < 0) broken('no more is covered than was used', { dimension, usage, covered });
  return rest;
}

/** By the plan's own prices where it has some for the model, and by its factor. Null: no plan has a say in it. */
function priceOf(version: number, model: string, usage: Quantities, terms: PlanTerms | null): bigint {
  const book = bookContent(version);
  const found = book.models[model] ?? broken('a charge has a price in its book', { version, model });
  const value = stepsOf(book.credit_value?.amount ?? '1', 'USD');
  const own = terms?.overage_prices?.[model];
  const factor = stepsOf(terms?.overage_multiplier ?? '1');
  let sum: Fraction = { n: 0n, d: 1n };
  for (const [dimension, quantity] of Object.entries(usage)) {
    const prices = { ...found.prices, ...own } as { readonly [dimension: string]: Priced | undefined };
    const price = prices[dimension];
    if (price === undefined) continue;
    const each = creditsOf(price, value);
    sum = add(sum, { n: each.n * BigInt(quantity), d: each.d * BigInt(price.per) });
  }
  const step = stepsOf(found.round_to ?? '1');
  const [n, d] = [sum.n * factor, sum.d * step * 1_000_000n];
  return ((n + d - 1n) / d) * step;
}

interface Priced {
  readonly per: number;
  readonly credits?: string;
  readonly cost?: { readonly amount: string };
  readonly markup?: string;
}

/** Millionths of a credit for `per` units. */
function creditsOf({ credits, cost, markup = '0' }: Priced, value: bigint): Fraction {
  if (credits !== undefined) return { n: stepsOf(credits), d: 1n };
  const withMarkup = stepsOf(cost?.amount ?? '0', 'USD') * (1_000_000n + stepsOf(markup));
  return { n: withMarkup, d: value };
}

const add = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
