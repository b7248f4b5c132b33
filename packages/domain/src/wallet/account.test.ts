import { test } from 'tap';
import { given, noPast, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { word } from '../testing/sight.ts';
import { walletDecider } from './decide.ts';
import type { WalletEvent } from './events.ts';

test('an account is opened once: the same again is a replay, with other terms a conflict', async (t) => {
  const past = noPast();
  t.equal(word(when(past, order.open())), 'recorded');
  t.equal(word(when(past, order.open())), 'replayed');
  t.equal(word(when(past, order.open({ overdraft_limit: '5' }))), 'conflict');
  t.same(past.events[0]?.data, {
    account: 'acme',
    price_book: null,
    overdraft_limit: '0',
    time_zone: 'UTC',
    currency: null,
  });
});

test('a change records what changes, and nothing where nothing does', async (t) => {
  const past = given();
  const terms = { overdraft_limit: '5', time_zone: 'UTC' };
  t.match(when(past, order.change(terms)), { events: [{ data: { overdraft_limit: '5' } }] });
  t.notOk('time_zone' in (past.events.at(-1)?.data ?? {}));
  t.equal(word(when(past, order.change(terms))), 'unchanged');
  t.equal(word(when(past, order.change({ price_book: 'vip', currency: 'EUR' }))), 'recorded');
  t.match(past.wallet, { priceBook: 'vip', currency: 'EUR', overdraftLimit: 5_000_000n });
  t.equal(word(when(past, order.change({ price_book: null }))), 'recorded');
  t.equal(past.wallet.priceBook, null);
});

test('freezing is a set of reasons: lifting one leaves the others (rule 34)', async (t) => {
  const past = given(
    order.topUp('1', '10'),
    order.freeze('case-1', 'dispute'),
    order.freeze('case-2', 'fraud'),
  );
  t.match(when(past, order.charge('1', 1)), {
    refusal: { code: 'account_frozen', reasons: ['dispute', 'fraud'] },
  });
  t.equal(word(when(past, order.unfreeze('case-1'))), 'recorded');
  t.match(when(past, order.charge('1', 1)), { refusal: { code: 'account_frozen', reasons: ['fraud'] } });
  t.equal(word(when(past, order.unfreeze('case-3'))), 'unchanged');
  t.equal(word(when(past, order.unfreeze('case-2'))), 'recorded');
  t.equal(word(when(past, order.charge('1', 1))), 'recorded');
});

test('the same freeze twice is one; a reference that was lifted freezes again', async (t) => {
  const past = given(order.topUp('1', '10'), order.freeze('case-1'));
  t.equal(word(when(past, order.freeze('case-1', 'another reason'))), 'unchanged');
  t.equal(word(when(past, order.unfreeze('case-1'))), 'recorded');
  t.equal(word(when(past, order.freeze('case-1'))), 'recorded');
  t.match(when(past, order.charge('1', 1)), { refusal: { code: 'account_frozen' } });
});

test('a frozen account makes no holds and no charges; what has run is booked, what comes in comes in', async (t) => {
  const past = given(order.topUp('1', '10'), order.hold('h1', 3), order.freeze('case-1'));
  t.equal(word(when(past, order.hold('h2', 1))), 'account_frozen');
  t.equal(word(when(past, order.extend('h1', 5))), 'account_frozen');
  t.equal(word(when(past, order.extend('h1', null, 600))), 'recorded', 'more time takes no credits');
  t.equal(word(when(past, order.record('1', 1))), 'recorded');
  t.equal(word(when(past, order.settle('h1', 2))), 'recorded');
  t.equal(word(when(past, order.topUp('2', '1'))), 'recorded');
});

test('an event of a type that this code does not know stops the wallet (rule 11)', async (t) => {
  const past = given();
  const unknown = { type: 'Teleported', key: null, data: {}, facts: {} } as unknown as WalletEvent;
  t.throws(() => walletDecider.evolve(past.wallet, unknown, 1), /Teleported/);
});

test('a wallet weighs more the more it holds', async (t) => {
  const light = given(order.topUp('1', '10'));
  const heavy = given(order.topUp('1', '10'), order.topUp('2', '10'), order.hold('h1', 1));
  t.ok(walletDecider.weigh(heavy.wallet) > walletDecider.weigh(light.wallet));
});
