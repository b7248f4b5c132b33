import { test } from 'tap';
import { accept, DAY, given, later, START, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import * as buying from '../../testing/purchase-orders.ts';
import { account, balance, word } from '../../testing/sight.ts';
import { SAVED_COUPONS_MAX } from './coupon.ts';

const { usd } = buying;
const starter = buying.offer(buying.STARTER, usd('10'));
const save50 = buying.coupon('SAVE50', { percent: '50' });
const welcome = buying.coupon('WELCOME', { credits: '250' });

test('a coupon of credits grants them at once, and once to an account', async (t) => {
  const past = given(buying.apply(welcome));
  t.equal(balance(past), '250, held 0');
  t.equal(account(past, 'expenses:promotions:coupon', 'credits'), '250');
  t.equal(word(when(past, buying.apply(welcome))), 'replayed');
  t.equal(balance(past), '250, held 0');
});

test('any other is saved, once, and forgotten when that is asked for', async (t) => {
  const past = given(buying.apply(save50));
  t.same(past.wallet.coupons, { saved: ['SAVE50'], uses: [] });
  t.equal(word(when(past, buying.apply(save50))), 'unchanged');
  accept(past, buying.forget('SAVE50'));
  t.same(past.wallet.coupons.saved, []);
  t.equal(word(when(past, buying.forget('SAVE50'))), 'unchanged');
});

test('one that was saved and is worth credits since grants them, and waits no more', async (t) => {
  const past = given(buying.apply(save50));
  accept(past, buying.apply(buying.coupon('SAVE50', { credits: '250' })));
  t.equal(balance(past), '250, held 0');
  t.same(past.wallet.coupons, { saved: [], uses: [{ code: 'SAVE50', count: 1 }] });
});

test('a purchase uses it; then the account has used it as often as it may', async (t) => {
  const past = given(buying.apply(save50), buying.buy('p1', starter, { with: save50 }));
  t.same(past.wallet.coupons, { saved: [], uses: [{ code: 'SAVE50', count: 1 }] });
  t.equal(word(when(past, buying.buy('p2', starter, { with: save50 }))), 'coupon_already_used');
  t.equal(word(when(past, buying.apply(save50))), 'coupon_already_used');
  accept(past, buying.pay('p1', usd('5')));
  t.equal(balance(past), '1000, held 0');
});

test('a use is free again when its purchase is canceled, or taken back whole and unspent', async (t) => {
  const past = given(buying.buy('p1', starter, { with: save50 }), buying.cancel('p1'));
  t.same(past.wallet.coupons.uses, []);
  accept(past, buying.buy('p2', starter, { with: save50, paid: true }));
  const paid = past.events.findLast(({ type }) => type === 'PurchasePaid');
  const [reversal] = accept(past, order.reverse(paid?.revision ?? 0));
  t.match(reversal?.data, { frees_coupon: { code: 'SAVE50', purchase: 'p2' } });
  t.same(past.wallet.coupons.uses, []);
});

test('a use is not free again when some of the purchase had been spent', async (t) => {
  const past = given(
    buying.buy('p1', starter, { with: save50, paid: true }),
    order.charge('u1', 1),
    order.reverse(2, true),
  );
  t.same(past.wallet.coupons.uses, [{ code: 'SAVE50', count: 1 }]);
});

test('as often as the terms say, and no more', async (t) => {
  const twice = buying.coupon('TWICE', { percent: '10', max_uses_per_account: 2 });
  const past = given(
    buying.buy('p1', starter, { with: twice }),
    buying.buy('p2', starter, { with: twice, paid: true }),
  );
  t.equal(word(when(past, buying.buy('p3', starter, { with: twice }))), 'coupon_already_used');
});

test('refusals name what is wrong', async (t) => {
  const cases = [
    { terms: { expires_at: '2026-01-01T00:00:00.000Z' }, code: 'coupon_expired' },
    { terms: { valid_from: '2026-01-02T00:00:00.000Z' }, code: 'coupon_not_yet_valid' },
    { terms: { active: false }, code: 'coupon_inactive' },
    { terms: { minimum_purchase: usd('10.01') }, code: 'minimum_purchase' },
    { terms: { minimum_purchase: { amount: '1', currency: 'EUR' } }, code: 'coupon_wrong_currency' },
    { terms: { plans: ['pro'] }, code: 'coupon_not_for_plan' },
  ];
  for (const { terms, code } of cases) {
    const past = given();
    const offered = buying.coupon('C', { percent: '10', ...terms });
    t.equal(word(when(past, buying.buy('p1', starter, { with: offered }))), code);
    t.same(past.wallet.coupons.uses, [], 'a refusal uses nothing');
  }
  const fixed = buying.coupon('C', { fixed: { amount: '5', currency: 'EUR' } });
  t.equal(word(when(given(), buying.buy('p1', starter, { with: fixed }))), 'coupon_wrong_currency');
  const credits = buying.coupon('C', { credits: '5' });
  t.equal(word(when(given(), buying.buy('p1', starter, { with: credits }))), 'coupon_not_for_purchases');
});

test('a coupon that expires between being saved and being used is refused', async (t) => {
  const soon = buying.coupon('SOON', { percent: '10', expires_at: new Date(START + DAY).toISOString() });
  const past = later(given(buying.apply(soon)), DAY);
  t.equal(word(when(past, buying.buy('p1', starter, { with: soon }))), 'coupon_expired');
});

test('saved coupons are bounded', async (t) => {
  const past = given();
  for (let n = 0; n < SAVED_COUPONS_MAX; n++)
    accept(past, buying.apply(buying.coupon(`C${n}`, { percent: '1' })));
  t.equal(word(when(past, buying.apply(save50))), 'too_many_coupons');
});
