import { test } from 'tap';
import { given } from '../testing/given.ts';
import { comparable } from '../testing/invariants.ts';
import * as order from '../testing/orders.ts';
import { walletDecider } from './decide.ts';

test('ids and texts that look like amounts stay what they are', async (t) => {
  const past = given(
    order.topUp('5n', '10', { source: '7n', paid: '1' }),
    order.hold('12n', 2),
    order.freeze('3n', '-4n'),
    order.change({ price_book: '9n' }),
  );
  const { wallet } = past;
  const thawed = walletDecider.thaw('acme', walletDecider.freeze(wallet));
  t.same(comparable(thawed), comparable(wallet));
  t.equal(thawed.priceBook, '9n');
  t.equal(thawed.lots[0]?.origin.of, '7n');
  t.equal(thawed.frozen.get('3n'), '-4n');
});

test('freezing is a text of the state alone', async (t) => {
  const past = given(order.topUp('r1', '10'), order.hold('h1', 2));
  const text = walletDecider.freeze(past.wallet);
  t.equal(walletDecider.freeze(walletDecider.thaw('acme', text)), text);
});
