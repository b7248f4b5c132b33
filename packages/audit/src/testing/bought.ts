/** Histories with purchases, coupons, referrals, topping up by itself and warnings, through the real decider. */
import type { CouponTerms, Money, PackageTerms, WalletCommand } from '@tallystick/domain';
import { charge, type Plain, type TestLedger, topUp } from '@tallystick/projections/testing';
import { DAY, must, publishPlans, subscribe } from './subscribed.ts';

type Command = Plain<WalletCommand>;

const usd = (amount: string): Money => ({ amount, currency: 'USD' });
const PRO: PackageTerms = { credits: '10000', bonus: '500', prices: [usd('90')] };
const FREE_AMOUNT: PackageTerms = {
  rate: { credits: '100', currency: 'USD' },
  volume_bonus: [{ from: '100', percent: '10' }],
};

interface Bought {
  readonly terms?: PackageTerms;
  readonly price?: Money;
  readonly paid?: boolean;
  readonly coupon?: { readonly code: string; readonly terms: CouponTerms };
}

const offerOf = ({ terms = PRO, price = usd('90') }: Bought) => ({
  package: { id: 'pro', version: 1 },
  terms,
  price,
});
const buy = (id: string, bought: Bought = {}): Command => ({
  type: 'OpenPurchase',
  ...{ id, offer: offerOf(bought), paid: bought.paid ?? false },
  coupon: bought.coupon === undefined ? null : { ...bought.coupon, version: 1 },
});
const pay = (purchase: string, paid: Money): Command => ({
  type: 'RecordPurchasePayment',
  ...{ purchase, paid, reference: `pay-${purchase}-${paid.amount}` },
});
const coupon = (code: string, terms: Partial<CouponTerms>) => ({
  code,
  terms: { max_uses_per_account: 1, ...terms } as CouponTerms,
});
const TENTH = coupon('TENTH', { percent: '10' });
const GIFT = coupon('GIFT', { credits: '25' });
const LATER = coupon('LATER', { percent: '5' });
const apply = (one: ReturnType<typeof coupon>): Command => ({ type: 'ApplyCoupon', ...one, version: 1 });

/** `buys-*` are accounts of one story each. Answers them. */
export async function buyThrough(ledger: TestLedger): Promise<readonly string[]> {
  publishPlans(ledger);
  const accounts = ['alone', 'friend', 'referrer', 'topped', 'warned'].map((one) => `buys-${one}`);
  for (const account of accounts) await ledger.open(account);
  const [alone = '', friend = '', referrer = '', topped = '', warned = ''] = accounts;
  await must(ledger, alone, apply(GIFT), apply(TENTH), apply(LATER), { type: 'ForgetCoupon', code: 'LATER' });
  await must(ledger, alone, buy('p1', { coupon: TENTH }), pay('p1', usd('90')), pay('p1', usd('81')));
  await must(ledger, alone, buy('p2', { paid: true }), buy('p3'), { type: 'CancelPurchase', purchase: 'p3' });
  await must(ledger, alone, pay('p3', usd('90')), apply(LATER), buy('p4', { coupon: LATER }));
  await must(ledger, alone, { type: 'CancelPurchase', purchase: 'p4' });
  await must(ledger, alone, buy('p5', { coupon: LATER, paid: true }));
  await must(ledger, alone, charge('u1', 400));
  const { revision } = await ledger.wallet(alone);
  for (let at = 0; at <= revision; at += 1)
    await ledger.run(alone, {
      type: 'ReverseEntry',
      revision: at,
      reason: 'refund',
      allowDebt: at % 2 === 0,
    });
  await refer(ledger, friend, referrer);
  await topUpByItself(ledger, topped);
  await warn(ledger, warned);
  return accounts;
}

async function refer(ledger: TestLedger, friend: string, referrer: string): Promise<void> {
  await must(ledger, friend, { type: 'LinkReferral', referredBy: referrer, referrerReferredBy: null });
  await must(ledger, friend, buy('f1', { paid: true }), topUp('f2', 50));
  const accrue = (revision: number, ofCredits: bigint, days: number): Command => ({
    type: 'AccrueReferral',
    ...{ from: friend, revision, reason: 'purchase', ofCredits, percent: '10' },
    availableAt: ledger.now() + days * DAY,
  });
  const clawBack = (revision: number): Command => ({ type: 'ClawBackReferral', from: friend, revision });
  await must(
    ledger,
    referrer,
    accrue(3, 1_000_000_000n, 30),
    accrue(4, 50_000_000n, 5),
    accrue(5, 70_000_000n, 40),
  );
  ledger.advance(6 * DAY);
  await must(ledger, referrer, { type: 'CarryOutDues' }, charge('r1', 2), clawBack(4));
  await must(
    ledger,
    referrer,
    clawBack(3),
    accrue(6, 300_000_000n, 1),
    clawBack(6),
    accrue(7, 90_000_000n, 2),
  );
  ledger.advance(50 * DAY);
  await must(ledger, referrer, { type: 'CarryOutDues' });
}

async function topUpByItself(ledger: TestLedger, account: string): Promise<void> {
  const terms = { enabled: true, threshold: '100', amount: usd('120'), cool_off_seconds: 60, daily_cap: 9 };
  await must(ledger, account, topUp('t', 150), { type: 'SetAutoTopUp', terms });
  const answers: (Money | null)[] = [usd('120'), usd('7'), null, null, null];
  for (const [at, paid] of answers.entries()) {
    ledger.advance(DAY);
    // Spends all there is, so that it asks again.
    const { state } = await ledger.wallet(account);
    const calls = Number(state.totals.available / 1_000_000n) - 50;
    await must(ledger, account, charge(`spend-${at}`, Math.max(1, calls)));
    const open = (await ledger.wallet(account)).state.autoTopUp?.open?.id;
    if (open === undefined) throw new Error(`nothing was asked for at ${at}`);
    const offer = paid === null ? null : offerOf({ terms: FREE_AMOUNT, price: paid });
    await must(ledger, account, { type: 'ResolveAutoTopUp', id: open, reference: `a${at}`, paid, offer });
  }
}

async function warn(ledger: TestLedger, account: string): Promise<void> {
  const thresholds = [
    { on: 'quota', percent: 50 },
    { on: 'quota', percent: 100 },
    { on: 'balance', credits: '40' },
    { on: 'daily_spend', credits: '20' },
  ] as const;
  await must(ledger, account, topUp('t', 100), { type: 'SetAlerts', terms: { enabled: true, thresholds } });
  await must(ledger, account, subscribe('hybrid'), charge('w1', 12), charge('w2', 20), charge('w3', 10));
  const { revision } = await ledger.wallet(account);
  await ledger.run(account, {
    type: 'ReverseEntry',
    revision: revision - 2,
    reason: 'mistake',
    allowDebt: false,
  });
  await must(ledger, account, topUp('t2', 100), charge('w4', 30));
  ledger.advance(2 * DAY);
  await must(ledger, account, charge('w6', 30, { mode: 'record' }));
}
