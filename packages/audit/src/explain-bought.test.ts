import { createMemoryStore } from '@tallystick/event-store';
import { openTestLedger } from '@tallystick/projections/testing';
import t from 'tap';
import { type AuditedEvent, readEvent } from './event.ts';
import { explain, explainToFinance } from './explain.ts';
import { wordsOf } from './explain-words.ts';
import { buyThrough } from './testing/bought.ts';
import { subscribeThrough } from './testing/subscribed.ts';

const ledger = await openTestLedger(createMemoryStore());
await subscribeThrough(ledger);
await buyThrough(ledger);
const { events: stored } = await ledger.store.readAll({
  after: null,
  limit: 100_000,
  categories: ['wallet'],
});
const events = stored.map(readEvent);

function first(type: string, account: string, fits: (what: string) => boolean = () => true): AuditedEvent {
  const found = events.find(
    (event) => event.type === type && event.stream === `wallet-${account}` && fits(wordsOf(event)),
  );
  if (found === undefined) throw new Error(`no ${type} of ${account}`);
  return found;
}

t.test('each event is told in words, none by its type alone', async (t) => {
  for (const event of events) {
    const what = wordsOf(event);
    t.not(what, event.type);
    if (/undefined|null|\[object/.test(what)) t.fail(`${event.type}: ${what}`);
  }
  for (const [type, account, what] of [
    [
      'SubscriptionStarted',
      'sub-trial',
      /^Subscribed to hybrid, version 1: period \S+ to \S+, a trial; quota-/,
    ],
    ['SubscriptionStarted', 'sub-outside', /^Subscribed to stopped, .*, unpaid, lapses at 2026-03-08T12:00/],
    [
      'SubscriptionRenewed',
      'sub-holder',
      /^Renewed hybrid, version 1: period \S+ to \S+, 30 credits; quota-/,
    ],
    ['SubscriptionRenewed', 'sub-late', /^Period of hybrid, version 1 paid late: .*, 30 credits; quota-/],
    [
      'SubscriptionPastDue',
      'sub-late',
      /^Period of hybrid, version 1 not paid \(insufficient credits\): .* lapses at/,
    ],
    ['SubscriptionEnded', 'sub-lapser', /^Subscription to hybrid lapsed as of 2026-04-01T12:00:00.000Z$/],
    [
      'SubscriptionEnded',
      'sub-refunded',
      /canceled as of .*, reference cancel-now; rest of the period: -22 credits$/,
    ],
    [
      'SubscriptionChanged',
      'sub-refunded',
      /^Cancellation of measured scheduled for 2026-04-01T12:00:00.000Z$/,
    ],
    ['SubscriptionChanged', 'sub-trial', /^Change from hybrid to large scheduled for/],
    ['SubscriptionPaymentRecorded', 'sub-outside', /^Payment of the period from .* failed$/],
    [
      'SubscriptionPaymentRecorded',
      'sub-outside',
      /^Payment of the period from .*-stray waits for finance: not the period$/,
    ],
    ['QuotaGranted', 'sub-late', /^Quota of hybrid granted; quota-\d+: 3 calls of maker\/costly until /],
    ['QuotaExpanded', 'sub-upgrader', /^Quota expanded: goodwill, reference .*: 5 calls of plain until /],
    [
      'PurchaseOpened',
      'buys-alone',
      /^Purchase p1 opened: 10000 credits and 500 as a bonus for 81 USD, 9 USD off by TENTH$/,
    ],
    ['PurchasePaid', 'buys-alone', /^Purchase p1 paid: 10500 credits with its bonus, reference pay-p1-81$/],
    ['PurchaseClosed', 'buys-alone', /^Purchase p1 closed: paid$/],
    ['PurchasePaymentUnapplied', 'buys-alone', /^Payment for p1 waits for finance: amount differs/],
    ['CouponApplied', 'buys-alone', /^Coupon GIFT applied: 25 credits$/],
    ['CouponForgotten', 'buys-alone', /^Coupon LATER forgotten$/],
    ['ReferralLinked', 'buys-friend', /^Referred by buys-referrer$/],
    [
      'ReferralAccrued',
      'buys-referrer',
      /^Share of buys-friend:3 accrued: 10 % of 1000 credits = 100, from /,
    ],
    ['ReferralGranted', 'buys-referrer', /^Share of buys-friend:4 granted: 5 credits$/],
    ['ReferralClawedBack', 'buys-referrer', /^Share of buys-friend:4 taken back: 5 credits, /],
    ['AutoTopUpSet', 'buys-topped', /^Topping up set: below 100 credits$/],
    [
      'AutoTopUpRequested',
      'buys-topped',
      /^Top-up auto-top-up-\d+ asked for: 50 credits left, 100 is the threshold$/,
    ],
    ['AutoTopUpResolved', 'buys-topped', /^Top-up auto-top-up-\d+ answered: paid, reference a0$/],
    ['AlertsSet', 'buys-warned', /^Warnings set: 4 thresholds$/],
    ['AlertRaised', 'sub-late', /^Warning: 80 % of 3 calls of maker\/costly are used or held \(3 and 0\)$/],
  ] as const) {
    const found = events.some(
      (event) => event.type === type && event.stream === `wallet-${account}` && what.test(wordsOf(event)),
    );
    t.ok(found, `${type} of ${account}: ${wordsOf(first(type, account))}`);
  }
});

t.test(
  'a call that quotas and credits pay together is told with its split, its factor and its price',
  async (t) => {
    const event = first('UsageCharged', 'sub-late', (what) => what.startsWith('Usage c3'));
    const shown = explainToFinance(event);
    t.equal(shown.what, 'Usage c3, plain, 30 calls charged 19.5 credits; 17 calls covered by quota-3');
    t.same(shown.formula, [
      '13 calls at 1 credits per 1 = 13 credits',
      '13 x overage 1.5 (hybrid:1) = 19.5 credits',
      '19.5 rounded up to a multiple of 0.5 = 19.5 credits',
    ]);
    t.match(shown.quotas, [{ quota: 'quota-3', unit: 'calls', from: 'free', to: 'used', quantity: '17' }]);
    t.match(shown.quota_paid, [/^5\.\d+$/]);
    t.same(explain(event).price?.factors, [{ kind: 'overage', value: '1.5' }]);
  },
);

t.test(
  'what a plan covers without limit, what is beyond it, and what holds had kept, are told',
  async (t) => {
    for (const [account, what] of [
      ['sub-late', /9 calls covered by the plan, without limit for extra$/],
      ['sub-outside', /beyond what the plan includes, which is not charged$/],
      ['sub-outside', /3 calls covered by quota-\d+, beyond a cap of the plan$/],
      ['sub-holder', /^Expired: hold h3, what holds had kept of quota-\d+$/],
      ['sub-holder', /^Hold h1 placed for maker\/costly: 0 credits until .*; 2 calls covered by quota-/],
    ] as const)
      t.ok(
        events.some((event) => event.stream === `wallet-${account}` && what.test(wordsOf(event))),
        String(what),
      );
  },
);

t.test('the part of a period is told as a formula that comes to what was charged', async (t) => {
  const upgraded = explainToFinance(first('SubscriptionChanged', 'sub-upgrader'));
  t.same(upgraded.formula, [
    '(75 credits for large less the price before) x 2401200/2678400 of the period, rounded up to a whole credit = 41 credits',
  ]);
  t.equal(Math.ceil(((75 - 30) * 2_401_200) / 2_678_400), 41);
  t.match(upgraded.bill, [{ description: /^large instead of hybrid from/, credits: '41' }]);
  const refunded = explainToFinance(first('SubscriptionEnded', 'sub-refunded'));
  t.match(refunded.formula, [
    /^the lesser of 30 credits x 2401200\/2678400 of the period and of what no quota was used for, .* = 22 credits back$/,
  ]);
  t.equal(Math.min(Math.floor((30 * 2_401_200) / 2_678_400), Math.floor((30 * (20 - 5)) / 20)), 22);
  t.same(refunded.bill, [{ description: 'rest of the period', credits: '-22' }]);
});

t.test('owners see no cost, no money behind credits or quotas, and nothing of pots', async (t) => {
  for (const event of events) {
    const shown = JSON.stringify(explain(event));
    // What was asked of a customer for a purchase is no secret to him.
    const isOwnPrice = event.type === 'PurchaseOpened';
    if (!isOwnPrice && /\b(USD|EUR)\b/.test(shown)) t.fail(`${event.type}: ${shown}`);
    t.notMatch(shown, /"(paid|quota_paid|postings|pots|cost|supplier|formula|published)":/);
  }
});
