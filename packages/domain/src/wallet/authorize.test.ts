import { test } from 'tap';
import { NO_CATALOGUES } from '../catalogue/catalogues.ts';
import { cataloguesOf, given, later, SECOND } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { adviseWallet, walletAfterDues } from './authorize.ts';

const request = { model: 'fine', estimate: { calls: 4 } };

test('advice names every reason at once, and changes nothing', async (t) => {
  const past = given(order.topUp('r1', '3'), order.freeze('case-1'));
  const before = JSON.stringify(past.wallet, (_name, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  t.match(adviseWallet(past.wallet, request, past.now, cataloguesOf(past)), {
    allowed: false,
    credits: '4',
    available: '3',
    reasons: ['account_frozen', 'insufficient_credits'],
  });
  const after = JSON.stringify(past.wallet, (_name, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  t.equal(after, before);
});

test('a model without a price is not allowed, and has no price to show', async (t) => {
  const past = given(order.topUp('r1', '3'));
  const unknown = { ...request, model: 'unheard-of' };
  t.match(adviseWallet(past.wallet, unknown, past.now, cataloguesOf(past)), {
    allowed: false,
    credits: null,
    reasons: ['no_price'],
  });
});

test('what is due counts as done: expired credits allow nothing (rule 33)', async (t) => {
  const past = given(order.topUp('r1', '10'));
  const lapsing = given(order.topUp('r1', '10', { expiresAt: past.now + SECOND }));
  t.equal(adviseWallet(lapsing.wallet, request, lapsing.now, cataloguesOf(lapsing)).allowed, true);
  later(lapsing, 2 * SECOND);
  t.match(adviseWallet(lapsing.wallet, request, lapsing.now, cataloguesOf(lapsing)), {
    allowed: false,
    available: '0',
  });
  t.equal(
    walletAfterDues(past.wallet, past.now, NO_CATALOGUES),
    past.wallet,
    'where nothing is due it is the same wallet',
  );
});
