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

test('a text in which the sums do not hold is thrown out', async (t) => {
  const { wallet } = given(order.topUp('r1', '10', { paid: '5' }), order.hold('h1', 2));
  const text = walletDecider.freeze(wallet);
  const damages: [string, (state: Record<string, string>) => object][] = [
    ['it is of this account', () => ({ account: 'other' })],
    ['available is', (state) => ({ totals: raised(state.totals, 'available') })],
    ['available is', (state) => ({ lots: [raised(state.lots?.[0], 'free')] })],
    ['available is', () => ({ lots: [] })],
    ['held is', () => ({ holds: [] })],
    ['L14', (state) => ({ totals: raised(state.totals, 'granted') })],
    ['no stock', (state) => ({ lots: [{ ...Object(state.lots?.[0]), paid: '-1n' }] })],
    ['no stock', (state) => ({ lots: [{ ...Object(state.lots?.[0]), pinned: '-1n' }] })],
  ];
  for (const [rule, damage] of damages) {
    const state = JSON.parse(text);
    const damaged = JSON.stringify({ ...state, ...damage(state) });
    t.throws(() => walletDecider.thaw('acme', damaged), { message: new RegExp(rule) });
  }
});

function raised(part: unknown, member: string): object {
  const { [member]: amount = '0n', ...rest } = part as Record<string, string>;
  return { ...rest, [member]: `${BigInt(amount.slice(0, -1)) + 1n}n` };
}
