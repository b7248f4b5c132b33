/**
 * Price books: what a unit of each dimension of each model costs in credits, and what it costs us.
 *
 * A price is said in one of two ways (P1 to P4):
 *   {credits, per}                                   so many credits for `per` units
 *   {cost: {amount, currency}, per, markup, demand_factor?}
 *        credits = amount x (1 + markup) x demand_factor / credit_value / per, and the amount is booked as our cost
 * Video may be priced by length instead: {steps: [{up_to, credits} or {up_to, cost, markup, demand_factor?}]}: the
 * first step that is long enough is the price of the whole video.
 *
 * A book is compiled once, when it is published or read; charging then only multiplies and adds.
 */
import { CREDITS, isCurrency, type Money, powerOfTen, readAmount, scaleOf } from '../amount.ts';
import { divide, multiply, type Rational, readRational } from '../rational.ts';
import { type Dimension, isDimension } from '../usage.ts';

interface CreditPrice {
  readonly credits: string;
}
interface CostPrice {
  readonly cost: Money;
  readonly markup: string;
  readonly demand_factor?: string;
}
export type UnitPrice = (CreditPrice | CostPrice) & { readonly per: number };
export type StepPrice = (CreditPrice | CostPrice) & { readonly up_to: number };
export type DimensionPrice = UnitPrice | { readonly steps: readonly StepPrice[] };

export interface ModelPrices {
  readonly supplier?: string;
  /** Charges of this model are rounded up, once, to a multiple of this many credits. Left out: "1". */
  readonly round_to?: string;
  readonly prices: { readonly [D in Dimension]?: DimensionPrice };
}

/** As published, and as stored in the event. */
export interface PriceBookContent {
  /** What one credit is worth; needed where a price is given as a cost. */
  readonly credit_value?: Money;
  readonly models: { readonly [model: string]: ModelPrices };
}

export interface PriceFault {
  /** Path in the body: `models.gpt-4o.prices.input_tokens.per`. */
  readonly field: string;
  readonly rule: string;
}

/** Credits and cost of one unit (or of one step), in smallest steps, exactly. */
export interface CompiledPrice {
  readonly credits: Rational;
  readonly cost: { readonly each: Rational; readonly currency: string } | null;
  /** As published, for the event. */
  readonly published: object;
}
export type CompiledDimension =
  | { readonly kind: 'unit'; readonly price: CompiledPrice }
  | { readonly kind: 'steps'; readonly steps: readonly { upTo: bigint; price: CompiledPrice }[] };

export interface CompiledModel {
  readonly supplier: string | null;
  readonly roundTo: bigint;
  readonly dimensions: ReadonlyMap<string, CompiledDimension>;
}

export interface PriceBookVersion {
  readonly name: string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly effectiveFrom: number;
  readonly content: PriceBookContent;
  readonly models: ReadonlyMap<string, CompiledModel>;
}

const PER_MAX = 1_000_000_000;

/** Checks and compiles; the first fault found names its field and the rule. */
export function compileBook(
  content: PriceBookContent,
): { ok: true; models: Map<string, CompiledModel> } | { ok: false; fault: PriceFault } {
  try {
    const value =
      content.credit_value === undefined ? undefined : compileMoney(content.credit_value, 'credit_value');
    if (value !== undefined && value.amount.n === 0n)
      throw new Fault('credit_value.amount', 'must be more than 0');
    const models = new Map<string, CompiledModel>();
    for (const [id, model] of Object.entries(content.models)) {
      models.set(id, compileModel(model, `models.${id}`, value));
    }
    return { ok: true, models };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: { field: error.field, rule: error.rule } };
    throw error;
  }
}

class Fault extends Error {
  readonly field: string;
  readonly rule: string;
  constructor(field: string, rule: string) {
    super(`${field} ${rule}`);
    this.field = field;
    this.rule = rule;
  }
}

interface Value {
  readonly amount: Rational;
  readonly currency: string;
}

function compileModel(model: ModelPrices, path: string, value: Value | undefined): CompiledModel {
  const roundTo = readAmount(model.round_to ?? '1', CREDITS);
  if (typeof roundTo === 'string' || roundTo <= 0n) {
    throw new Fault(
      `${path}.round_to`,
      'must be a decimal string of credits above 0 with at most 6 decimals',
    );
  }
  const dimensions = new Map<string, CompiledDimension>();
  for (const [name, price] of Object.entries(model.prices)) {
    if (!isDimension(name)) throw new Fault(`${path}.prices.${name}`, 'is not a dimension');
    dimensions.set(name, compileDimension(name, price, `${path}.prices.${name}`, value));
  }
  return { supplier: model.supplier ?? null, roundTo, dimensions };
}

function compileDimension(
  name: Dimension,
  price: DimensionPrice,
  path: string,
  value: Value | undefined,
): CompiledDimension {
  if (!('steps' in price)) {
    if (!Number.isInteger(price.per) || price.per < 1 || price.per > PER_MAX) {
      throw new Fault(`${path}.per`, `must be a whole number from 1 to ${PER_MAX}`);
    }
    // Quantities come in thousandths, so a unit's price is spread over `per` thousand of them.
    const per = { n: 1n, d: BigInt(price.per) * 1000n };
    return { kind: 'unit', price: compilePrice(price, path, per, value) };
  }
  if (name !== 'video_seconds') throw new Fault(`${path}.steps`, 'are for video_seconds only');
  if (price.steps.length === 0) throw new Fault(`${path}.steps`, 'must not be empty');
  let last = 0;
  const steps = price.steps.map((step, index) => {
    const at = `${path}.steps.${index}`;
    if (!(step.up_to > last) || !/^\d+(\.\d{1,3})?$/.test(String(step.up_to))) {
      throw new Fault(`${at}.up_to`, 'must grow from step to step and have at most 3 decimals');
    }
    last = step.up_to;
    const upTo = BigInt(Math.round(step.up_to * 1000));
    return { upTo, price: compilePrice(step, at, { n: 1n, d: 1n }, value) };
  });
  return { kind: 'steps', steps };
}

function compilePrice(
  price: CreditPrice | CostPrice,
  path: string,
  per: Rational,
  value: Value | undefined,
): CompiledPrice {
  if ('credits' in price === 'cost' in price) throw new Fault(path, 'must have either credits or a cost');
  if ('credits' in price) {
    const credits = decimal(price.credits, `${path}.credits`);
    return { credits: multiply(scaled(credits, CREDITS), per), cost: null, published: price };
  }
  const cost = compileMoney(price.cost, `${path}.cost`);
  if (value === undefined) throw new Fault('credit_value', 'is needed, because a price is given as a cost');
  if (cost.currency !== value.currency) {
    throw new Fault(
      `${path}.cost.currency`,
      `must be that of credit_value (${value.currency}): there are no hidden rates`,
    );
  }
  const markup = decimal(price.markup, `${path}.markup`);
  const demand = decimal(price.demand_factor ?? '1', `${path}.demand_factor`);
  const charged = multiply(multiply(cost.amount, { n: markup.n + markup.d, d: markup.d }), demand);
  return {
    credits: multiply(scaled(divide(charged, value.amount), CREDITS), per),
    cost: { each: multiply(scaled(cost.amount, cost.currency), per), currency: cost.currency },
    published: price,
  };
}

function compileMoney(money: Money, path: string): Value {
  if (!isCurrency(money.currency)) throw new Fault(`${path}.currency`, 'must be three capital letters');
  return { amount: decimal(money.amount, `${path}.amount`), currency: money.currency };
}

/** Prices may be finer than an amount's smallest step: only the charge is rounded. */
function decimal(text: string, path: string): Rational {
  const value = /^\d{1,12}(\.\d{1,18})?$/.test(text) ? readRational(text) : undefined;
  if (value === undefined) {
    throw new Fault(
      path,
      'must be a decimal string, not negative, with at most 12 digits before and 18 after the point',
    );
  }
  return value;
}

function scaled(value: Rational, unit: string): Rational {
  return multiply(value, { n: powerOfTen(scaleOf(unit)), d: 1n });
}
