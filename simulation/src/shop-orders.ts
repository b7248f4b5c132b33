/** Orders about purchases, coupons, referrals and topping up by itself. */
import type { CouponOffer, Money } from '@tallystick/domain';
import type { Chance } from './chance.ts';
import { anyAmount, COUPONS, drawGood } from './goods.ts';
import type { PlainCommand } from './keyed.ts';
import type { Known } from './known.ts';

export interface Shop {
  readonly chance: Chance;
  readonly accounts: readonly string[];
  readonly couponOf: (code: string) => CouponOffer | null;
  /** One that was never used. */
  readonly newId: (kind: string) => string;
}

/** What comes without a use of a coupon that is reserved before; see the client for what does not. */
export function drawShopOrder(shop: Shop, known: Known): PlainCommand {
  const { chance } = shop;
  return chance.weighed<() => PlainCommand>([
    [2, () => purchase(shop, null)],
    [4, () => payment(shop, known)],
    [1.5, () => ({ type: 'CancelPurchase', purchase: purchaseOf(chance, known)?.id ?? 'nothing' })],
    [1, () => applyCoupon(shop) ?? purchase(shop, null)],
    [0.5, () => ({ type: 'ForgetCoupon', code: chance.pick(COUPONS) })],
    [1.5, () => refer(shop)],
    [known.paidEntries.length > 0 ? 2 : 0, () => takeBack(chance, known)],
    [1.5, () => setAutoTopUp(chance)],
    [known.requests.length > 0 ? 4 : 0.3, () => resolve(shop, known)],
  ])();
}

export function purchase({ chance, newId }: Shop, coupon: CouponOffer | null): PlainCommand {
  return {
    type: 'OpenPurchase',
    id: newId('b'),
    offer: drawGood(chance),
    coupon,
    paid: chance.happens(0.35),
  };
}

/** Credits for a coupon are a use, and come only where one is reserved. */
export function giftOf({ couponOf }: Shop): PlainCommand | null {
  const offer = couponOf('GIFT');
  return offer === null ? null : { type: 'ApplyCoupon', ...offer };
}

/** To be used by the next purchase. */
function applyCoupon({ chance, couponOf }: Shop): PlainCommand | null {
  const offer = couponOf(chance.pick(COUPONS.filter((code) => code !== 'GIFT') as ['HALF', ...'HALF'[]]));
  return offer === null ? null : { type: 'ApplyCoupon', ...offer };
}

const purchaseOf = (chance: Chance, { purchases }: Known) =>
  chance.among(chance.happens(0.8) ? purchases.slice(-2) : purchases);

function payment({ chance, newId }: Shop, known: Known): PlainCommand {
  const bought = purchaseOf(chance, known);
  const id = bought?.id ?? 'nothing';
  const total = bought?.total ?? { amount: '1', currency: 'USD' };
  return {
    type: 'RecordPurchasePayment',
    purchase: id,
    paid: chance.happens(0.85) ? total : other(chance, total),
    reference: chance.weighed([
      [6, `pay-${id}`],
      [1, id],
      [2, newId('y')],
    ]),
  };
}

function other(chance: Chance, { amount, currency }: Money): Money {
  if (chance.happens(0.3)) return { amount, currency: currency === 'EUR' ? 'USD' : 'EUR' };
  return { amount: `${chance.int(1, 30)}.01`, currency };
}

function takeBack(chance: Chance, { paidEntries }: Known): PlainCommand {
  return {
    type: 'ReverseEntry',
    revision: chance.among(paidEntries.slice(-3)) ?? 0,
    reason: 'simulated',
    allowDebt: chance.happens(0.6),
  };
}

export function refer({ chance, accounts }: Shop): PlainCommand {
  const referredBy = chance.happens(0.1) ? 'nobody' : (chance.among(accounts) ?? 'nobody');
  return { type: 'LinkReferral', referredBy, referrerReferredBy: null };
}

function setAutoTopUp(chance: Chance): PlainCommand {
  return {
    type: 'SetAutoTopUp',
    terms: {
      enabled: chance.happens(0.9),
      threshold: `${chance.int(5, 60)}`,
      amount: { amount: `${chance.int(4, 25)}`, currency: 'USD' },
      cool_off_seconds: chance.pick([0, 0, 5, 3_600]),
      daily_cap: chance.int(1, 3),
    },
  };
}

/** What a provider says of the charge that it was asked for. */
function resolve({ chance, newId }: Shop, { requests }: Known): PlainCommand {
  const asked = chance.among(chance.happens(0.8) ? requests.slice(-1) : requests);
  const id = asked?.id ?? 'auto-top-up-0';
  const amount = asked?.amount ?? { amount: '5', currency: 'USD' };
  const paid = chance.weighed<Money | null>([
    [6, amount],
    [2, null],
    [1, { ...amount, amount: '3.5' }],
  ]);
  const reference = chance.happens(0.8) ? `answer-${id}` : newId('z');
  return { type: 'ResolveAutoTopUp', id, reference, paid, offer: paid === null ? null : anyAmount(paid) };
}
