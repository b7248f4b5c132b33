/** From what a request wants to buy to what it is offered, on the catalogues as they are now. */
import {
  type CouponOffer,
  discountOf,
  type Money,
  type Offer,
  parseAmount,
  priceOf,
  type Wallet,
  whyNotForAccount,
} from '@tallystick/domain';
import type { Api } from './api.ts';
import { isExhausted } from './coupon-uses.ts';
import { invalid, Refused, refuse } from './problems.ts';

export interface Wanted {
  /** Null: the free amount. */
  readonly package: string | null;
  readonly amount: Money | null;
  /** Of a package that is sold in several. */
  readonly currency: string | null;
}

/** Ends the request where nothing of that kind is sold. @param currency the account's own */
export async function offerOf(api: Api, wanted: Wanted, currency: string | null): Promise<Offer> {
  const { packages } = await api.catalogue.fresh();
  if (wanted.amount !== null) return freeAmount(packages, wanted.amount);
  const version = wanted.package === null ? undefined : packages.latest(wanted.package);
  if (version === undefined || version.terms.active === false)
    return refuse('package_not_found', { package: wanted.package });
  const { terms } = version;
  if ('rate' in terms) {
    throw new Refused(invalid([{ field: 'package', rule: 'sells free amounts: give amount instead' }]));
  }
  const [only] = terms.prices.length === 1 ? terms.prices : [];
  const asked = wanted.currency ?? only?.currency ?? currency;
  if (asked === null) {
    throw new Refused(invalid([{ field: 'currency', rule: 'must be given: it is sold in several' }]));
  }
  const price = priceOf(terms, asked);
  if (price === null) return refuse('currency_not_offered', { currency: asked });
  return { package: { id: version.id, version: version.version }, terms, price };
}

type Packages = ReturnType<Api['catalogue']['current']>['packages'];

export function freeAmount(packages: Packages, amount: Money): Offer {
  const version = packages.freeAmount(amount.currency);
  if (version === undefined) return refuse('currency_not_offered', { currency: amount.currency });
  const { id, terms } = version;
  return { package: { id, version: version.version }, terms, price: amount };
}

/** Of the coupons that wait for a purchase the one that takes off most, the first where several do; null where none fits. */
export function bestSaved(api: Api, wallet: Readonly<Wallet>, { price }: Offer): CouponOffer | null {
  const now = api.now();
  let best: CouponOffer | null = null;
  let most = 0n;
  for (const code of wallet.coupons.saved) {
    const state = api.catalogue.coupons.get(code);
    if (state == null || state.terms === null || isExhausted(state, now)) continue;
    const offer = { code, version: state.version, terms: state.terms };
    if (whyNotForAccount(wallet, offer, now) !== null) continue;
    const off = discountOf(state.terms, price);
    if ('code' in off) continue;
    const steps = parseAmount(off.discount.amount, off.discount.currency);
    if (steps > most) [best, most] = [offer, steps];
  }
  return best;
}
