/** Rule 21: debt means no free lot; whatever frees or adds credits pays it first, in the same entry, naming the lot. */
import { test } from 'tap';
import { accept, given, later, SECOND, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { account, balance, lots, moves } from '../testing/sight.ts';

test('a top-up pays debt first, and names the lot that paid', async (t) => {
  const past = given(order.record('u1', 4));
  const outcome = when(past, order.topUp('r1', '10', { paid: '1' }));
  t.same(moves(outcome), ['lot-2 granted>debt 4', 'lot-2 granted>free 6']);
  t.match(outcome, {
    events: [{ data: { after: { available: '6', held: '0' } }, facts: { paid: ['0.4', '0.6'] } }],
  });
  t.equal(balance(past), '6, held 0');
  t.equal(account(past, 'income:repayments'), '-0.4', 'what was paid for the debt is earned');
  t.equal(account(past, 'liabilities:deferred-revenue'), '-0.6');
});

test('repaying is not consuming again (L14)', async (t) => {
  const past = given(order.record('u1', 4), order.grant('g1', '10'));
  t.match(past.wallet.totals, { granted: 10_000_000n, consumed: 4_000_000n, available: 6_000_000n });
});

test('a lot that is all used up by debt leaves the wallet', async (t) => {
  const past = given(order.record('u1', 4), order.grant('g1', '3'));
  t.same(lots(past), []);
  t.equal(balance(past), '-1, held 0, debt 1');
});

test('what a hold lets go pays debt too', async (t) => {
  const past = given(order.topUp('r1', '10', { paid: '1' }), order.hold('h1', 8), order.record('u1', 7));
  t.equal(balance(past), '-5, held 8, debt 5');
  t.same(moves(when(past, order.voidHold('h1'))), ['lot-1 hold:h1>debt 5', 'lot-1 hold:h1>free 3']);
  t.equal(account(past, 'income:repayments'), '-0.5');
  t.equal(account(past, 'liabilities:deferred-revenue'), '-0.3');
});

test('then credits stand in for what is uncovered in open holds; the money stays deferred', async (t) => {
  const past = given(
    order.change({ overdraft_limit: '9' }),
    order.hold('h1', 3),
    order.hold('h2', 4),
    order.record('u1', 1),
  );
  t.equal(balance(past), '-8, held 7, debt 1, uncovered 7');
  t.same(moves(when(past, order.topUp('r1', '6', { paid: '0.6' }))), [
    'lot-5 granted>debt 1',
    'lot-5 granted>cover:h1 3',
    'lot-5 granted>cover:h2 2',
  ]);
  t.equal(balance(past), '-2, held 7, uncovered 2');
  t.same(lots(past), ['lot-5 0 (5 pinned, 0 USD)']);
  t.equal(account(past, 'liabilities:deferred-revenue'), '-0.5');
  t.same(moves(when(past, order.settle('h1', 3))), ['lot-5 hold:h1>spent 3']);
  t.equal(account(past, 'income:usage:fine'), '-0.3');
});

test('what one hold lets go covers another', async (t) => {
  const past = given(
    order.change({ overdraft_limit: '4' }),
    order.grant('g1', '5'),
    order.hold('h1', 5),
    order.hold('h2', 4),
  );
  t.same(moves(when(past, order.settle('h1', 2))), ['lot-2 hold:h1>spent 2', 'lot-2 hold:h1>cover:h2 3']);
  t.equal(balance(past), '-1, held 4, uncovered 1');
});

test('a hold that ends in debt pays it as of the instant it ended, though its lot has expired by now', async (t) => {
  const past = given();
  accept(past, order.grant('g1', '5', { expiresAt: past.now + 100 * SECOND }));
  accept(past, order.hold('h1', 5, 60));
  accept(past, order.record('u1', 2));
  later(past, 3600 * SECOND);
  const outcome = when(past, order.carryOutDues);
  t.same(moves(outcome), ['lot-1 hold:h1>debt 2', 'lot-1 hold:h1>free 3', 'lot-1 free>expired 3']);
  t.match(outcome, {
    dues: [
      {
        data: {
          items: [
            { kind: 'hold', id: 'h1' },
            { kind: 'lot', id: 'lot-1' },
          ],
        },
      },
    ],
  });
});
