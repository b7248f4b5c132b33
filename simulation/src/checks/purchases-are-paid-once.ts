/**
 * Billing rules 17, 18 and 24: a purchase is paid once or canceled, by its whole total; its lot holds exactly what was sold and
 * its money is exactly what was paid; a discount is what the coupon says; money that fits nothing waits for finance.
 */
import type { CouponTerms, Money, Purchase, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { GOODS } from '../goods.ts';
import { postingsOf, smallerOf, stepsOf } from '../refold.ts';
import { publishedTerms } from './coupons-are-used-as-often-as-they-say.ts';
import { broken, type Evidence } from './evidence.ts';

const CREDIT = 1_000_000n;
const CENT = 10_000_000n;

export function purchasesArePaidOnce(evidence: Evidence): void {
  for (const { stream, events } of evidence.wallets) {
    const opened = new Map<string, Purchase>();
    const ended = new Map<string, string>();
    const references = new Set<string>();
    for (const event of events) {
      const at = { stream, revision: event.revision };
      switch (event.type) {
        case 'PurchaseOpened': {
          const { purchase } = event.data;
          if (opened.has(purchase.id)) broken('a purchase is opened once', { ...at, id: purchase.id });
          opened.set(purchase.id, purchase);
          isAsSold(evidence, purchase, at);
          break;
        }
        case 'PurchasePaid': {
          const { id } = event.data.purchase;
          if (ended.has(id)) broken('a purchase is paid once, or canceled', { ...at, id, by: ended.get(id) });
          ended.set(id, 'paid');
          isOnce(references, event.data.reference, at);
          bringsWhatWasSold(opened.get(id), event, at);
          break;
        }
        case 'PurchaseClosed': {
          const { purchase, by } = event.data;
          if (by === 'canceled' ? ended.has(purchase) : ended.get(purchase) !== 'paid')
            broken('a purchase ends once', { ...at, purchase, by });
          ended.set(purchase, by);
          break;
        }
        case 'PurchasePaymentUnapplied':
          isOnce(references, event.data.reference, at);
          waits(event, event.facts.payment, at);
          break;
        default:
      }
    }
  }
}

type At = { readonly stream: string; readonly revision: number };

function isOnce(references: Set<string>, reference: string, at: At): void {
  if (references.has(reference)) broken('a payment is booked once', { ...at, reference });
  references.add(reference);
}

/** By prices and coupons as they were published, worked out again. */
function isAsSold(evidence: Evidence, purchase: Purchase, at: At): void {
  const { price, coupon, credits, bonus, total, discount } = purchase;
  const { currency } = price;
  const [sum, off] = [stepsOf(price.amount, currency), stepsOf(discount.amount, currency)];
  const expected = coupon === null ? 0n : discountBy(publishedTerms(evidence, coupon), price);
  const about = { ...at, purchase, expected };
  if (off !== expected) broken('a discount is what the coupon says', about);
  if (stepsOf(total.amount, currency) !== sum - off || sum < off)
    broken('a total is the price less the discount', about);
  const terms = GOODS[purchase.package.id] ?? broken('what is bought was offered', about);
  if ('prices' in terms) {
    const isIt = (of: Money): boolean => of.currency === currency && stepsOf(of.amount, currency) === sum;
    if (!terms.prices.some(isIt)) broken('a package costs its price', about);
    if (credits !== terms.credits || bonus !== (terms.bonus ?? '0'))
      broken('a package is what it says', about);
    return;
  }
  const rate = stepsOf(terms.rate.credits);
  const bought = (sum * rate) / 1_000_000_000n;
  if (stepsOf(credits) !== bought - (bought % CREDIT)) broken('an amount buys what it is worth', about);
  const paid = sum - off;
  const step = terms.volume_bonus?.findLast(({ from }) => stepsOf(from, currency) <= paid);
  const more = (paid * rate * BigInt(step?.percent ?? '0')) / 100_000_000_000n;
  const difference = stepsOf(bonus) - more;
  if (difference >= CREDIT || difference <= -CREDIT)
    broken('the bonus is the share of what is paid, to a credit', { ...about, more });
}

function discountBy(terms: CouponTerms, { amount, currency }: Money): bigint {
  const sum = stepsOf(amount, currency);
  if ('fixed' in terms) {
    return smallerOf(stepsOf(terms.fixed.amount, currency), sum);
  }
  if (!('percent' in terms)) return 0n;
  // To cents, of a sum in cents: half a cent goes to the even one. Both of our currencies have hundredths.
  const step = sum % CENT === 0n ? CENT : 1n;
  const [n, d] = [sum * stepsOf(terms.percent), 100_000_000n * step];
  const [floor, rest] = [n / d, (n % d) * 2n];
  return (rest > d || (rest === d && floor % 2n === 1n) ? floor + 1n : floor) * step;
}

function bringsWhatWasSold(
  opened: Purchase | undefined,
  event: StoredEvent<WalletEvent> & { readonly type: 'PurchasePaid' },
  at: At,
): void {
  const { credits, lot, lots = [], moves } = event.data;
  const { payment } = event.facts;
  const { total } = opened ?? broken('what is paid was opened', at);
  const sold = stepsOf(opened?.credits ?? '0') + stepsOf(opened?.bonus ?? '0');
  const born = lots.find((other) => other.lot === lot);
  let moved = 0n;
  for (const move of moves) if (move.from === 'granted' && move.lot === lot) moved += stepsOf(move.credits);
  const about = { ...at, opened, credits, born, moved };
  if (stepsOf(credits) !== sold || moved !== sold || (born !== undefined && stepsOf(born.quantity) !== sold))
    broken('a purchase brings exactly what was sold', about);
  const money = event.facts.lots?.[lot];
  const isWhole = (of: Money | undefined): boolean =>
    of?.currency === total.currency &&
    stepsOf(of.amount, of.currency) === stepsOf(total.amount, total.currency);
  if (!isWhole(payment) || (born !== undefined && !isWhole(money)))
    broken('a purchase is paid by its total', { ...about, payment, money });
}

function waits(event: StoredEvent<WalletEvent>, { amount, currency }: Money, at: At): void {
  const leg = postingsOf(event).hidden.find(({ account }) => account === 'liabilities:unapplied');
  if (
    leg === undefined
      ? stepsOf(amount, currency) !== 0n
      : leg.unit !== currency || -stepsOf(leg.amount, currency) !== stepsOf(amount, currency)
  )
    broken('money that fits nothing waits, all of it', { ...at, amount, currency, leg });
}
