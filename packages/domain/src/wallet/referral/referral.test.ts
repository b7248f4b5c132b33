import { test } from 'tap';
import { formatCredits } from '../../amount.ts';
import { accept, DAY, given, later, type Past, START, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import * as buying from '../../testing/purchase-orders.ts';
import { account, balance, lots, word } from '../../testing/sight.ts';

const WEEK = 7 * DAY;
const due = START + WEEK;

/** What is pending, and what future accruals have to pay. */
function pending({ wallet }: Past): string {
  const { pending: all, owed } = wallet.referral;
  return [
    ...all.map(({ from, credits }) => `${from} ${formatCredits(credits)}`),
    `owed ${formatCredits(owed)}`,
  ].join(', ');
}

test('a friend is referred before the first top-up, and then for good', async (t) => {
  const past = given(buying.refer('bob'));
  t.equal(past.wallet.referral.referredBy, 'bob');
  t.equal(word(when(past, buying.refer('bob'))), 'unchanged');
  t.equal(word(when(past, buying.refer('carol'))), 'referral_fixed');
  t.equal(word(when(given(order.topUp('r1', '1')), buying.refer('bob'))), 'referral_too_late');
  const paid = given(buying.buy('p1', buying.amount('10'), { paid: true }));
  t.equal(word(when(paid, buying.refer('bob'))), 'referral_too_late');
  t.equal(word(when(given(order.grant('g1', '1')), buying.refer('bob'))), 'recorded', 'a gift is no top-up');
});

test('nobody refers himself, and no two refer each other', async (t) => {
  t.equal(word(when(given(), buying.refer('acme'))), 'self_referral');
  t.equal(word(when(given(), buying.refer('bob', 'acme'))), 'referral_cycle');
  const past = given(buying.refer('bob'));
  t.equal(
    word(when(past, buying.accrue('bob', 3, '100', due))),
    'referral_cycle',
    'linked at the same instant',
  );
  t.equal(word(when(past, buying.accrue('acme', 3, '100', due))), 'self_referral');
});

test('a tenth of what a friend buys accrues, pending, and is granted when its time has come', async (t) => {
  const past = given(buying.accrue('tom', 3, '10000', due));
  t.equal(balance(past), '0, held 0');
  t.equal(pending(past), 'tom 1000, owed 0');
  later(past, WEEK - 1);
  t.equal(word(when(past, order.carryOutDues)), 'unchanged');
  later(past, 1);
  accept(past, order.topUp('r1', '1'));
  t.equal(balance(past), '1001, held 0');
  t.equal(account(past, 'expenses:promotions:referral', 'credits'), '1000');
  t.match(
    past.events.find(({ type }) => type === 'ReferralGranted')?.data,
    {
      from: 'tom',
      revision: 3,
      effective_at: '2026-01-08T00:00:00.000Z',
      lots: [{ withdrawable: '0', origin: { kind: 'grant', of: 'referral', ref: 'tom:3' } }],
    },
    'as of its own instant, never withdrawable',
  );
});

test('an entry accrues once; another entry is another', async (t) => {
  const past = given(buying.accrue('tom', 3, '100', due));
  t.equal(word(when(past, buying.accrue('tom', 3, '100', due + DAY, '20'))), 'replayed');
  t.equal(word(when(past, buying.accrue('tom', 4, '100', due))), 'recorded');
  t.equal(pending(past), 'tom 10, tom 10, owed 0');
});

test('however late it is carried out, each is granted once and as of its instant', async (t) => {
  const past = given(
    buying.accrue('tom', 3, '100', due + DAY),
    buying.accrue('eve', 3, '200', due),
    buying.accrue('tom', 9, '300', due + 2 * DAY),
  );
  later(past, 60 * DAY);
  when(past, order.carryOutDues);
  const granted = past.events.flatMap((event) => (event.type === 'ReferralGranted' ? [event.data] : []));
  t.same(
    granted.map(({ from, credits, effective_at }) => [from, credits, effective_at]),
    [
      ['eve', '20', '2026-01-08T00:00:00.000Z'],
      ['tom', '10', '2026-01-09T00:00:00.000Z'],
      ['tom', '30', '2026-01-10T00:00:00.000Z'],
    ],
  );
  t.equal(word(when(past, order.carryOutDues)), 'unchanged');
});

test('more grants than one append takes are all made', async (t) => {
  const past = { ...given(), checked: false };
  for (let n = 0; n < 450; n++) accept(past, buying.accrue(`friend-${n}`, 3, '100', due));
  later(past, WEEK);
  when(past, order.carryOutDues);
  t.equal(balance(past), '4500, held 0');
  t.equal(pending(past), 'owed 0');
});

test('less than the smallest step accrues nothing', async (t) => {
  t.equal(word(when(given(), buying.accrue('tom', 3, '0.000001', due))), 'unchanged');
  t.equal(word(when(given(), buying.accrue('tom', 3, '100', due, '0'))), 'unchanged');
});

test('taken back while pending, nothing is ever granted', async (t) => {
  const past = given(buying.accrue('tom', 3, '100', due), buying.clawBack('tom', 3));
  t.equal(pending(past), 'owed 0');
  t.equal(word(when(past, buying.clawBack('tom', 3))), 'replayed');
  later(past, WEEK);
  t.equal(word(when(past, order.carryOutDues)), 'unchanged');
  t.equal(balance(past), '0, held 0');
  t.equal(word(when(past, buying.clawBack('tom', 4))), 'referral_not_found');
});

test('taken back when granted, it comes out of its own lot first', async (t) => {
  const past = given(buying.accrue('tom', 3, '1000', due));
  later(past, WEEK);
  accept(past, order.topUp('r1', '500', { paid: '5' }));
  accept(past, buying.clawBack('tom', 3));
  t.same(lots(past), ['lot-3 500 (5 USD)']);
  t.equal(account(past, 'expenses:promotions:referral', 'credits'), '0');
});

test('what was spent of it is taken out of pending, then of future accruals, never out of bought credits', async (t) => {
  const past = given(buying.accrue('tom', 3, '1000', due));
  later(past, WEEK);
  accept(past, order.topUp('r1', '500', { paid: '5' }));
  accept(past, order.charge('u1', 90));
  accept(past, buying.accrue('eve', 2, '300', due + WEEK));
  accept(past, buying.clawBack('tom', 3));
  // 100 in all: 10 were still in its lot, 30 were pending, 60 are owed.
  t.equal(pending(past), 'owed 60');
  t.equal(balance(past), '500, held 0', 'nothing bought was taken');
  accept(past, buying.accrue('eve', 7, '400', due + WEEK));
  t.equal(pending(past), 'owed 20', 'all of it is withheld');
  accept(past, buying.accrue('eve', 8, '400', due + WEEK));
  t.equal(pending(past), 'eve 20, owed 0', 'what is over is pending');
});

test('credits in a hold are left to the call that holds them', async (t) => {
  const past = given(buying.accrue('tom', 3, '1000', due));
  later(past, WEEK);
  accept(past, order.hold('h1', 70, 60));
  accept(past, buying.clawBack('tom', 3));
  t.equal(balance(past), '0, held 70');
  t.equal(pending(past), 'owed 70');
});
