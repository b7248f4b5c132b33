import { test } from 'tap';
import { accept, DAY, given, givenMany, later, START, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { account, balance, lots, moves, word } from '../testing/sight.ts';
import { LOTS_MAX } from './credit.ts';

test('a top-up makes a lot, and owes what was paid for it', async (t) => {
  const past = given();
  const [event] = accept(
    past,
    order.topUp('r1', '1000', { paid: '10', expiresAt: START + DAY, priority: 50 }),
  );
  t.match(event, {
    type: 'TopUp',
    data: {
      lot: 'lot-1',
      credits: '1000',
      source: 'stripe',
      reference: 'r1',
      lots: [
        {
          lot: 'lot-1',
          unit: 'credits',
          quantity: '1000',
          priority: 50,
          expires_at: '2026-01-02T00:00:00.000Z',
          withdrawable: '0',
          origin: { kind: 'top_up', of: 'stripe', ref: 'r1' },
        },
      ],
      moves: [{ lot: 'lot-1', from: 'granted', to: 'free', credits: '1000' }],
      after: { available: '1000', held: '0' },
    },
    facts: { paid: ['10'], lots: { 'lot-1': { amount: '10', currency: 'USD' } } },
  });
  t.equal(account(past, 'assets:clearing:stripe'), '10');
  t.equal(account(past, 'liabilities:deferred-revenue'), '-10');
  t.equal(account(past, 'equity:credits:issued', 'credits'), '1000');
  t.notMatch(JSON.stringify(event?.data), 'USD', 'what the owner sees holds no currency (P8)');
});

test('the same source and reference is the same top-up; of another source it is another', async (t) => {
  const past = given(order.topUp('r1', '10'));
  t.equal(word(when(past, order.topUp('r1', '10'))), 'replayed');
  t.equal(word(when(past, order.topUp('r1', '11'))), 'conflict');
  t.equal(word(when(past, order.topUp('r1', '10', { source: 'paypal' }))), 'recorded');
  t.equal(balance(past), '20, held 0');
});

test('a grant is an expense of its kind, and owes no money', async (t) => {
  const past = given(order.grant('r1', '100', { kind: 'referral' }));
  t.equal(account(past, 'expenses:promotions:referral', 'credits'), '100');
  t.same(past.events.at(-1)?.facts, { entry: [], paid: ['0'] });
});

test('an adjustment upwards makes a lot of its own, downwards takes in burn order', async (t) => {
  const past = given(order.grant('old', '5', { expiresAt: START + DAY }), order.adjust('a1', '10'));
  t.same(lots(past), ['lot-1 5', 'lot-2 10']);
  t.same(moves(when(past, order.adjust('a2', '-7'))), ['lot-1 free>adjusted 5', 'lot-2 free>adjusted 2']);
  t.equal(account(past, 'equity:credits:adjustments', 'credits'), '3');
});

test("finance's word stands: an adjustment beyond what is there makes debt", async (t) => {
  const past = given(order.grant('g', '5'), order.adjust('a1', '-7.5'));
  t.equal(balance(past), '-2.5, held 0, debt 2.5');
  t.match(past.events.at(-1)?.data, { credits: '-7.5', after: { available: '-2.5' } });
});

test('money that an adjustment takes out of a lot is income of adjustments', async (t) => {
  const past = given(order.topUp('r1', '10', { paid: '1' }), order.adjust('a1', '-4'));
  t.equal(account(past, 'income:adjustments'), '-0.4');
  t.equal(account(past, 'liabilities:deferred-revenue'), '-0.6');
});

test('the burn order: priority, then what expires first, then what cannot be withdrawn, then age (rule 26)', async (t) => {
  const past = given(
    order.grant('never', '1'),
    order.grant('last', '1', { priority: 200, expiresAt: START + DAY }),
    order.grant('in 2 days', '1', { expiresAt: START + 2 * DAY }),
    order.grant('in 1 day', '1', { expiresAt: START + DAY }),
    order.grant('first', '1', { priority: 1 }),
    order.grant('never, younger', '1'),
  );
  t.same(moves(when(past, order.charge('1', 6))), [
    'lot-5 free>spent 1',
    'lot-4 free>spent 1',
    'lot-3 free>spent 1',
    'lot-1 free>spent 1',
    'lot-6 free>spent 1',
    'lot-2 free>spent 1',
  ]);
});

test('where there are too many lots, one with equal marks, expiry and unit price grows; another is refused (rule 7)', async (t) => {
  const many = Array.from({ length: LOTS_MAX }, (_, n) => order.topUp(`r${n}`, '2', { paid: '1' }));
  const past = givenMany(many);
  t.equal(past.wallet.lots.length, LOTS_MAX);
  t.equal(word(when(past, order.topUp('dearer', '2', { paid: '1.5' }))), 'too_many_lots');
  t.equal(word(when(past, order.topUp('free', '2'))), 'too_many_lots');
  t.equal(
    word(when(past, order.topUp('euro', '2', { paid: { amount: '1', currency: 'EUR' } }))),
    'too_many_lots',
  );
  t.equal(
    word(when(past, order.topUp('dated', '2', { paid: '1', expiresAt: START + DAY }))),
    'too_many_lots',
  );
  t.equal(word(when(past, order.topUp('first', '2', { paid: '1', priority: 1 }))), 'too_many_lots');
  t.equal(word(when(past, order.topUp('else', '2', { paid: '1', source: 'paypal' }))), 'too_many_lots');
  t.equal(word(when(past, order.grant('g', '2'))), 'too_many_lots');
  const [event] = accept(past, order.topUp('equal', '4', { paid: '2' }));
  t.match(event?.data, {
    lot: 'lot-1',
    moves: [{ lot: 'lot-1', from: 'granted', to: 'free', credits: '4' }],
  });
  t.notOk('lots' in (event?.data ?? {}), 'no lot is born');
  t.equal(lots(past)[0], 'lot-1 6 (3 USD)');
  t.equal(past.wallet.lots.length, LOTS_MAX);
});

test('a wallet cannot be given more than its columns can take', async (t) => {
  const most = Array.from({ length: 1_000 }, (_, n) => order.grant(`g${n}`, '1000000000'));
  const past = givenMany(most);
  t.match(when(past, order.grant('one more', '1')), {
    refusal: { code: 'balance_limit', limit: '1000000000000' },
  });
});

test('what has expired is not spent, and its money is breakage', async (t) => {
  const past = given(order.topUp('r1', '10', { paid: '1', expiresAt: START + DAY }), order.charge('1', 4));
  later(past, DAY - 1);
  t.equal(word(when(past, order.charge('2', 1))), 'recorded', 'a moment before');
  later(past, 1);
  t.match(when(past, order.charge('3', 1)), {
    refusal: { code: 'insufficient_credits', available: '0', required: '1' },
  });
  t.equal(past.events.at(-1)?.type, 'UsageCharged', 'a refused command emits no expiry (rule 7)');
  t.equal(word(when(past, order.carryOutDues)), 'recorded');
  t.equal(account(past, 'income:breakage'), '-0.5');
  t.equal(account(past, 'income:breakage', 'credits'), '-5');
  t.equal(account(past, 'liabilities:deferred-revenue'), '0');
});
