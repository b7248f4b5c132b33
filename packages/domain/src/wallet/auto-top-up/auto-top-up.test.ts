import { test } from 'tap';
import { accept, byKey, DAY, given, later, type Past, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import * as buying from '../../testing/purchase-orders.ts';
import { account, balance, word } from '../../testing/sight.ts';
import type { WalletCommand } from '../commands.ts';

const { usd } = buying;
const HOUR = 3_600_000;

/** The request that waits for an answer, after an order where one is given. */
function ask(past: Past, command?: WalletCommand): string | null {
  if (command !== undefined) accept(past, command);
  return past.wallet.autoTopUp?.open?.id ?? null;
}

/** 150 credits, and more is wanted below 100. */
const ready = (terms = {}): Past => given(order.grant('g1', '150'), buying.setAutoTopUp(terms));

test('below the threshold a top-up is asked for; at it, not', async (t) => {
  const past = ready();
  t.equal(ask(past, order.charge('u1', 50)), null);
  const id = ask(past, order.charge('u2', 1));
  t.equal(id, 'auto-top-up-5', 'named after the revision that asks');
  t.match(byKey(past, `auto-top-up::${id}`)?.data, { amount: usd('10'), credits: '99', threshold: '100' });
});

test('a hold alone sets nothing off; what it comes to does', async (t) => {
  const past = ready();
  t.equal(ask(past, order.hold('h1', 140)), null);
  t.equal(ask(past, order.voidHold('h1')), null);
  t.equal(ask(past, order.hold('h2', 140)), null);
  t.not(ask(past, order.settle('h2', 140)), null);
});

test('off, frozen, or never set: nothing is asked for', async (t) => {
  t.equal(ask(given(order.charge('u0', 0)), order.record('u1', 5)), null);
  t.equal(ask(ready({ enabled: false }), order.charge('u1', 100)), null);
  const past = ready();
  accept(past, order.freeze('f1'));
  t.equal(ask(past, order.record('u1', 100)), null);
});

test('one at a time, however long the answer takes', async (t) => {
  const past = ready({ cool_off_seconds: 0 });
  const id = ask(past, order.charge('u1', 100));
  t.not(id, null);
  later(past, 10 * DAY);
  t.equal(ask(past, order.charge('u2', 1)), id);
});

test('an account that is below already asks as soon as it is set', async (t) => {
  t.equal(ask(ready({ threshold: '5000' })), 'auto-top-up-3');
});

test('the next one waits for the cool-off', async (t) => {
  const past = ready({ threshold: '5000' });
  t.equal(ask(past, buying.answer(ask(past) ?? '', usd('10'))), null);
  t.equal(balance(past), '1150, held 0');
  later(past, HOUR - 1);
  t.equal(ask(past, order.charge('u2', 1)), null);
  later(past, 1);
  t.not(ask(past, order.charge('u3', 1)), null);
});

test('so many in a day of the account, whose zone says when it begins', async (t) => {
  const past = given(
    order.change({ time_zone: 'Asia/Shanghai' }),
    order.grant('g1', '150'),
    buying.setAutoTopUp({ threshold: '50000', cool_off_seconds: 0, daily_cap: 2 }),
  );
  // 2026-01-01T00:00Z is 08:00 in Shanghai: the day ends 16 hours later.
  const answered = (): string | null => ask(past, buying.answer(ask(past) ?? '', usd('10')));
  t.not(answered(), null, 'the second is asked for at once');
  t.equal(answered(), null, 'a third is not');
  later(past, 16 * HOUR - 1);
  t.equal(ask(past, order.charge('u1', 1)), null);
  later(past, 1);
  t.not(ask(past, order.charge('u2', 1)), null);
});

test('paid, it is a purchase of the free amount', async (t) => {
  const past = ready({ amount: usd('100') });
  const id = ask(past, order.charge('u1', 60)) ?? '';
  t.match(accept(past, buying.answer(id, usd('100.00')))[0], {
    type: 'AutoTopUpResolved',
    data: { result: 'paid', paid: { purchase: { id, credits: '10000', bonus: '1000', auto_top_up: id } } },
  });
  t.equal(balance(past), '11090, held 0');
  t.equal(account(past, 'assets:clearing:purchases'), '100');
  t.match(
    past.events.findLast(({ type }) => type === 'PurchasePaid')?.data,
    { reference: `answer-${id}`, lot: 'lot-7' },
    'and its lot leads to its event',
  );
  t.equal(word(when(past, buying.answer(id, usd('100.00')))), 'replayed');
  t.match(accept(past, buying.pay(id, usd('100'), 'other'))[0]?.data, { reason: 'already_paid' });
});

test('another sum than was asked for is unapplied, and the request is over', async (t) => {
  const past = ready();
  const id = ask(past, order.charge('u1', 60)) ?? '';
  accept(past, buying.answer(id, usd('9')));
  t.equal(balance(past), '90, held 0');
  t.equal(account(past, 'liabilities:unapplied'), '-9');
  t.equal(past.wallet.autoTopUp?.open, null);
});

test('money for a request that was answered already is unapplied; a word without money changes nothing', async (t) => {
  const past = ready();
  const id = ask(past, order.charge('u1', 60)) ?? '';
  accept(past, buying.answer(id, null, 'first'));
  t.match(accept(past, buying.answer(id, usd('10'), 'late'))[0]?.data, { reason: 'already_resolved' });
  t.equal(account(past, 'liabilities:unapplied'), '-10');
  t.equal(word(when(past, buying.answer(id, null, 'later'))), 'unchanged');
  t.equal(word(when(past, buying.answer('auto-top-up-1', null, 'x'))), 'auto_top_up_not_found');
});

test('off after three were declined in a row; one that is paid begins the count anew; setting it again trusts it again', async (t) => {
  const terms = { threshold: '50000', cool_off_seconds: 0, daily_cap: 100 };
  const past = ready(terms);
  const answer = (paid: boolean): string | null => {
    const id = ask(past) ?? '';
    return ask(past, buying.answer(id, paid ? usd('10') : null));
  };
  for (const paid of [false, false, true, false, false]) t.not(answer(paid), null);
  t.equal(past.wallet.autoTopUp?.isOff, false);
  t.equal(answer(false), null);
  t.match(past.events.at(-1)?.data, { result: 'declined', off: true });
  t.equal(ask(past, order.charge('u1', 1)), null, 'off');
  t.not(ask(past, buying.setAutoTopUp(terms)), null);
});

test('the same settings again change nothing', async (t) => {
  t.equal(word(when(ready(), buying.setAutoTopUp())), 'unchanged');
});
