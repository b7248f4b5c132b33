import { test } from 'tap';
import { bookVersion, STANDARD } from '../testing/books.ts';
import { accept, DAY, given, later, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { account, balance, lots, word } from '../testing/sight.ts';

const withNewModel = (credits: string) => ({
  ...STANDARD,
  models: { ...STANDARD.models, new: { supplier: 'newcomer', prices: { calls: { credits, per: 1 } } } },
});

test('usage without a price is parked: not charged zero, not lost (P10)', async (t) => {
  const past = given(order.grant('g1', '10'));
  const cost = { amount: '0.1', currency: 'USD' };
  const [event] = accept(past, order.charge('u1', 2, { model: 'new', cost, metadata: { a: 1 } }));
  t.match(event, {
    type: 'UsageUnpriced',
    key: 'usage::u1',
    data: { usage_id: 'u1', model: 'new', reason: 'no_model', moves: [], after: { available: '10' } },
    facts: { cost, metadata: { a: 1 } },
  });
  t.notOk('credits' in (event?.data ?? {}));
  t.equal(balance(past), '10, held 0');
});

test('before it is parked the catalogues are read to their heads: a price may just have been published (rule 24)', async (t) => {
  const past = given(order.grant('g1', '10'));
  past.freshBooks = past.books.with(bookVersion('default', 2, past.now, withNewModel('2')));
  t.match(accept(past, order.charge('u1', 1, { model: 'new' })), [
    { type: 'UsageCharged', data: { credits: '2' } },
  ]);
});

test('once there is a price it is charged: by the version in force at its time, into debt if need be', async (t) => {
  const past = given(order.grant('g1', '1'), order.freeze('f1'));
  accept(
    past,
    order.record('u1', 2, { model: 'new', metadata: { a: 1 }, cost: { amount: '0.1', currency: 'USD' } }),
  );
  t.match(when(past, order.reprice('u1')), {
    refusal: { code: 'no_price', reason: 'no_model', missing: 'new' },
  });
  past.books = past.books.with(bookVersion('default', 2, past.now, withNewModel('2')));
  const occurred = past.now;
  later(past, DAY);
  const [event] = accept(past, order.reprice('u1'));
  t.match(event, {
    type: 'UsageCharged',
    key: 'reprice::u1',
    data: {
      usage_id: 'u1',
      credits: '4',
      repriced: 'in_force',
      occurred_at: new Date(occurred).toISOString(),
    },
    facts: { cost: { amount: '0.1' }, metadata: { a: 1 }, supplier: 'newcomer' },
  });
  t.equal(balance(past), '-3, held 0, debt 3');
  t.equal(account(past, 'expenses:suppliers:newcomer'), '0.1');
  t.equal(word(when(past, order.reprice('u1'))), 'replayed');
  t.equal(
    word(when(past, order.record('u1', 2, { model: 'new', cost: { amount: '0.1', currency: 'USD' } }))),
    'replayed',
  );
});

test('where no version in force at its time has a price, the earliest later one is taken, and it says so', async (t) => {
  const past = given(order.grant('g1', '10'), order.charge('u1', 1, { model: 'new' }));
  later(past, DAY);
  past.freshBooks = past.books
    .with(bookVersion('default', 2, past.now, withNewModel('3')))
    .with(bookVersion('default', 3, past.now, withNewModel('4')));
  t.match(accept(past, order.reprice('u1')), [
    { data: { credits: '3', repriced: 'later_version', price_book: { version: 2 } } },
  ]);
});

test('only what is parked can be repriced', async (t) => {
  const past = given(order.grant('g1', '10'), order.charge('u1', 1));
  t.equal(word(when(past, order.reprice('u2'))), 'usage_not_found');
  t.equal(word(when(past, order.reprice('u1'))), 'usage_already_charged');
});

test('settling without a price lets the hold go and parks the usage; it is charged later without the hold', async (t) => {
  const past = given(order.grant('g1', '10'), order.hold('h1', 4));
  const [event] = accept(past, order.settle('h1', { images: 1, output_tokens: 5 }));
  t.match(event, { type: 'UsageUnpriced', data: { hold: 'h1', reason: 'no_dimension' } });
  t.equal(balance(past), '10, held 0');
  t.same(lots(past), ['lot-1 10']);
  t.equal(word(when(past, order.voidHold('h1'))), 'hold_closed');
  const models = {
    fine: { prices: { images: { credits: '1', per: 1 }, output_tokens: { credits: '1', per: 1 } } },
  };
  past.books = past.books.with(bookVersion('default', 2, past.now, { models }));
  const [charged] = accept(past, order.reprice('h1'));
  t.match(charged?.data, { usage_id: 'h1', credits: '6', repriced: 'in_force' });
  t.notOk('hold' in (charged?.data ?? {}));
});
