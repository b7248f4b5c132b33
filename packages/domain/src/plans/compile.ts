/**
 * A plan's terms, checked and made ready for use. They are checked when they are published, so what a wallet has copied
 * always compiles; and compiled once per copy, so that a charge only looks up, multiplies and adds.
 */
import { CREDITS } from '../amount.ts';
import {
  amountIn,
  BadTerms,
  checkCount,
  checked,
  checkModel,
  checkSize,
  decimalIn,
  moneyIn,
  type TermsFault,
  wholeNumber,
} from '../catalogue/terms.ts';
import { isId } from '../ids.ts';
import type { CompiledPrice } from '../pricing/price-book.ts';
import { multiply, type Rational } from '../rational.ts';
import { type Dimension, isDimension } from '../usage.ts';
import {
  ANCHORS,
  GRACE_QUOTAS,
  INTERVALS,
  type IncludedLine,
  type OveragePrice,
  type PlanTerms,
  QUOTA_UNITS,
  type QuotaUnit,
  TOKEN_DIMENSIONS,
  WINDOWS,
  type Window,
} from './terms.ts';

export interface CompiledLine {
  readonly unit: QuotaUnit;
  /** A model, or `*`. */
  readonly model: string;
  /** Null: unlimited. */
  readonly amount: bigint | null;
  readonly per: Window;
  /** Of a line in tokens; empty of one in calls. */
  readonly counted: ReadonlySet<Dimension>;
}

export interface CompiledCap {
  readonly unit: QuotaUnit;
  readonly model: string;
  readonly amount: bigint;
  readonly per: Window;
}

export interface CompiledPlan {
  /** For one period, in smallest steps of `unit`: credits, or a currency. */
  readonly price: { readonly unit: string; readonly amount: bigint };
  /** In the order of the terms. */
  readonly included: readonly CompiledLine[];
  readonly caps: readonly CompiledCap[];
  /** Null: all. */
  readonly allowedModels: ReadonlySet<string> | null;
  /** One where the terms say none. */
  readonly overageMultiplier: Rational;
  /** By model (or `*`) and dimension, as price books have them: credits of a thousandth of a unit, in smallest steps. */
  readonly overagePrices: ReadonlyMap<string, ReadonlyMap<Dimension, CompiledPrice>>;
}

const LINES_MAX = 100;
const CAPS_MAX = 100;
const MODELS_MAX = 500;
const FEATURES_MAX = 100;
const PRICED_MODELS_MAX = 100;
const TRIAL_DAYS_MAX = 3_650;
const GRACE_DAYS_MAX = 365;
const COUNT_MAX = 1_000_000_000;

/** The first fault found names its field and the rule. */
export function compilePlan(
  terms: PlanTerms,
): { readonly ok: true; readonly plan: CompiledPlan } | { readonly ok: false; readonly fault: TermsFault } {
  const result = checked(() => compile(terms));
  return result.ok ? { ok: true, plan: result.value } : result;
}

const compiledOf = new WeakMap<PlanTerms, CompiledPlan>();

/** @throws Error for terms that do not compile: they did when they were published */
export function compiledTerms(terms: PlanTerms): CompiledPlan {
  const known = compiledOf.get(terms);
  if (known !== undefined) return known;
  const compiled = compilePlan(terms);
  if (!compiled.ok)
    throw new Error(`a plan does not compile: ${compiled.fault.field} ${compiled.fault.rule}`);
  compiledOf.set(terms, compiled.plan);
  return compiled.plan;
}

function compile(terms: PlanTerms): CompiledPlan {
  checkSize(terms);
  checkCount(terms.features, FEATURES_MAX, 'features');
  checkCount(terms.included, LINES_MAX, 'included');
  checkCount(terms.caps, CAPS_MAX, 'caps');
  checkCount(terms.allowed_models, MODELS_MAX, 'allowed_models');
  const price = compilePrice(terms);
  checkPeriods(terms);
  checkLimits(terms);
  checkSpans(terms);
  return {
    price,
    included: terms.included.map((line, index) => compileLine(line, `included.${index}`)),
    caps: (terms.caps ?? []).map(({ unit, model, amount, per }, index) => {
      const field = `caps.${index}`;
      checkWindow({ unit, model, per }, field);
      return { unit, model, amount: quantity(amount, `${field}.amount`), per };
    }),
    allowedModels: allowedModels(terms),
    overageMultiplier: multiplierOf(terms),
    overagePrices: overagePricesOf(terms),
  };
}

function compilePrice({ price, default_plan }: PlanTerms): CompiledPlan['price'] {
  const compiled =
    'credits' in price
      ? { unit: CREDITS, amount: amountIn(price.credits, CREDITS, 'price.credits') }
      : { unit: price.currency, amount: moneyIn(price, 'price') };
  // Nobody has agreed to pay for what an account starts with.
  if (default_plan === true && (compiled.unit !== CREDITS || compiled.amount !== 0n))
    throw new BadTerms('default_plan', 'is only for a plan with a price of 0 credits');
  return compiled;
}

function checkPeriods({ interval, anchor, trial_days, grace, included, caps = [] }: PlanTerms): void {
  oneOf(INTERVALS, interval, 'interval');
  oneOf(ANCHORS, anchor, 'anchor');
  wholeNumber(trial_days, { min: 0, max: TRIAL_DAYS_MAX, field: 'trial_days' });
  if (grace !== undefined) {
    wholeNumber(grace.days, { min: 0, max: GRACE_DAYS_MAX, field: 'grace.days' });
    oneOf(GRACE_QUOTAS, grace.quota, 'grace.quota');
  }
  checkDistinct(included, 'included');
  checkDistinct(caps, 'caps');
}

/** Two lines of the same window would be two quotas of one name. */
function checkDistinct(lines: readonly Pick<IncludedLine, 'unit' | 'model' | 'per'>[], field: string): void {
  const seen = new Set<string>();
  for (const [index, { unit, model, per }] of lines.entries()) {
    const key = `${unit} ${per} ${model}`;
    if (seen.has(key))
      throw new BadTerms(`${field}.${index}`, 'must differ from the others in unit, model or per');
    seen.add(key);
  }
}

function checkLimits(terms: PlanTerms): void {
  const count = { min: 1, max: COUNT_MAX };
  wholeNumber(terms.rate_limit_per_minute, { ...count, field: 'rate_limit_per_minute' });
  wholeNumber(terms.max_concurrent_requests, { ...count, field: 'max_concurrent_requests' });
  wholeNumber(terms.display_order, { min: 0, max: COUNT_MAX, field: 'display_order' });
  oneOf(['credits', 'refuse'], terms.overage, 'overage');
  if (terms.price_book !== undefined && !isId(terms.price_book))
    throw new BadTerms('price_book', 'must be the name of a price book');
}

function compileLine(line: IncludedLine, field: string): CompiledLine {
  const { unit, model, amount, per, counted_dimensions } = line;
  checkWindow(line, field);
  return {
    unit,
    model,
    amount: amount === 'unlimited' ? null : quantity(amount, `${field}.amount`, 'or "unlimited"'),
    per,
    counted: countedOf(unit, counted_dimensions, `${field}.counted_dimensions`),
  };
}

/** A month's quota in a plan that is paid by the week would be had every week. */
function checkSpans({ included, interval }: PlanTerms): void {
  included.forEach(({ per }, index) => {
    if (interval === 'week' && per === 'month')
      throw new BadTerms(`included.${index}.per`, "must not be longer than the plan's interval");
  });
}

function checkWindow(
  { unit, model, per }: Pick<IncludedLine, 'unit' | 'model' | 'per'>,
  field: string,
): void {
  oneOf(QUOTA_UNITS, unit, `${field}.unit`);
  oneOf(WINDOWS, per, `${field}.per`);
  checkModel(model, `${field}.model`);
}

function countedOf(
  unit: QuotaUnit,
  named: readonly Dimension[] | undefined,
  field: string,
): ReadonlySet<Dimension> {
  if (unit === 'calls') {
    if (named !== undefined) throw new BadTerms(field, 'are of lines in tokens only');
    return new Set();
  }
  if (named === undefined) return new Set(TOKEN_DIMENSIONS);
  for (const dimension of named) oneOf<string>(TOKEN_DIMENSIONS, dimension, field);
  if (named.length === 0 || new Set(named).size !== named.length)
    throw new BadTerms(field, 'must name at least one dimension, and none twice');
  return new Set(named);
}

/** Quota counts in whole calls and tokens. */
function quantity(text: string, field: string, otherwise = ''): bigint {
  if (/^(0|[1-9]\d{0,11})$/.test(text)) return BigInt(text);
  throw new BadTerms(field, `must be a whole number of up to 12 digits as a string ${otherwise}`.trim());
}

function allowedModels({ allowed_models: models }: PlanTerms): ReadonlySet<string> | null {
  if (models === undefined) return null;
  for (const [index, model] of models.entries()) checkModel(model, `allowed_models.${index}`);
  return new Set(models);
}

function multiplierOf({ overage_multiplier: text = '1' }: PlanTerms): Rational {
  const multiplier = decimalIn(text, 'overage_multiplier');
  if (multiplier.n === 0n) throw new BadTerms('overage_multiplier', 'must be more than 0');
  return multiplier;
}

function overagePricesOf({ overage_prices: prices = {} }: PlanTerms): CompiledPlan['overagePrices'] {
  const models = Object.entries(prices);
  checkCount(models, PRICED_MODELS_MAX, 'overage_prices');
  return new Map(
    models.map(([model, byDimension]) => {
      checkModel(model, 'overage_prices');
      const field = `overage_prices.${model}`;
      const dimensions = Object.entries(byDimension);
      if (dimensions.length === 0) throw new BadTerms(field, 'must have at least one price');
      return [model, new Map(dimensions.map(([name, price]) => overagePriceOf(name, price, field)))];
    }),
  );
}

function overagePriceOf(name: string, price: OveragePrice, model: string): [Dimension, CompiledPrice] {
  const field = `${model}.${name}`;
  if (!isDimension(name)) throw new BadTerms(field, 'is not a dimension');
  wholeNumber(price.per, { min: 1, max: COUNT_MAX, field: `${field}.per` });
  const credits = decimalIn(price.credits, `${field}.credits`);
  // Quantities come in thousandths, so a unit's price is spread over `per` thousand of them.
  const each = multiply(credits, { n: 1_000_000n, d: BigInt(price.per) * 1_000n });
  return [name, { credits: each, cost: null, published: price }];
}

function oneOf<T extends string>(known: readonly T[], value: T, field: string): void {
  if (!known.includes(value)) throw new BadTerms(field, `must be one of ${known.join(', ')}`);
}
