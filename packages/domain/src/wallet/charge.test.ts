import { test } from 'tap';
import { bookVersion, STANDARD } from '../testing/books.ts';
import { accept, DAY, given, later, SECOND, START, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { account, balance, lots, moves, word } from '../testing/sight.ts';

test('a charge says what was used, what it cost, and which lots paid', async (t) => {
  const past = given(order.topUp('r1', '5', { paid: '0.5' }), order.grant('g1', '10'));
  const usage = { input_tokens: 1000, output_tokens: 500 };
  const [event] = accept(past, order.charge('u1', usage, { model: 'gpt-4', metadata: { trace: 'x' } }));
  t.match(event, {
    type: 'UsageCharged',
    key: 'usage::u1',
    data: {
      usage_id: 'u1',
      source: '',
      model: 'gpt-4',
      usage,
      mode: 'charge',
      occurred_at: '2026-01-01T00:00:00.000Z',
      credits: '8',
      price_book: { name: 'default', version: 1 },
      moves: [
        { lot: 'lot-1', from: 'free', to: 'spent', credits: '5' },
        { lot: 'lot-2', from: 'free', to: 'spent', credits: '3' },
      ],
      entry: [
        { account: 'liabilities:wallets:acme:available', unit: 'credits', amount: '8' },
        { account: 'income:usage:gpt-4', unit: 'credits', amount: '-8' },
      ],
      after: { available: '7', held: '0' },
    },
    facts: {
      paid: ['0.5', '0'],
      price: { exact: '7.5' },
      supplier: 'openai',
      cost: null,
      metadata: { trace: 'x' },
    },
  });
  t.equal(account(past, 'income:usage:gpt-4'), '-0.5', 'deferred revenue is released');
  t.notMatch(JSON.stringify(event?.data), /USD|trace/, 'owners see no currency and no metadata (P8)');
});

test('our cost is booked beside the charge, as the book has it or as the caller knows better (P9)', async (t) => {
  const past = given(
    order.topUp('r1', '100'),
    order.charge('u1', { input_tokens: 1000 }, { model: 'claude' }),
  );
  t.equal(account(past, 'expenses:suppliers:anthropic'), '0.03');
  t.equal(account(past, 'liabilities:suppliers:anthropic'), '-0.03');
  accept(past, order.charge('u2', 1, { cost: { amount: '0.5', currency: 'EUR' } }));
  t.equal(account(past, 'expenses:suppliers:acme', 'EUR'), '0.5');
  t.match(past.events.at(-1)?.facts, { cost: { amount: '0.5', currency: 'EUR' } });
});

test('the last credits of a lot take all the money that is left, others their share to the nearest step (rule 22)', async (t) => {
  const past = given(order.topUp('r1', '3', { paid: '1' }));
  const paid = ['1', '2', '3'].map((id) => accept(past, order.charge(id, 1))[0]?.facts);
  t.match(paid, [{ paid: ['0.333333333'] }, { paid: ['0.333333334'] }, { paid: ['0.333333333'] }]);
  t.same(lots(past), []);
  t.equal(account(past, 'income:usage:fine'), '-1');
});

test('a share of more than half a step is rounded up, of less down', async (t) => {
  const past = given(
    order.topUp('r1', '3', { paid: '2' }),
    order.topUp('r2', '3', { paid: '1', priority: 200 }),
  );
  t.match(accept(past, order.charge('u1', 1)), [{ facts: { paid: ['0.666666667'] } }]);
  accept(past, order.charge('u2', 2));
  t.match(accept(past, order.charge('u3', 1)), [{ facts: { paid: ['0.333333333'] } }]);
});

test('too little is a refusal that says what there is and what it takes', async (t) => {
  const past = given(order.grant('g1', '1.5'));
  t.same(when(past, order.charge('u1', 2)), {
    status: 'refused',
    refusal: { code: 'insufficient_credits', available: '1.5', required: '2' },
  });
  t.equal(word(when(past, order.charge('u1', 1))), 'recorded', 'a refusal burns no key');
});

test('the overdraft is there to be used, to its last step, and no further', async (t) => {
  const past = given(order.change({ overdraft_limit: '5' }), order.grant('g1', '2'));
  t.same(moves(when(past, order.charge('u1', 3))), ['lot-2 free>spent 2', '- overdraft>spent 1']);
  t.equal(word(when(past, order.charge('u2', 5))), 'insufficient_credits');
  t.equal(word(when(past, order.charge('u3', 4))), 'recorded');
  t.equal(balance(past), '-5, held 0, debt 5');
  t.equal(word(when(past, order.charge('u4', { characters: 1 }))), 'insufficient_credits');
});

test('one step beyond the overdraft is beyond it', async (t) => {
  const past = given(order.change({ overdraft_limit: '0.333333' }));
  t.equal(word(when(past, order.charge('u1', { characters: 1 }))), 'insufficient_credits', 'costs 0.333334');
  t.equal(word(when(past, order.hold('h1', { characters: 1 }))), 'insufficient_credits');
  accept(past, order.change({ overdraft_limit: '0.333334' }));
  t.equal(word(when(past, order.charge('u1', { characters: 1 }))), 'recorded');
});

test('what costs nothing may run, in debt too', async (t) => {
  const past = given(order.record('u1', 3));
  t.equal(balance(past), '-3, held 0, debt 3');
  t.equal(word(when(past, order.charge('u2', { calls: 1 }, { model: 'free' }))), 'recorded');
  t.match(past.events.at(-1)?.data, { credits: '0', moves: [], entry: [] });
});

test('"record" is booked whatever happens: the call has run', async (t) => {
  const past = given(order.grant('g1', '1'), order.freeze('f1'));
  t.equal(word(when(past, order.record('u1', 3))), 'recorded');
  t.equal(balance(past), '-2, held 0, debt 2');
});

test('the same usage again is the same charge; another body under its id is a conflict; another source is another usage', async (t) => {
  const past = given(order.grant('g1', '10'), order.charge('u1', 1, { source: 'gw-1' }));
  t.equal(word(when(past, order.charge('u1', 1, { source: 'gw-1' }))), 'replayed');
  t.equal(word(when(past, order.charge('u1', 2, { source: 'gw-1' }))), 'conflict');
  t.equal(word(when(past, order.charge('u1', 1, { source: 'gw-2' }))), 'recorded');
  t.equal(balance(past), '8, held 0');
});

test('price time is when it occurred, never later than now (rule 24)', async (t) => {
  const past = given(order.grant('g1', '100'));
  const dearer = { models: { fine: { prices: { calls: { credits: '3', per: 1 } } } } };
  past.books = past.books.with(bookVersion('default', 2, START + DAY, dearer));
  later(past, 2 * DAY);
  t.match(accept(past, order.charge('old', 1, { occurredAt: START })), [{ data: { credits: '1' } }]);
  t.match(accept(past, order.charge('new', 1)), [{ data: { credits: '3', price_book: { version: 2 } } }]);
  past.books = past.books.with(bookVersion('default', 3, past.now + SECOND, STANDARD));
  t.match(accept(past, order.charge('ahead', 1, { occurredAt: past.now + 60 * SECOND })), [
    { data: { credits: '3', occurred_at: new Date(past.now).toISOString() } },
  ]);
});

test("an account's own price book goes before the default", async (t) => {
  const past = given(order.grant('g1', '10'), order.change({ price_book: 'vip' }));
  const vip = { models: { fine: { prices: { calls: { credits: '2', per: 1 } } } } };
  past.books = past.books.with(bookVersion('vip', 1, 0, vip));
  t.match(accept(past, order.charge('u1', 1)), [
    { data: { credits: '2', price_book: { name: 'vip', version: 1 } } },
  ]);
});
