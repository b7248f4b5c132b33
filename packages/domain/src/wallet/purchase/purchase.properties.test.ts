/**
 * Purchases, coupons and referrals under any history. `when` runs every checker of testing/invariants.ts after every
 * command that was recorded: entries balance in each unit, journal and state agree, folding the texts gives the state. Here is
 * what is said of the whole history.
 */
import fc from 'fast-check';
import { test } from 'tap';
import { parseAmount, parseCredits } from '../../amount.ts';
import { DAY, given, later, type Past, when } from '../../testing/given.ts';
import { balanceOf } from '../../testing/invariants.ts';
import * as order from '../../testing/orders.ts';
import * as buying from '../../testing/purchase-orders.ts';
import { usesOf } from './state.ts';

const { usd } = buying;
type Step = (past: Past) => void;

const COUPONS = [
  buying.coupon('TEN', { percent: '10', max_uses_per_account: 3 }),
  buying.coupon('FIVE', { fixed: usd('5'), max_uses_per_account: 1 }),
  buying.coupon('ALL', { percent: '100', max_uses_per_account: 2 }),
  buying.coupon('GIFT', { credits: '33.25' }),
];
const OFFERS = [
  buying.offer(buying.STARTER, usd('10')),
  buying.offer({ credits: '7', bonus: '0.5', prices: [usd('0.33')] }, usd('0.33')),
  buying.amount('1'),
  buying.amount('100'),
  buying.amount('123.45'),
];

const few = fc.integer({ min: 0, max: 5 });
const pick = <T>(all: readonly T[], n: number): T => all[n % all.length] as T;
const purchase = few.map((n) => `p${n}`);
const friend = fc.constantFrom('tom', 'eve');
const entry = fc.integer({ min: 1, max: 4 });

const give =
  (command: Parameters<typeof when>[1]): Step =>
  (past) => {
    when(past, command);
  };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(purchase, few, fc.boolean(), fc.option(few))
      .map(([id, what, paid, used]) =>
        give(buying.buy(id, pick(OFFERS, what), { paid, with: used === null ? null : pick(COUPONS, used) })),
      ),
  },
  {
    weight: 5,
    // The total, or another sum, under few references: so some come twice, and some for two purchases.
    arbitrary: fc.tuple(purchase, few, fc.boolean()).map(
      ([id, reference, isRight]): Step =>
        (past) => {
          const opened = past.events.find(({ key }) => key === `purchase::${id}`);
          const total = opened?.type === 'PurchaseOpened' ? opened.data.purchase.total : usd('1');
          when(past, buying.pay(id, isRight ? total : usd('0.5'), `c${reference}`));
        },
    ),
  },
  { weight: 2, arbitrary: purchase.map((id) => give(buying.cancel(id))) },
  { weight: 3, arbitrary: few.map((n) => give(buying.apply(pick(COUPONS, n)))) },
  { weight: 1, arbitrary: few.map((n) => give(buying.forget(pick(COUPONS, n).code))) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat({ max: 60 }), fc.boolean()).map(
      ([n, debt]): Step =>
        (past) => {
          when(past, order.reverse(n % past.events.length, debt));
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 900 }))
      .map(([id, calls]) => give(order.record(`u${id}`, calls))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 1, max: 300 }))
      .map(([id, calls]) => give(order.hold(`h${id}`, calls, 3600))),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(friend, entry, fc.integer({ min: 1, max: 9999 }), few).map(
      ([from, revision, credits, days]): Step =>
        (past) => {
          when(past, buying.accrue(from, revision, `${credits}`, past.now + days * DAY));
        },
    ),
  },
  { weight: 2, arbitrary: fc.tuple(friend, entry).map(([from, n]) => give(buying.clawBack(from, n))) },
  {
    weight: 2,
    arbitrary: few.map(
      (days): Step =>
        (past) =>
          void later(past, days * DAY),
    ),
  },
  { weight: 1, arbitrary: fc.constant(give(order.carryOutDues)) },
);

function histories(runs: number, check: (past: Past) => void): void {
  fc.assert(
    fc.property(fc.array(steps, { minLength: 20, maxLength: 60, size: 'max' }), (history) => {
      const past = given();
      for (const step of history) step(past);
      check(past);
    }),
    { numRuns: runs },
  );
}

function same(a: unknown, b: unknown, what: string): void {
  if (a !== b) throw new Error(`${what}: ${String(a)} is not ${String(b)}`);
}

test('money that was told is in the clearing account to the last step, whatever it was told for', async () => {
  histories(150, (past) => {
    let told = 0n;
    let unapplied = 0n;
    for (const event of past.events) {
      if (event.type === 'PurchasePaid') told += parseAmount(event.facts.payment.amount, 'USD');
      if (event.type === 'PurchasePaymentUnapplied')
        unapplied += parseAmount(event.facts.payment.amount, 'USD');
      if (event.type === 'EntryReversed' && event.data.reversed_type === 'PurchasePaid') {
        const original = past.events[event.data.reverses];
        if (original?.type === 'PurchasePaid') told -= parseAmount(original.facts.payment.amount, 'USD');
      }
    }
    same(balanceOf(past, 'assets:clearing:purchases', 'USD'), told + unapplied, 'clearing');
    same(balanceOf(past, 'liabilities:unapplied', 'USD'), -unapplied, 'unapplied');
  });
});

test('a purchase is paid at most once, for its total, and never when it was canceled', async () => {
  histories(100, (past) => {
    const paid = new Set<string>();
    const canceled = new Set<string>();
    for (const event of past.events) {
      if (event.type === 'PurchaseClosed' && event.data.by === 'canceled') canceled.add(event.data.purchase);
      if (event.type !== 'PurchasePaid') continue;
      const { id, total } = event.data.purchase;
      if (paid.has(id) || canceled.has(id)) throw new Error(`${id} was paid all the same`);
      same(parseAmount(event.facts.payment.amount, 'USD'), parseAmount(total.amount, 'USD'), id);
      paid.add(id);
    }
  });
});

test('the count of a coupon is that of its open and paid purchases and its grants, and never above its limit', async () => {
  histories(150, (past) => {
    for (const { code, terms } of COUPONS) {
      let uses = 0;
      for (const event of past.events) {
        if (event.type === 'PurchaseOpened' && event.data.purchase.coupon?.code === code) uses += 1;
        if (event.type === 'CouponApplied' && event.data.code === code && event.data.effect === 'granted')
          uses += 1;
        if (event.type === 'PurchaseClosed' && event.data.coupon === code) uses -= 1;
        if (event.type === 'EntryReversed' && event.data.frees_coupon?.code === code) uses -= 1;
        if (uses > terms.max_uses_per_account) throw new Error(`${code} was used ${uses} times`);
      }
      same(usesOf(past.wallet.coupons, code), uses, code);
    }
  });
});

test('what has accrued is granted, pending, taken back or kept; nothing is lost and nothing is made', async () => {
  histories(200, (past) => {
    let accrued = 0n;
    let granted = 0n;
    let clawedBack = 0n;
    let takenFromLots = 0n;
    for (const event of past.events) {
      if (event.type === 'ReferralAccrued') accrued += parseCredits(event.data.credits);
      if (event.type === 'ReferralGranted') granted += parseCredits(event.data.credits);
      if (event.type !== 'ReferralClawedBack') continue;
      clawedBack += parseCredits(event.data.credits);
      takenFromLots += parseCredits(event.data.lot?.credits ?? '0');
    }
    const { pending, owed } = past.wallet.referral;
    const waiting = pending.reduce((sum, { credits }) => sum + credits, 0n);
    same(accrued - clawedBack, granted - takenFromLots + waiting - owed, 'accruals');
    same(balanceOf(past, 'expenses:promotions:referral', 'credits'), granted - takenFromLots, 'promotion');
    if (owed < 0n || pending.some(({ credits }) => credits <= 0n)) throw new Error('less than nothing');
    if (owed > 0n && waiting > 0n) throw new Error('something waits although it is owed');
  });
});
