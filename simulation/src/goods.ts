/** What can be bought, and the coupons there are: few uses each, so that they run out. */
import type { CouponTerms, CreditPackage, FreeAmount, Money, PackageTerms } from '@tallystick/domain';
import type { Chance } from './chance.ts';

const usd = (amount: string): Money => ({ amount, currency: 'USD' });

const PACK: CreditPackage = {
  credits: '30',
  bonus: '4',
  prices: [usd('9.99'), { amount: '8.5', currency: 'EUR' }],
};
const ANY_AMOUNT: FreeAmount = {
  rate: { credits: '3', currency: 'USD' },
  volume_bonus: [
    { from: '10', percent: '10' },
    { from: '20', percent: '25' },
  ],
};

/** By id. */
export const GOODS: { readonly [id: string]: PackageTerms | undefined } = {
  pack: PACK,
  'any-amount': ANY_AMOUNT,
};

export interface Good {
  readonly package: { readonly id: string; readonly version: number };
  readonly terms: PackageTerms;
  readonly price: Money;
}

export const anyAmount = (price: Money): Good => ({
  package: { id: 'any-amount', version: 1 },
  terms: ANY_AMOUNT,
  price,
});

export function drawGood(chance: Chance): Good {
  if (chance.happens(0.5)) return anyAmount(usd(`${chance.int(3, 25)}.${chance.int(1, 9)}`));
  const price = chance.among(PACK.prices) ?? usd('9.99');
  return { package: { id: 'pack', version: 1 }, terms: PACK, price };
}

export const COUPONS = ['HALF', 'FIVER', 'GIFT', 'MEMBERS', 'WHOLE'] as const;
export type CouponCode = (typeof COUPONS)[number];

/** A later version may be used more often: counters go on. */
export function couponTerms(code: CouponCode, version: number): CouponTerms {
  switch (code) {
    case 'HALF':
      return { percent: '33.3', max_uses: 1 + version, max_uses_per_account: 1 };
    case 'FIVER':
      return {
        fixed: usd('5'),
        max_uses: 2 + version,
        max_uses_per_account: 2,
        minimum_purchase: usd('8'),
        expires_at: '2026-02-01T00:00:00.000Z',
      };
    case 'GIFT':
      return { credits: '7', max_uses: 1 + version, max_uses_per_account: 1 };
    case 'MEMBERS':
      return { percent: '10', max_uses_per_account: 1 + version, plans: ['small', 'large'] };
    case 'WHOLE':
      return { percent: '100', max_uses: 1, max_uses_per_account: version };
  }
}
