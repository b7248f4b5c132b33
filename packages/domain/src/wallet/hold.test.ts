import { test } from 'tap';
import { bookVersion } from '../testing/books.ts';
import { accept, DAY, given, givenMany, later, SECOND, START, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { account, balance, lots, moves, word } from '../testing/sight.ts';
import { HOLDS_MAX, UNCOVERED_HOLDS_MAX } from './hold.ts';
import type { Hold } from './state.ts';

const paid10 = order.topUp('r1', '10', { paid: '1' });

test('a hold pins lots with their money, and its price-book version', async (t) => {
  const past = given(paid10);
  const [event] = accept(past, order.hold('h1', 4, 60));
  t.match(event, {
    type: 'HoldPlaced',
    key: 'hold::h1',
    data: {
      hold: 'h1',
      purpose: 'call',
      credits: '4',
      expires_at: '2026-01-01T00:01:00.000Z',
      price_book: { name: 'default', version: 1 },
      moves: [{ lot: 'lot-1', from: 'free', to: 'hold:h1', credits: '4' }],
      after: { available: '6', held: '4' },
    },
    facts: { paid: ['0.4'] },
  });
  t.same(lots(past), ['lot-1 6 (4 pinned, 0.6 USD)']);
  t.equal(account(past, 'liabilities:deferred-revenue'), '-1', 'nothing is earned yet');
});

test('a hold that the wallet cannot carry is refused; the overdraft counts', async (t) => {
  const past = given(paid10);
  t.match(when(past, order.hold('h1', 11)), {
    refusal: { code: 'insufficient_credits', available: '10', required: '11' },
  });
  accept(past, order.change({ overdraft_limit: '5' }));
  t.equal(word(when(past, order.hold('h1', 15))), 'recorded');
  t.equal(balance(past), '-5, held 15, uncovered 5');
  t.equal(word(when(past, order.hold('h2', { characters: 1 }))), 'insufficient_credits');
});

test('a hold for what has no price is refused, after the catalogues were read to their heads', async (t) => {
  const past = given(paid10);
  t.match(when(past, order.hold('h1', 1, 60, 'new')), {
    refusal: { code: 'no_price', reason: 'no_model', missing: 'new' },
  });
  const models = { new: { prices: { calls: { credits: '2', per: 1 } } } };
  past.freshBooks = past.books.with(bookVersion('default', 2, START, { models }));
  t.equal(word(when(past, order.hold('h1', 1, 60, 'new'))), 'recorded');
});

test('the same hold again is the same hold', async (t) => {
  const past = given(paid10, order.hold('h1', 4));
  t.equal(word(when(past, order.hold('h1', 4))), 'replayed');
  t.equal(word(when(past, order.hold('h1', 5))), 'conflict');
});

test('settling charges what was used and lets the rest go', async (t) => {
  const past = given(paid10, order.hold('h1', 4));
  const settled = when(past, order.settle('h1', 3));
  t.same(moves(settled), ['lot-1 hold:h1>spent 3', 'lot-1 hold:h1>free 1']);
  t.match(settled, {
    events: [{ key: 'usage::h1', data: { usage_id: 'h1', hold: 'h1', model: 'fine', mode: 'record' } }],
  });
  t.equal(balance(past), '7, held 0');
  t.equal(account(past, 'income:usage:fine'), '-0.3');
  t.equal(word(when(past, order.settle('h1', 3))), 'replayed');
  t.equal(word(when(past, order.settle('h1', 2))), 'conflict');
});

test('settling more than was held takes the rest from the wallet, and goes into debt rather than lose a call', async (t) => {
  const past = given(paid10, order.hold('h1', 4));
  t.same(moves(when(past, order.settle('h1', 12))), [
    'lot-1 hold:h1>spent 4',
    'lot-1 free>spent 6',
    '- overdraft>spent 2',
  ]);
  t.equal(balance(past), '-2, held 0, debt 2');
  t.equal(account(past, 'income:usage:fine'), '-1');
});

test('settling consumes pinned lots in burn order', async (t) => {
  const past = given(order.grant('young', '2'), order.hold('h1', 2));
  accept(past, order.grant('dying', '2', { expiresAt: START + DAY }));
  accept(past, order.extend('h1', 4));
  t.same(moves(when(past, order.settle('h1', 3))), [
    'lot-3 hold:h1>spent 2',
    'lot-1 hold:h1>spent 1',
    'lot-1 hold:h1>free 1',
  ]);
});

test('what is uncovered in a hold is consumed last and becomes debt; what is not consumed of it ends first', async (t) => {
  const past = given(order.change({ overdraft_limit: '5' }), paid10, order.hold('h1', 14));
  t.same(moves(when(past, order.settle('h1', 12))), [
    'lot-2 hold:h1>spent 10',
    '- hold:h1>spent 2',
    '- hold:h1>overdraft 2',
  ]);
  t.equal(balance(past), '-2, held 0, debt 2');
});

test('the price is that of the version the hold has pinned', async (t) => {
  const past = given(paid10, order.hold('h1', 4));
  const dearer = { models: { fine: { prices: { calls: { credits: '3', per: 1 } } } } };
  past.books = past.books.with(bookVersion('default', 2, START, dearer));
  t.match(accept(past, order.settle('h1', 2)), [{ data: { credits: '2', price_book: { version: 1 } } }]);
});

test('voiding lets everything go, once; then settling is refused', async (t) => {
  const past = given(paid10, order.hold('h1', 4));
  t.same(moves(when(past, order.voidHold('h1'))), ['lot-1 hold:h1>free 4']);
  t.same(lots(past), ['lot-1 10 (1 USD)']);
  t.equal(word(when(past, order.voidHold('h1'))), 'replayed');
  t.match(when(past, order.settle('h1', 1)), {
    refusal: { code: 'hold_closed', hold: 'h1', status: 'voided' },
  });
  t.match(when(past, order.extend('h1', 5)), { refusal: { code: 'hold_closed', status: 'voided' } });
  t.match(when(past, order.charge('u1', 1, { hold: 'h1' })), {
    refusal: { code: 'hold_closed', status: 'voided' },
  });
});

test('a settled hold can be neither voided nor extended', async (t) => {
  const past = given(paid10, order.hold('h1', 4), order.settle('h1', 1));
  t.match(when(past, order.voidHold('h1')), { refusal: { code: 'hold_closed', status: 'settled' } });
  t.match(when(past, order.extend('h1', 9)), { refusal: { code: 'hold_closed', status: 'settled' } });
});

test('a hold that nobody placed is not found; "record" is booked without it', async (t) => {
  const past = given(paid10);
  for (const command of [order.settle('h9', 1), order.voidHold('h9'), order.extend('h9', 1)]) {
    t.match(when(past, command), { refusal: { code: 'hold_not_found', hold: 'h9' } }, command.type);
  }
  t.match(when(past, order.charge('u1', 1, { hold: 'h9' })), { refusal: { code: 'hold_not_found' } });
  const [event] = accept(past, order.record('u1', 1, { hold: 'h9' }));
  t.notOk('hold' in (event?.data ?? {}));
});

test('a hold ends by itself, and says when it was due', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60));
  later(past, 59 * SECOND);
  t.equal(word(when(past, order.carryOutDues)), 'unchanged');
  later(past, 5 * SECOND);
  const outcome = when(past, order.charge('u1', 10));
  t.match(outcome, {
    dues: [
      {
        type: 'Expired',
        data: { items: [{ kind: 'hold', id: 'h1', effective_at: '2026-01-01T00:01:00.000Z' }] },
      },
    ],
  });
  t.equal(balance(past), '0, held 0');
});

test('settling after the hold ended charges all the same, at the pinned version, into debt, marked late (rule 20)', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60));
  const dearer = { models: { fine: { prices: { calls: { credits: '3', per: 1 } } } } };
  past.books = past.books.with(bookVersion('default', 2, START, dearer));
  later(past, 61 * SECOND);
  accept(past, order.charge('u1', 3, { occurredAt: past.now }));
  const [late] = accept(past, order.settle('h1', 2));
  t.match(late?.data, { credits: '2', late: true, hold: 'h1', model: 'fine', price_book: { version: 1 } });
  t.equal(balance(past), '-1, held 0, debt 1');
  t.equal(word(when(past, order.voidHold('h1'))), 'hold_closed');
});

test('voiding after the hold ended changes nothing; it can still be settled', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60));
  later(past, 61 * SECOND);
  t.equal(word(when(past, order.voidHold('h1'))), 'unchanged');
  t.match(accept(past, order.settle('h1', 2)), [{ data: { late: true } }]);
});

test('extending sets totals, so twice is once; less than there is changes nothing', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60));
  t.same(moves(when(past, order.extend('h1', 6, 120))), ['lot-1 free>hold:h1 2']);
  t.match(past.events.at(-1)?.data, {
    credits: '6',
    expires_at: '2026-01-01T00:02:00.000Z',
    estimate: { calls: 6 },
  });
  t.equal(word(when(past, order.extend('h1', 6, 120))), 'unchanged');
  t.equal(word(when(past, order.extend('h1', 3, 30))), 'unchanged');
  t.equal(word(when(past, order.extend('h1', null, null))), 'unchanged');
  t.equal(balance(past), '4, held 6');
  t.match(when(past, order.extend('h1', 11)), {
    refusal: { code: 'insufficient_credits', available: '4', required: '5' },
  });
});

test('an extension never shortens a hold, also where it makes it bigger', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60), order.extend('h1', 6, 30));
  t.match(past.events.at(-1)?.data, { credits: '6', expires_at: '2026-01-01T00:01:00.000Z' });
});

test('more time alone moves nothing', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60), order.extend('h1', null, 600));
  t.match(past.events.at(-1), {
    type: 'HoldExtended',
    data: { moves: [], credits: '4', estimate: { calls: 4 } },
  });
  later(past, 599 * SECOND);
  t.equal(word(when(past, order.carryOutDues)), 'unchanged');
});

test('extending a hold that has ended reserves anew, or is refused; then it is a hold as before', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60));
  later(past, 61 * SECOND);
  t.match(when(past, order.extend('h1', 11)), { refusal: { code: 'insufficient_credits' } });
  const outcome = when(past, order.extend('h1', null));
  t.same(moves(outcome), ['lot-1 hold:h1>free 4', 'lot-1 free>hold:h1 4']);
  t.match(outcome, { events: [{ type: 'HoldExtended', data: { expires_at: '2026-01-01T00:02:01.000Z' } }] });
  t.notOk('late' in (accept(past, order.settle('h1', 3))[0]?.data ?? {}));
  t.equal(balance(past), '7, held 0');
});

test('a version that another process pinned a moment ago is looked for before a hold is not extended', async (t) => {
  const past = given(paid10, order.change({ price_book: 'vip' }));
  const vip = { models: { fine: { prices: { calls: { credits: '2', per: 1 } } } } };
  const stale = past.books;
  past.books = past.books.with(bookVersion('vip', 1, START, vip));
  past.freshBooks = past.books;
  accept(past, order.hold('h1', 1));
  past.books = stale;
  t.equal(word(when(past, order.extend('h1', 2))), 'recorded');
  t.match(accept(past, order.settle('h1', 2)), [{ type: 'UsageCharged', data: { credits: '4' } }]);
});

test('a usage that names a hold settles it, under its own id and its own model', async (t) => {
  const past = given(paid10, order.hold('h1', 4));
  const [charged, closed] = accept(past, order.charge('u1', 3, { source: 'gw', hold: 'h1' }));
  t.match(charged, { type: 'UsageCharged', key: 'usage:gw:u1', data: { usage_id: 'u1', hold: 'h1' } });
  t.match(closed, { type: 'HoldClosed', key: 'usage::h1', data: { hold: 'h1', by: 'usage:gw:u1' } });
  t.equal(balance(past), '7, held 0');
});

const replaysOf = (name: string, id: string) => ({
  status: 'replayed',
  event: { type: 'UsageCharged', data: { [name]: id } },
});

test('the settled call posted as usage again is the same charge, under whatever id (rule 13)', async (t) => {
  const past = given(paid10, order.hold('h1', 4), order.settle('h1', 3));
  t.match(when(past, order.charge('u1', 3, { source: 'gw', hold: 'h1' })), replaysOf('usage_id', 'h1'));
  t.match(when(past, order.charge('u1', 2, { source: 'gw', hold: 'h1' })), {
    refusal: { code: 'idempotency_conflict' },
  });
  t.match(when(past, order.charge('u1', 3, { model: 'free', hold: 'h1' })), {
    refusal: { code: 'idempotency_conflict' },
  });
});

test('the usage that settled a hold answers for the settle, and for any other usage that names the hold', async (t) => {
  const past = given(paid10, order.hold('h1', 4), order.charge('u1', 3, { source: 'gw', hold: 'h1' }));
  t.match(when(past, order.settle('h1', 3)), replaysOf('usage_id', 'u1'));
  t.match(when(past, order.settle('h1', 2)), { refusal: { code: 'idempotency_conflict' } });
  t.match(when(past, order.charge('u2', 3, { hold: 'h1' })), replaysOf('usage_id', 'u1'));
  t.match(when(past, order.charge('h1', 3)), replaysOf('usage_id', 'u1'));
});

test('a usage that names an ended hold is late, and closes it', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60));
  later(past, 61 * SECOND);
  const [charged, closed] = accept(past, order.charge('u1', 3, { hold: 'h1' }));
  t.match(charged?.data, { late: true, hold: 'h1' });
  t.equal(closed?.type, 'HoldClosed');
  t.equal(word(when(past, order.voidHold('h1'))), 'hold_closed');
});

test('pinned credits do not expire; what is let go of a lot that is due expires in the same append (rule 20)', async (t) => {
  const past = given(
    order.topUp('r1', '10', { paid: '1', expiresAt: START + DAY }),
    order.hold('h1', 4, 3 * 24 * 3600),
  );
  later(past, DAY);
  accept(past, order.carryOutDues);
  t.equal(balance(past), '0, held 4');
  t.same(moves(when(past, order.settle('h1', 3))), ['lot-1 hold:h1>spent 3', 'lot-1 hold:h1>expired 1']);
  t.equal(account(past, 'income:breakage'), '-0.7');
  t.equal(account(past, 'income:usage:fine'), '-0.3');
});

test('credits that come free of a hold still expire in time, though nothing of their lot was free before', async (t) => {
  const past = given(
    order.grant('now', '1', { expiresAt: START + SECOND }),
    order.grant('g1', '4', { expiresAt: START + DAY }),
    order.grant('g2', '9'),
    order.hold('h1', 5, 2 * 24 * 3600),
    order.hold('h2', 1, 1),
  );
  later(past, SECOND);
  accept(past, order.carryOutDues);
  accept(past, order.voidHold('h1'));
  t.same(lots(past), ['lot-2 4', 'lot-3 9']);
  later(past, DAY);
  t.same(moves(when(past, order.charge('u1', 9))), ['lot-2 free>expired 4', 'lot-3 free>spent 9']);
});

test('there are only so many open holds, also where an ended one reserves anew (rule 7)', async (t) => {
  const past = given(paid10, order.hold('h1', 4, 60));
  later(past, 61 * SECOND);
  accept(past, order.carryOutDues);
  const terms = {
    purpose: 'call',
    model: 'fine',
    estimate: {},
    book: { name: 'default', version: 1 },
  } as const;
  const open = (n: number): Hold => ({
    ...terms,
    id: `x${n}`,
    expiresAt: past.now + DAY,
    credits: 0n,
    uncovered: 0n,
    pins: [],
    quotaPins: [],
    plan: null,
    caps: [],
  });
  past.wallet.holds = new Map(Array.from({ length: HOLDS_MAX }, (_, n) => [`x${n}`, open(n)]));
  t.match(when(past, order.hold('h2', 1)), { refusal: { code: 'too_many_holds', limit: HOLDS_MAX } });
  t.match(when(past, order.extend('h1', null)), { refusal: { code: 'too_many_holds' } });
});

test('holds that reach into the overdraft are bounded: one top-up can stand in for all of them (rule 7)', async (t) => {
  const past = givenMany([
    order.change({ overdraft_limit: '100000' }),
    ...Array.from({ length: UNCOVERED_HOLDS_MAX }, (_, n) =>
      order.hold(`a-rather-long-name-of-a-hold-${n}`, 1),
    ),
  ]);
  t.match(when(past, order.hold('one-more', 1)), {
    refusal: { code: 'too_many_holds', limit: UNCOVERED_HOLDS_MAX },
  });
  const [event] = accept(past, order.topUp('r1', '1000', { paid: '1' }));
  t.ok(JSON.stringify(event?.data).length < 128 * 1024, 'far below what a store takes in one append');
  t.equal(past.wallet.totals.available, 600n * 1_000_000n);
  t.equal(word(when(past, order.hold('one-more', 1))), 'recorded');
});
