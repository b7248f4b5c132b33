import fc from 'fast-check';
import { test } from 'tap';
import { formatAmount, parseAmount } from '../amount.ts';
import { type CouponTerms, checkCoupon, discountOf, whyUnusable } from './coupon-terms.ts';

const once = { max_uses_per_account: 1 };
const percent = (text: string, more: object = {}): CouponTerms => ({ percent: text, ...once, ...more });
const fixed = (amount: string, more: object = {}): CouponTerms => ({
  fixed: { amount, currency: 'USD' },
  ...once,
  ...more,
});
const usd = (amount: string) => ({ amount, currency: 'USD' });

const DISCOUNTS: readonly [terms: CouponTerms, subtotal: string, discount: string][] = [
  [percent('50'), '90', '45'],
  [percent('100'), '9.99', '9.99'],
  [percent('12.5'), '10', '1.25'],
  [percent('33'), '0.01', '0'],
  [percent('33'), '9.99', '3.3'],
  [percent('33'), '0.001', '0.00033'],
  [percent('10'), '0', '0'],
  // Half of a step, to the even neighbour.
  [percent('50'), '0.000000001', '0'],
  [percent('50'), '0.000000003', '0.000000002'],
  [fixed('5'), '90', '5'],
  [fixed('5'), '4.99', '4.99'],
  [fixed('5', { minimum_purchase: usd('20') }), '20', '5'],
];
for (const [terms, subtotal, discount] of DISCOUNTS) {
  test(`${JSON.stringify(terms)} takes ${discount} off ${subtotal}`, async (t) => {
    t.same(discountOf(terms, usd(subtotal)), { discount: usd(discount) });
  });
}

test('a discount is refused where it cannot be given', async (t) => {
  const euros = { amount: '50', currency: 'EUR' };
  t.same(discountOf(fixed('5'), euros), { code: 'coupon_wrong_currency', currency: 'USD' });
  const minimum = usd('20');
  const least = percent('10', { minimum_purchase: minimum });
  t.same(discountOf(least, usd('19.999999999')), { code: 'minimum_purchase', minimum });
  t.same(discountOf(least, euros), { code: 'coupon_wrong_currency', currency: 'USD' });
  t.same(discountOf({ credits: '100', ...once }, usd('20')), { code: 'coupon_not_for_purchases' });
});

test('a discount is never negative, never more than the subtotal, and within half a step of exact', async (t) => {
  const property = fc.property(
    fc.bigInt({ min: 0n, max: 10n ** 18n }),
    fc.integer({ min: 1, max: 1_000_000 }),
    (steps, tenThousandths) => {
      const text = formatAmount(steps, 'USD');
      const share = `${Math.floor(tenThousandths / 10_000)}.${String(tenThousandths % 10_000).padStart(4, '0')}`;
      const got = discountOf(percent(share), usd(text));
      if ('code' in got) return false;
      const discount = parseAmount(got.discount.amount, 'USD');
      const off = discount * 1_000_000n - steps * BigInt(tenThousandths);
      return discount >= 0n && discount <= steps && (off < 0n ? -off : off) <= 500_000n;
    },
  );
  t.doesNotThrow(() => fc.assert(property));
});

const FROM = '2026-01-01T00:00:00.000Z';
const UNTIL = '2026-02-01T00:00:00.000Z';

test('a coupon is valid from its first instant up to, and not including, its last', async (t) => {
  const terms = percent('10', { valid_from: FROM, expires_at: UNTIL });
  const why = (at: number) => whyUnusable(terms, at)?.code ?? null;
  t.equal(why(Date.parse(FROM) - 1), 'coupon_not_yet_valid');
  t.equal(why(Date.parse(FROM)), null);
  t.equal(why(Date.parse(UNTIL) - 1), null);
  t.equal(why(Date.parse(UNTIL)), 'coupon_expired');
  t.match(whyUnusable({ ...terms, active: false }, Date.parse(FROM)), { code: 'coupon_inactive' });
  t.equal(whyUnusable(percent('10'), 0), null);
});

const BAD: readonly [field: string, terms: object][] = [
  ['body', { ...once }],
  ['body', { percent: '10', credits: '10', ...once }],
  ['percent', percent('0')],
  ['percent', percent('100.1')],
  ['percent', percent('-10')],
  ['fixed.amount', fixed('0')],
  ['fixed.amount', fixed('1e2')],
  ['fixed.currency', { fixed: { amount: '1', currency: 'us' }, ...once }],
  ['credits', { credits: '0', ...once }],
  ['credits', { credits: '0.0000001', ...once }],
  ['max_uses', percent('10', { max_uses: 0 })],
  ['max_uses', percent('10', { max_uses: 1.5 })],
  ['max_uses_per_account', percent('10', { max_uses_per_account: 0 })],
  ['minimum_purchase', { credits: '1', minimum_purchase: usd('1'), ...once }],
  ['minimum_purchase.amount', percent('10', { minimum_purchase: usd('x') })],
  ['minimum_purchase.currency', fixed('1', { minimum_purchase: { amount: '1', currency: 'EUR' } })],
  ['expires_at', percent('10', { valid_from: UNTIL, expires_at: FROM })],
  ['plans', percent('10', { plans: [] })],
  ['plans', percent('10', { plans: ['a b'] })],
];
for (const [index, [field, terms]] of BAD.entries()) {
  test(`${index}: a fault in ${field} is named`, async (t) => {
    t.match(checkCoupon(terms as CouponTerms), { field, rule: /.{5}/ });
  });
}

test('good terms have no fault', async (t) => {
  const all = { max_uses: 1, valid_from: FROM, expires_at: UNTIL, plans: ['pro'], active: false };
  t.equal(checkCoupon(percent('100', all)), null);
  t.equal(checkCoupon(fixed('5', { minimum_purchase: usd('5') })), null);
  t.equal(checkCoupon({ credits: '0.000001', ...once }), null);
});
