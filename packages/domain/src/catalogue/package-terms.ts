/**
 * What can be bought: packages of credits for a price in each currency, and free amounts at a rate.
 *
 *   {credits, bonus?, prices: [{amount, currency}]}            so many credits, and so many more for nothing
 *   {rate: {credits, currency}, volume_bonus?: [{from, percent}]}
 *        so many credits for one unit of the currency; from an amount on, so many percent more on all of it
 *
 * Of a free amount the sum with its bonus is rounded, once, down to a whole credit; the bonus is what that is more than
 * the amount alone would have given.
 */
import { AMOUNT_MAX, CREDITS, type Money, parseAmount, powerOfTen, scaleOf } from '../amount.ts';
import { add, divide, multiply, type Rational, times } from '../rational.ts';
import {
  amountIn,
  BadTerms,
  checkCount,
  checked,
  checkSize,
  decimalIn,
  moneyIn,
  type TermsFault,
  wholeNumber,
} from './terms.ts';

interface Offer {
  readonly name?: string;
  readonly description?: string;
  readonly display_order?: number;
  /** Left out: true. What is not active can no longer be bought. */
  readonly active?: boolean;
}

export interface CreditPackage extends Offer {
  readonly credits: string;
  readonly bonus?: string;
  /** One per currency. */
  readonly prices: readonly Money[];
}

export interface VolumeBonus {
  /** In the rate's currency; the highest that the amount reaches counts. */
  readonly from: string;
  readonly percent: string;
}

export interface FreeAmount extends Offer {
  /** Credits for one unit of the currency. */
  readonly rate: { readonly credits: string; readonly currency: string };
  /** `from` grows from step to step. */
  readonly volume_bonus?: readonly VolumeBonus[];
}

export type PackageTerms = CreditPackage | FreeAmount;

const PRICES_MAX = 50;
const STEPS_MAX = 20;
const PERCENT_MAX = 1_000n;
const ORDER_MAX = 1_000_000_000;

/** The first fault; null where there is none. */
export function checkPackage(terms: PackageTerms): TermsFault | null {
  const result = checked(() => {
    checkSize(terms);
    wholeNumber(terms.display_order, { min: 0, max: ORDER_MAX, field: 'display_order' });
    if ('rate' in terms) checkRate(terms);
    else checkPrices(terms);
  });
  return result.ok ? null : result.fault;
}

function checkPrices({ credits, bonus, prices }: CreditPackage): void {
  const base = amountIn(credits, CREDITS, 'credits');
  if (base === 0n) throw new BadTerms('credits', 'must be more than 0');
  const more = bonus === undefined ? 0n : amountIn(bonus, CREDITS, 'bonus');
  if (base + more > CREDITS_MAX) throw new BadTerms('bonus', 'must not bring the credits over 1000000000');
  if (prices.length === 0) throw new BadTerms('prices', 'must name at least one price');
  checkCount(prices, PRICES_MAX, 'prices');
  const currencies = new Set<string>();
  for (const [index, price] of prices.entries()) {
    const field = `prices.${index}`;
    if (moneyIn(price, field) === 0n) throw new BadTerms(`${field}.amount`, 'must be more than 0');
    if (currencies.has(price.currency))
      throw new BadTerms(`${field}.currency`, 'must differ from the others');
    currencies.add(price.currency);
  }
}

function checkRate({ rate, volume_bonus: steps = [] }: FreeAmount): void {
  moneyIn({ amount: '1', currency: rate.currency }, 'rate');
  if (decimalIn(rate.credits, 'rate.credits').n === 0n)
    throw new BadTerms('rate.credits', 'must be more than 0');
  checkCount(steps, STEPS_MAX, 'volume_bonus');
  let last = -1n;
  for (const [index, { from, percent }] of steps.entries()) {
    const field = `volume_bonus.${index}`;
    const amount = amountIn(from, rate.currency, `${field}.from`);
    if (amount <= last) throw new BadTerms(`${field}.from`, 'must grow from step to step');
    last = amount;
    const { n, d } = decimalIn(percent, `${field}.percent`);
    if (n > PERCENT_MAX * d) throw new BadTerms(`${field}.percent`, 'must not be more than 1000');
  }
}

/** What the package costs in a currency; null where it is not sold in it. */
export function priceOf({ prices }: CreditPackage, currency: string): Money | null {
  return prices.find((price) => price.currency === currency) ?? null;
}

const ONE_CREDIT = powerOfTen(scaleOf(CREDITS));
const CREDITS_MAX = AMOUNT_MAX * ONE_CREDIT;

export type AmountRefusal =
  | { readonly code: 'currency_not_offered'; readonly currency: string }
  /** It comes to less than one credit, or to more than can be counted. */
  | { readonly code: 'amount_out_of_range' };

/**
 * In smallest steps, whole credits both. `amount` buys the credits; the bonus is on what is `paid` of it, which a coupon
 * may have lowered (billing rule 18). Both are amounts that this ledger has read before.
 */
export function creditsForAmount(
  { rate, volume_bonus: steps = [] }: FreeAmount,
  amount: Money,
  paid: Money = amount,
): { readonly credits: bigint; readonly bonus: bigint } | AmountRefusal {
  const other = [amount, paid].find(({ currency }) => currency !== rate.currency);
  if (other !== undefined) return { code: 'currency_not_offered', currency: other.currency };
  const perStep = divide(decimalIn(rate.credits, 'rate.credits'), {
    n: powerOfTen(scaleOf(rate.currency)),
    d: 1n,
  });
  const [bought, due] = [parseAmount(amount.amount, rate.currency), parseAmount(paid.amount, rate.currency)];
  const base = times(perStep, bought);
  const credits = wholeCredits(base);
  const reached = steps.findLast(({ from }) => parseAmount(from, rate.currency) <= due);
  const percent = decimalIn(reached?.percent ?? '0', 'percent');
  const bonus = multiply(times(perStep, due), { n: percent.n, d: 100n * percent.d });
  const total = wholeCredits(add(base, bonus));
  if (credits < ONE_CREDIT || total > CREDITS_MAX) return { code: 'amount_out_of_range' };
  return { credits, bonus: total - credits };
}

/** Down: what is not a whole credit has not been bought. `value` is in credits, not negative. */
function wholeCredits({ n, d }: Rational): bigint {
  return (n / d) * ONE_CREDIT;
}
