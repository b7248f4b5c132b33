/** Rules 22, 23 and 32. Revision 0 opens the account; the first command of a past is revision 1. */
import { test } from 'tap';
import { accept, DAY, given, later, START, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { account, balance, lots, moves, word } from '../testing/sight.ts';
import { GRACE_MS } from './reversal.ts';

const paid3 = order.topUp('r1', '3', { paid: '1' });

test('a reversed charge gives back exactly the credits and the money that it took, lot by lot', async (t) => {
  const past = given(paid3, order.grant('g1', '5'), order.charge('u1', 1), order.charge('u2', 4));
  t.same(past.events[4]?.facts, { ...past.events[4]?.facts, paid: ['0.666666667', '0'] });
  const outcome = when(past, order.reverse(4));
  t.same(moves(outcome), ['lot-1 spent>free 2', 'lot-2 spent>free 2']);
  t.match(outcome, {
    events: [
      {
        type: 'EntryReversed',
        key: 'reverse::4',
        data: { reverses: 4, reversed_type: 'UsageCharged', credits: '4', reason: 'a mistake' },
        facts: { paid: ['0.666666667', '0'] },
      },
    ],
  });
  t.same(lots(past), ['lot-1 2 (0.666666667 USD)', 'lot-2 5']);
  t.equal(account(past, 'income:usage:fine'), '-0.333333333');
  t.match(past.wallet.totals, { consumed: 1_000_000n, granted: 8_000_000n });
});

test('a lot that had left the wallet comes back with its marks and its money', async (t) => {
  const past = given(
    order.topUp('r1', '3', { paid: '1', expiresAt: START + DAY, priority: 7 }),
    order.charge('u1', 3),
  );
  t.same(lots(past), []);
  accept(past, order.reverse(2));
  t.match(past.wallet.lots, [
    {
      id: 'lot-1',
      free: 3_000_000n,
      paid: 1_000_000_000n,
      priority: 7,
      expiresAt: START + DAY,
      currency: 'USD',
    },
  ]);
});

test('of several lots of one birth only those that have left come back', async (t) => {
  // Both lots have expired when the charge is reversed: that makes two lots of grace in one event.
  const past = given(
    order.grant('g1', '2', { expiresAt: START + DAY }),
    order.grant('g2', '3', { expiresAt: START + DAY + 1 }),
    order.charge('u1', 5),
  );
  later(past, 2 * DAY);
  accept(past, order.reverse(3));
  t.same(lots(past), ['lot-4 2', 'lot-4.1 3']);
  const revision = past.events.length;
  accept(past, order.charge('u2', 3));
  t.same(lots(past), ['lot-4.1 2']);
  const [event] = accept(past, order.reverse(revision));
  const restored = event?.type === 'EntryReversed' ? event.data.restored : undefined;
  t.same(
    restored?.map(({ lot }) => lot),
    ['lot-4'],
  );
  t.same(lots(past), ['lot-4 2', 'lot-4.1 3']);
});

test('lots of one birth burn in the order in which they were born, also when the first has been away', async (t) => {
  const past = given(
    order.grant('g1', '1', { expiresAt: START + DAY }),
    order.grant('g2', '1', { expiresAt: START + DAY }),
  );
  accept(past, order.charge('u1', 2));
  later(past, 2 * DAY);
  accept(past, order.reverse(3));
  accept(past, order.charge('u2', 1));
  accept(past, order.reverse(5));
  t.same(lots(past), ['lot-4 1', 'lot-4.1 1']);
});

test('credits of a lot that has expired come back as a lot with the same marks and a time of grace', async (t) => {
  const past = given(
    order.topUp('r1', '10', { paid: '1', expiresAt: START + DAY, priority: 7 }),
    order.charge('u1', 4),
  );
  later(past, DAY);
  const outcome = when(past, order.reverse(2));
  t.same(moves(outcome), ['lot-1 free>expired 6', 'lot-4 spent>free 4']);
  t.match(past.wallet.lots, [
    {
      id: 'lot-4',
      priority: 7,
      expiresAt: START + DAY + GRACE_MS,
      free: 4_000_000n,
      paid: 400_000_000n,
      origin: { kind: 'reversal', of: 'stripe', ref: 'lot-1' },
    },
  ]);
  t.equal(account(past, 'liabilities:deferred-revenue'), '-0.4');
  later(past, GRACE_MS);
  accept(past, order.carryOutDues);
  t.equal(balance(past), '0, held 0');
});

test('what comes back pays debt first', async (t) => {
  const past = given(paid3, order.charge('u1', 3), order.record('u2', 2));
  t.same(moves(when(past, order.reverse(2))), ['lot-1 spent>debt 2', 'lot-1 spent>free 1']);
  t.equal(balance(past), '1, held 0');
});

test('a charge that had made debt ends debt; where that is paid already, credits come as a lot of their own', async (t) => {
  const past = given(order.record('u1', 5));
  t.same(moves(when(past, order.reverse(1))), ['- spent>overdraft 5']);
  t.equal(balance(past), '0, held 0');
  accept(past, order.record('u2', 5));
  accept(past, order.topUp('r1', '4', { paid: '1' }));
  t.same(moves(when(past, order.reverse(3))), ['- spent>overdraft 1', 'lot-5 spent>free 4']);
  t.match(past.wallet.lots, [
    { id: 'lot-5', origin: { kind: 'reversal', of: 'repaid_debt' }, currency: null },
  ]);
});

test('twice is once; with another reason a conflict', async (t) => {
  const past = given(paid3, order.charge('u1', 3), order.reverse(2));
  t.equal(word(when(past, order.reverse(2))), 'replayed');
  t.equal(word(when(past, order.reverse(2, true))), 'conflict');
});

test('a top-up that is still there is taken back, and its payment with it', async (t) => {
  const past = given(paid3);
  t.same(moves(when(past, order.reverse(1))), ['lot-1 free>granted 3']);
  t.equal(balance(past), '0, held 0');
  for (const name of ['assets:clearing:stripe', 'liabilities:deferred-revenue', 'expenses:clawbacks']) {
    t.equal(account(past, name), '0', name);
  }
  t.equal(past.wallet.totals.granted, 0n);
});

test('a top-up that was spent is not taken back, unless debt is asked for', async (t) => {
  const past = given(paid3, order.charge('u1', 1));
  t.match(when(past, order.reverse(1)), {
    refusal: { code: 'credits_already_spent', remaining: '2', required: '3' },
  });
  t.same(moves(when(past, order.reverse(1, true))), ['lot-1 free>granted 2', '- overdraft>granted 1']);
  t.equal(balance(past), '-1, held 0, debt 1');
  t.equal(account(past, 'assets:clearing:stripe'), '0', 'the payment goes back whole');
  t.equal(account(past, 'expenses:clawbacks'), '0.333333333', 'what was earned already is our loss');
});

test('what other lots give for a claw-back is income: what was paid for them was paid for good', async (t) => {
  const past = given(paid3, order.charge('u1', 3), order.topUp('r2', '4', { paid: '2' }));
  t.same(moves(when(past, order.reverse(1, true))), ['lot-3 free>granted 3']);
  t.equal(account(past, 'income:adjustments'), '-1.5');
  t.equal(account(past, 'expenses:clawbacks'), '1');
  t.equal(account(past, 'liabilities:deferred-revenue'), '-0.5');
  t.equal(account(past, 'assets:clearing:stripe'), '2');
});

test('a top-up in a hold is not there to be taken back', async (t) => {
  const past = given(paid3, order.hold('h1', 2));
  t.match(when(past, order.reverse(1)), { refusal: { code: 'credits_already_spent', remaining: '1' } });
});

test('a grant goes back to the promotion it came from', async (t) => {
  const past = given(order.grant('g1', '5', { kind: 'referral' }), order.reverse(1));
  t.equal(account(past, 'expenses:promotions:referral', 'credits'), '0');
});

test('adjustments are reversed both ways', async (t) => {
  const past = given(order.adjust('up', '5'), order.adjust('down', '-2'));
  t.same(moves(when(past, order.reverse(2))), ['lot-1 adjusted>free 2']);
  t.same(moves(when(past, order.reverse(1))), ['lot-1 free>adjusted 5']);
  t.equal(balance(past), '0, held 0');
  t.equal(past.wallet.totals.adjusted, 0n);
});

test('a late or repriced charge is reversed as any other', async (t) => {
  const past = given(order.grant('g1', '5'), order.hold('h1', 2, 1));
  later(past, DAY);
  accept(past, order.settle('h1', 2));
  accept(past, order.reverse(past.events.length - 1));
  t.equal(balance(past), '5, held 0');
});

test('the cost of a call stays when its charge is taken back: the supplier wants it all the same', async (t) => {
  const past = given(order.grant('g1', '9'), order.charge('u1', { input_tokens: 1000 }, { model: 'claude' }));
  accept(past, order.reverse(2));
  t.equal(account(past, 'expenses:suppliers:anthropic'), '0.03');
});

test('neither a reversal nor what moves no credits for good can be reversed', async (t) => {
  const past = given(paid3, order.hold('h1', 1), order.charge('u1', 1), order.reverse(3));
  t.match(when(past, order.reverse(4)), {
    refusal: { code: 'entry_not_reversible', reason: 'a reversal cannot be reversed' },
  });
  t.match(when(past, order.reverse(2)), {
    refusal: { code: 'entry_not_reversible', reason: 'HoldPlaced cannot be reversed' },
  });
  t.match(when(past, order.reverse(0)), { refusal: { code: 'entry_not_reversible' } });
  t.match(when(past, order.reverse(99)), { refusal: { code: 'entry_not_found' } });
});
