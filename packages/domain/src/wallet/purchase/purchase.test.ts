import { test } from 'tap';
import { accept, byKey, given, later, type Past, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import * as buying from '../../testing/purchase-orders.ts';
import { account, balance, lots, moves, word } from '../../testing/sight.ts';
import type { Purchase, PurchasePaid } from './events.ts';

const { usd } = buying;
const half = buying.coupon('HALF', { percent: '50' });

function openedBy(past: Past, id: string): Purchase {
  const event = byKey(past, `purchase::${id}`);
  if (event?.type !== 'PurchaseOpened') throw new Error(`no purchase ${id}`);
  return event.data.purchase;
}
const paidBy = (past: Past): PurchasePaid => {
  const event = past.events.findLast(({ type }) => type === 'PurchasePaid');
  if (event?.type !== 'PurchasePaid') throw new Error('nothing was paid');
  return event.data;
};

test('the packages and amounts of the documents give the credits that they name', async (t) => {
  const rows = [
    { what: buying.offer(buying.STARTER, usd('10')), credits: '1000', bonus: '0', total: '10' },
    { what: buying.offer(buying.PRO, usd('90')), credits: '10000', bonus: '0', total: '90' },
    { what: buying.offer(buying.ENTERPRISE, usd('800')), credits: '100000', bonus: '0', total: '800' },
    { what: buying.amount('1'), credits: '100', bonus: '0', total: '1' },
    { what: buying.amount('99.99'), credits: '9999', bonus: '0', total: '99.99' },
    { what: buying.amount('100'), credits: '10000', bonus: '1000', total: '100' },
  ];
  for (const { what, credits, bonus, total } of rows) {
    const past = given(buying.buy('p1', what, { paid: true }));
    t.match(openedBy(past, 'p1'), { credits, bonus, total: usd(total) });
    t.equal(balance(past), `${Number(credits) + Number(bonus)}, held 0`);
    t.equal(account(past, 'assets:clearing:purchases'), total);
    t.equal(account(past, 'liabilities:deferred-revenue'), `-${total}`);
  }
});

test('a purchase is pending until it is paid, and nothing moves before', async (t) => {
  const past = given(buying.buy('p1', buying.amount('100')));
  t.equal(balance(past), '0, held 0');
  t.equal(account(past, 'assets:clearing:purchases'), '0');
  t.same(moves(when(past, buying.pay('p1', usd('100')))), ['lot-2 granted>free 11000']);
  t.equal(balance(past), '11000, held 0');
});

test('a payment whose amount is spelled in another way is the total', async (t) => {
  const past = given(buying.buy('p1', buying.amount('100')));
  accept(past, buying.pay('p1', usd('100.00')));
  t.equal(balance(past), '11000, held 0');
});

test('opened as paid it is one append, whose lot is named after the payment', async (t) => {
  const past = given();
  const events = accept(past, buying.buy('p1', buying.amount('100'), { paid: true }));
  t.same(
    events.map(({ type }) => type),
    ['PurchaseOpened', 'PurchasePaid', 'PurchaseClosed'],
  );
  t.match(events[0]?.data, { paid: { lot: 'lot-2', after: { available: '11000', held: '0' } } });
  t.equal(paidBy(past).lot, 'lot-2');
  t.same(lots(past), ['lot-2 11000 (100 USD)']);
});

test('the same reference again is the same purchase; with other content it is refused', async (t) => {
  const past = given(buying.buy('p1', buying.amount('100')));
  t.equal(word(when(past, buying.buy('p1', buying.amount('100')))), 'replayed');
  t.equal(word(when(past, buying.buy('p1', buying.amount('10')))), 'conflict');
  accept(past, buying.pay('p1', usd('100')));
  t.equal(word(when(past, buying.pay('p1', usd('100')))), 'replayed', 'the same payment');
  t.equal(balance(past), '11000, held 0');
});

test('saying again that a purchase is paid, under the reference that it was opened with, is the same fact', async (t) => {
  const past = given(buying.buy('p1', buying.amount('100'), { paid: true }));
  t.equal(word(when(past, buying.pay('p1', usd('100'), 'p1'))), 'replayed');
  t.equal(word(when(past, buying.pay('p1', usd('90'), 'p1'))), 'idempotency_conflict');
  t.equal(account(past, 'liabilities:unapplied'), '0');
});

test('one payment pays one thing', async (t) => {
  const past = given(buying.buy('p1', buying.amount('10')), buying.buy('p2', buying.amount('10')));
  accept(past, buying.pay('p1', usd('10'), 'charge-1'));
  t.equal(word(when(past, buying.pay('p2', usd('10'), 'charge-1'))), 'conflict');
  t.equal(
    word(when(past, buying.buy('charge-1', buying.amount('10'), { paid: true }))),
    'idempotency_conflict',
  );
});

test('money that is not the total is booked as unapplied, never as ordered', async (t) => {
  const cases = [usd('99'), usd('101'), { amount: '100', currency: 'EUR' }];
  for (const money of cases) {
    const past = given(buying.buy('p1', buying.amount('100')));
    const [event] = accept(past, buying.pay('p1', money));
    t.match(event, {
      type: 'PurchasePaymentUnapplied',
      data: { purchase: 'p1', reason: 'amount_differs' },
      facts: { payment: money },
    });
    t.equal(balance(past), '0, held 0');
    t.equal(account(past, 'assets:clearing:purchases', money.currency), money.amount);
    t.equal(account(past, 'liabilities:unapplied', money.currency), `-${money.amount}`);
    accept(past, buying.pay('p1', usd('100'), 'the-right-one'));
    t.equal(balance(past), '11000, held 0', 'it is still pending, and can be paid');
  }
});

test('a second payment, and one after it was canceled, are unapplied', async (t) => {
  const paid = given(buying.buy('p1', buying.amount('10')), buying.pay('p1', usd('10')));
  t.match(accept(paid, buying.pay('p1', usd('10'), 'again'))[0]?.data, { reason: 'already_paid' });
  t.equal(balance(paid), '1000, held 0');
  t.equal(account(paid, 'liabilities:unapplied'), '-10');
  const canceled = given(buying.buy('p1', buying.amount('10')), buying.cancel('p1'));
  t.match(accept(canceled, buying.pay('p1', usd('10')))[0]?.data, { reason: 'canceled' });
  t.equal(balance(canceled), '0, held 0');
});

test('only a pending purchase is canceled; twice is once', async (t) => {
  const past = given(buying.buy('p1', buying.amount('10')), buying.buy('p2', buying.amount('10')));
  accept(past, buying.cancel('p1'));
  t.equal(word(when(past, buying.cancel('p1'))), 'unchanged');
  accept(past, buying.pay('p2', usd('10')));
  t.equal(word(when(past, buying.cancel('p2'))), 'purchase_already_paid');
  t.equal(word(when(past, buying.cancel('p3'))), 'purchase_not_found');
  t.equal(word(when(past, buying.pay('p3', usd('10')))), 'purchase_not_found');
});

test('a pending purchase never ends by itself', async (t) => {
  const past = given(buying.buy('p1', buying.amount('10')));
  later(past, 5 * 365 * 24 * 3600 * 1000);
  accept(past, buying.pay('p1', usd('10')));
  t.equal(balance(past), '1000, held 0');
});

test('the net price is spread over what was bought and its bonus', async (t) => {
  const past = given(buying.buy('p1', buying.amount('110'), { paid: true }));
  accept(past, order.charge('u1', 1_210));
  // 12,100 credits for 110 USD: a tenth of them releases a tenth of the price.
  t.equal(account(past, 'income:usage:fine'), '-11');
  t.same(lots(past), ['lot-2 10890 (99 USD)'], 'a refund is at most net x remaining / total');
});

test('taking an unspent purchase back takes the bonus with it, and gives the whole price back', async (t) => {
  const past = given(buying.buy('p1', buying.amount('100'), { paid: true }));
  accept(past, order.reverse(2));
  t.equal(balance(past), '0, held 0');
  t.equal(account(past, 'assets:clearing:purchases'), '0');
  t.equal(account(past, 'liabilities:deferred-revenue'), '0');
  t.equal(account(past, 'equity:credits:issued', 'credits'), '0');
});

test('a purchase that was spent is taken back into debt only where that is asked for', async (t) => {
  const past = given(buying.buy('p1', buying.amount('100'), { paid: true }), order.charge('u1', 1_000));
  t.equal(word(when(past, order.reverse(2))), 'credits_already_spent');
  accept(past, order.reverse(2, true));
  t.equal(balance(past), '-1000, held 0, debt 1000');
  t.equal(account(past, 'assets:clearing:purchases'), '0');
  t.equal(account(past, 'expenses:clawbacks'), '9.090909091');
});

test('what is bought pays debt first', async (t) => {
  const past = given(order.record('u1', 300), buying.buy('p1', buying.amount('10'), { paid: true }));
  t.equal(balance(past), '700, held 0');
});

test('the volume bonus is that of what is paid', async (t) => {
  const past = given(buying.buy('p1', buying.amount('300'), { paid: true, with: half }));
  t.match(openedBy(past, 'p1'), {
    credits: '30000',
    bonus: '1500',
    discount: usd('150'),
    total: usd('150'),
    coupon: { code: 'HALF', version: 1 },
  });
  const small = given(buying.buy('p1', buying.amount('100'), { paid: true, with: half }));
  t.match(openedBy(small, 'p1'), { credits: '10000', bonus: '0', total: usd('50') });
});

test('with nothing to pay it is paid at once', async (t) => {
  const past = given(
    buying.buy('p1', buying.offer(buying.STARTER, usd('10')), {
      with: buying.coupon('GIFT', { fixed: usd('25') }),
    }),
  );
  t.match(openedBy(past, 'p1'), { discount: usd('10'), total: usd('0') }, 'never below zero');
  t.equal(balance(past), '1000, held 0');
});
