/**
 * What a usage costs: the sum over its dimensions, computed exactly, rounded up once (P4, P11).
 * A dimension that was used and has no price makes the whole usage unpriced: never zero, never half (P10).
 */
import {
  AMOUNT_MAX,
  CREDITS,
  divideHalfEven,
  formatAmount,
  formatScaled,
  type Money,
  powerOfTen,
  scaleOf,
} from '../amount.ts';
import { add, formatRational, multiply, type Rational, roundUpTo, times, ZERO } from '../rational.ts';
import { type Dimension, thousandths, type Usage, usedDimensions } from '../usage.ts';
import type { PriceFacts, PriceLine, UnpricedReason } from '../wallet/events.ts';
import type { CompiledDimension, CompiledModel, CompiledPrice, PriceBookVersion } from './price-book.ts';

export interface Priced {
  readonly status: 'priced';
  readonly book: PriceBookVersion;
  /** After rounding, in smallest steps. */
  readonly credits: bigint;
  readonly facts: PriceFacts;
  readonly supplier: string | null;
  /** What the book says it costs us; null where the prices are given in credits. */
  readonly cost: Money | null;
}
export interface Unpriced {
  readonly status: 'unpriced';
  readonly reason: UnpricedReason;
  /** The model or dimension without a price. */
  readonly missing: string;
}

const CREDIT_PLACES = scaleOf(CREDITS);
/** What charges are rounded up to where the model does not say. */
const WHOLE_CREDIT = powerOfTen(CREDIT_PLACES);

/** A plan's own prices for what it does not cover: some instead of the book's, and a factor on the whole. */
export interface Overage {
  readonly prices: ReadonlyMap<Dimension, CompiledPrice>;
  readonly factor: Rational;
  /** As published, and by which version of which plan: for the event. */
  readonly published: { readonly value: string; readonly version: string };
}

export function priceUsage(
  book: PriceBookVersion,
  modelId: string,
  usage: Usage,
  overage: Overage | null = null,
): Priced | Unpriced {
  const model = book.models.get(modelId);
  if (model === undefined && (overage === null || overage.prices.size === 0))
    return { status: 'unpriced', reason: 'no_model', missing: modelId };
  let credits = ZERO;
  let cost = ZERO;
  let currency: string | null = null;
  const lines: PriceLine[] = [];
  for (const dimension of usedDimensions(usage)) {
    const quantity = usage[dimension] ?? 0;
    const found = findPrice(model, dimension, thousandths(dimension, quantity), overage);
    if ('reason' in found) return { status: 'unpriced', reason: found.reason, missing: dimension };
    const line = times(found.price.credits, found.times);
    credits = add(credits, line);
    if (found.price.cost !== null) {
      cost = add(cost, times(found.price.cost.each, found.times));
      currency = found.price.cost.currency;
    }
    lines.push(lineOf(dimension, quantity, line, found.price));
  }
  if (overage !== null) credits = multiply(credits, overage.factor);
  const charged = roundUpTo(credits, model?.roundTo ?? WHOLE_CREDIT);
  const booked = divideHalfEven(cost.n, cost.d);
  if (tooLarge(charged, CREDITS) || (currency !== null && tooLarge(booked, currency)))
    return { status: 'unpriced', reason: 'out_of_range', missing: modelId };
  return {
    status: 'priced',
    book,
    credits: charged,
    facts: {
      exact: formatRational(credits, CREDIT_PLACES),
      round_to: formatScaled(model?.roundTo ?? WHOLE_CREDIT, CREDIT_PLACES),
      lines,
      ...(overage === null ? {} : { factors: [{ kind: 'overage', ...overage.published }] }),
    },
    supplier: model?.supplier ?? null,
    // Our cost is booked to the nearest step, ties to even: unlike a charge it favours nobody.
    cost: currency === null ? null : { amount: formatAmount(booked, currency), currency },
  };
}

/** What a usage really costs us, whoever pays for it; dimensions that the book has no cost for add nothing. */
export function costOf(
  book: PriceBookVersion,
  modelId: string,
  usage: Usage,
): { readonly cost: Money | null; readonly supplier: string | null } {
  const model = book.models.get(modelId);
  let cost = ZERO;
  let currency: string | null = null;
  for (const dimension of model === undefined ? [] : usedDimensions(usage)) {
    const found = findPrice(model, dimension, thousandths(dimension, usage[dimension] ?? 0), null);
    if ('reason' in found || found.price.cost === null) continue;
    cost = add(cost, times(found.price.cost.each, found.times));
    currency = found.price.cost.currency;
  }
  const booked = divideHalfEven(cost.n, cost.d);
  const isKnown = currency !== null && !tooLarge(booked, currency);
  return {
    cost: isKnown && currency !== null ? { amount: formatAmount(booked, currency), currency } : null,
    supplier: model?.supplier ?? null,
  };
}

/** Nothing is left to be priced: quotas covered it all, or it is at our own expense. */
export function pricedAtNothing(book: PriceBookVersion, modelId: string): Priced {
  const round_to = formatScaled(book.models.get(modelId)?.roundTo ?? WHOLE_CREDIT, CREDIT_PLACES);
  const facts = { exact: '0', round_to, lines: [] };
  return { status: 'priced', book, credits: 0n, facts, supplier: null, cost: null };
}

/** Stands for a price book where none is in force and none is needed. */
export function noBook(name: string): PriceBookVersion {
  return { name, version: 0, effectiveFrom: 0, content: { models: {} }, models: new Map() };
}

type Found = { price: CompiledPrice; times: bigint } | { reason: UnpricedReason };

function findPrice(
  model: CompiledModel | undefined,
  dimension: Dimension,
  quantity: bigint,
  overage: Overage | null,
): Found {
  const own = overage?.prices.get(dimension);
  if (own !== undefined) return { price: own, times: quantity };
  if (model === undefined) return { reason: 'no_model' };
  const compiled: CompiledDimension | undefined = model.dimensions.get(dimension);
  if (compiled === undefined) return { reason: 'no_dimension' };
  if (compiled.kind === 'unit') return { price: compiled.price, times: quantity };
  const step = compiled.steps.find(({ upTo }) => quantity <= upTo);
  return step === undefined ? { reason: 'no_step' } : { price: step.price, times: 1n };
}

function lineOf(dimension: Dimension, quantity: number, exact: Rational, price: CompiledPrice): PriceLine {
  return { dimension, quantity, exact: formatRational(exact, CREDIT_PLACES), price: price.published };
}

/** A price may be anything, and so may a quantity; an amount that no column can take would stop every reader. */
function tooLarge(steps: bigint, unit: string): boolean {
  return steps > AMOUNT_MAX * powerOfTen(scaleOf(unit));
}
