/** Rules 7 and 33: what falls due is carried out before the next command, in the order of its instants, bounded. */
import { test } from 'tap';
import { NO_CATALOGUES } from '../catalogue/catalogues.ts';
import { accept, DAY, given, givenMany, later, SECOND, START, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { balance, moves, word } from '../testing/sight.ts';
import { walletDecider } from './decide.ts';

test('dues come in the order of their instants, whatever they are', async (t) => {
  const past = given(
    order.grant('g1', '1', { expiresAt: START + 3 * SECOND }),
    order.grant('g2', '2', { expiresAt: START + SECOND }),
    order.grant('g3', '4'),
    order.hold('h1', 1, 2),
    order.charge('u1', 1),
  );
  later(past, DAY);
  const outcome = when(past, order.carryOutDues);
  t.match(outcome, { events: [], dues: [{ type: 'Expired', key: null }] });
  t.match(outcome, {
    dues: [
      {
        data: {
          items: [
            { kind: 'hold', id: 'h1', effective_at: '2026-01-01T00:00:02.000Z' },
            { kind: 'lot', id: 'lot-1', effective_at: '2026-01-01T00:00:03.000Z' },
          ],
        },
      },
    ],
  });
});

test('a hold and its lot that are due at the same instant expire together', async (t) => {
  const past = given(order.grant('g1', '5', { expiresAt: START + 60 * SECOND }), order.hold('h1', 3, 60));
  later(past, 60 * SECOND);
  t.same(moves(when(past, order.carryOutDues)), ['lot-1 hold:h1>expired 3', 'lot-1 free>expired 2']);
});

test('a refused, repeated or needless command carries out nothing', async (t) => {
  const past = given(order.grant('g1', '5', { expiresAt: START + SECOND }), order.grant('g2', '1'));
  later(past, SECOND);
  const events = past.events.length;
  t.equal(word(when(past, order.charge('u1', 6))), 'insufficient_credits');
  t.equal(word(when(past, order.grant('g2', '1'))), 'replayed');
  t.equal(word(when(past, order.change({}))), 'unchanged');
  t.equal(past.events.length, events);
  t.equal(word(when(past, order.charge('u1', 1))), 'recorded');
  t.equal(past.events.at(-2)?.type, 'Expired');
});

test('more than a few hundred at once are done in parts, and say that there is more', async (t) => {
  const many = Array.from({ length: 450 }, (_, n) =>
    order.grant(`g${n}`, '1', { expiresAt: START + SECOND + n }),
  );
  const past = givenMany(many);
  later(past, DAY);
  const first = walletDecider.dues(past.wallet, past.now, NO_CATALOGUES);
  t.equal(first.more, true);
  const outcome = when(past, order.carryOutDues);
  if (outcome.status !== 'recorded') throw new Error(word(outcome));
  t.same(
    outcome.dues.map(({ data }) => (data as { items: unknown[] }).items.length),
    [200, 200, 50],
  );
  t.equal(balance(past), '0, held 0');
});

test('asking what is due changes nothing but the memory of when to ask again', async (t) => {
  const past = given(order.grant('g1', '5', { expiresAt: START + DAY }));
  past.wallet.nextDueAt = 0;
  t.same(walletDecider.dues(past.wallet, START, NO_CATALOGUES), { events: [], more: false });
  t.equal(past.wallet.nextDueAt, START + DAY);
  const before = structuredClone(past.wallet);
  t.equal(walletDecider.dues(past.wallet, START + DAY, NO_CATALOGUES).events.length, 1);
  t.same(past.wallet, before);
});

test('an unused wallet has nothing to wait for', async (t) => {
  const past = given();
  accept(past, order.grant('g1', '1'));
  t.same(walletDecider.dues(past.wallet, Number.MAX_SAFE_INTEGER - 1, NO_CATALOGUES), {
    events: [],
    more: false,
  });
});
