import { test } from 'tap';
import { formatCredits } from '../../amount.ts';
import type { PlanTerms } from '../../plans/terms.ts';
import { accept, DAY, given, later, noPast, type Past, START, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import { account, balance, word } from '../../testing/sight.ts';
import {
  BASIC,
  cancel,
  changePlan,
  expandQuota,
  payment,
  publish,
  resume,
  subscribe,
} from '../../testing/subscription-orders.ts';

const MONTH = 31 * DAY;
const EXTERNAL: PlanTerms = {
  ...BASIC,
  price: { amount: '29', currency: 'USD' },
  grace: { days: 3, quota: 'provisional' },
};
const PRO: PlanTerms = {
  ...BASIC,
  name: 'Pro',
  price: { credits: '300' },
  included: [{ unit: 'calls', model: '*', amount: '50', per: 'period' }],
};

/** An account with so many credits, bought at a dollar for a hundred, and these plans. */
function customer(credits: string, plans: Readonly<Record<string, PlanTerms>> = { basic: BASIC }): Past {
  const past = given();
  for (const [id, terms] of Object.entries(plans)) publish(past, id, terms, 0);
  if (credits !== '0') accept(past, order.topUp('t1', credits, { paid: String(Number(credits) / 100) }));
  return past;
}

const status = (past: Past): string => {
  const now = past.wallet.subscription?.now;
  return now === undefined ? 'none' : `${now.plan} ${now.status} until ${now.period_end.slice(0, 10)}`;
};
const free = (past: Past): string =>
  past.wallet.quotas.map(({ unit, model, free: left }) => `${left} ${unit} of ${model}`).join(', ');

test('a subscription paid from credits burns them, grants its quota, and keeps the money deferred', async (t) => {
  const past = customer('250');
  accept(past, subscribe('basic'));
  t.equal(status(past), 'basic active until 2026-02-01');
  t.equal(balance(past), '150, held 0');
  t.equal(free(past), '10 calls of *');
  t.equal(account(past, 'liabilities:deferred-revenue'), '-2.5', 'nothing is earned yet');
  t.equal(account(past, 'income:subscriptions:basic', 'credits'), '-100');
});

test('covered calls earn their share of the price, and what nobody uses is breakage at the end (billing rule 10)', async (t) => {
  const past = customer('250');
  accept(past, subscribe('basic', { autoRenew: false }));
  accept(past, order.charge('u1', 4));
  t.equal(account(past, 'income:usage:fine'), '-0.4', 'four of ten calls of a dollar');
  t.equal(balance(past), '150, held 0', 'no credits');
  later(past, MONTH);
  accept(past, order.carryOutDues);
  t.equal(account(past, 'income:breakage'), '-0.6');
  t.equal(status(past), 'basic lapsed until 2026-02-01');
  t.equal(free(past), '');
});

test('it cannot be started twice, for a plan that is not there, or without the credits', async (t) => {
  const past = customer('50', { basic: BASIC, old: { ...BASIC, active: false }, dollars: EXTERNAL });
  t.equal(word(when(past, subscribe('nothing'))), 'plan_not_found');
  t.equal(word(when(past, subscribe('old'))), 'plan_not_active');
  t.equal(word(when(past, subscribe('dollars'))), 'plan_not_in_credits');
  t.equal(word(when(past, subscribe('basic'))), 'insufficient_credits');
  accept(past, order.topUp('t2', '50'));
  accept(past, subscribe('basic'));
  t.equal(word(when(past, subscribe('basic'))), 'replayed', 'the same reference is the same fact');
  t.equal(word(when(past, subscribe('basic', { reference: 's2' }))), 'subscription_exists');
});

test('the first period contains the present, and a refusal says from when on it would', async (t) => {
  const plans = {
    basic: BASIC,
    yearly: { ...BASIC, interval: 'year' as const },
    tried: { ...BASIC, trial_days: 9 },
  };
  for (const [plan, trial] of [
    ['basic', false],
    ['yearly', false],
    ['tried', true],
  ] as const) {
    const past = customer('1000', plans);
    later(past, 59 * DAY + 5);
    const startingAt = (startAt: number) => when(past, subscribe(plan, { trial, startAt }));
    const refused = startingAt(START - 2_000 * DAY);
    const refusal = refused.status === 'refused' ? refused.refusal : null;
    if (refusal?.code !== 'start_out_of_range') throw new Error(word(refused));
    const earliest = Date.parse(refusal.earliest);
    t.equal(refusal.latest, new Date(past.now).toISOString());
    t.same([startingAt(earliest - 1), startingAt(past.now + 1)].map(word), [refusal.code, refusal.code]);
    t.equal(word(startingAt(earliest)), 'recorded', `${plan} from ${refusal.earliest}`);
  }
});

test('what is paid outside changes with its next payment, and what is to end does not change', async (t) => {
  const past = customer('1000', { basic: BASIC, pro: PRO, dollars: EXTERNAL });
  accept(past, subscribe('dollars', { pay: 'external' }));
  accept(past, payment(START, 'p1', { amount: '29', currency: 'USD' }));
  t.equal(word(when(past, changePlan('pro', 'now'))), 'paid_outside');
  t.equal(word(when(past, changePlan('pro', 'period_end'))), 'recorded');
  accept(past, cancel('period_end'));
  for (const at of ['now', 'period_end'] as const)
    t.equal(word(when(past, changePlan('basic', at, 'c2'))), 'cancellation_scheduled');
  accept(past, resume);
  t.equal(word(when(past, changePlan('basic', 'period_end', 'c2'))), 'recorded');
});

test('where a hard stop meets a period that nobody has paid, the refusal says so, and no time to wait', async (t) => {
  const stop: PlanTerms = { ...EXTERNAL, overage: 'refuse' };
  const past = customer('0', { stop });
  accept(past, subscribe('stop', { pay: 'external' }));
  const outcome = when(past, order.charge('u1', 1));
  t.match(outcome, {
    refusal: {
      code: 'quota_exhausted',
      resets_at: null,
      unpaid_since: '2026-01-01T00:00:00.000Z',
      grace_ends_at: '2026-01-04T00:00:00.000Z',
    },
  });
  accept(past, payment(START, 'p1', { amount: '29', currency: 'USD' }));
  accept(past, order.charge('u1', 1));
  t.match(when(past, order.charge('u2', 10)), {
    refusal: { resets_at: '2026-02-01T00:00:00.000Z', unpaid_since: undefined },
  });
});

test('every elapsed period is paid at its own instant, though nobody looked for months (billing rule 1)', async (t) => {
  const past = customer('1000');
  accept(past, subscribe('basic'));
  later(past, 100 * DAY);
  const outcome = when(past, order.carryOutDues);
  if (outcome.status !== 'recorded') throw new Error(word(outcome));
  const renewals = outcome.dues.filter(({ type }) => type === 'SubscriptionRenewed');
  t.same(
    renewals.map(({ data }) => (data as { effective_at: string }).effective_at.slice(0, 10)),
    ['2026-02-01', '2026-03-01', '2026-04-01'],
  );
  t.equal(balance(past), '600, held 0');
  t.equal(free(past), '10 calls of *', 'quotas of months that have wholly passed are left out');
  t.equal(account(past, 'income:breakage'), '-3', 'their money is breakage');
});

test('a subscriber keeps the terms bought until renewal, and then has those in force at that instant', async (t) => {
  const past = customer('1000');
  accept(past, subscribe('basic'));
  later(past, 10 * DAY);
  publish(past, 'basic', { ...BASIC, price: { credits: '150' } });
  later(past, 30 * DAY);
  publish(past, 'basic', { ...BASIC, price: { credits: '200' } });
  later(past, MONTH);
  accept(past, order.carryOutDues);
  t.equal(balance(past), '550, held 0', '100, then 150 on 1 February, 200 on 1 March');
  t.equal(past.wallet.subscription?.now.plan_version, 3);
});

test('without the credits it is past due, is paid by whatever adds credits, and lapses after its grace', async (t) => {
  const terms: PlanTerms = { ...BASIC, grace: { days: 5, quota: 'none' } };
  for (const paid of [true, false]) {
    const past = customer('150', { basic: terms });
    accept(past, subscribe('basic'));
    later(past, MONTH);
    accept(past, order.carryOutDues);
    t.equal(status(past), 'basic past_due until 2026-03-01');
    t.equal(free(past), '', 'no quota while it is not paid');
    later(past, 2 * DAY);
    if (paid) {
      accept(past, order.topUp('t2', '60'));
      t.equal(status(past), 'basic active until 2026-03-01', 'in the same append');
      t.equal(balance(past), '10, held 0');
      t.equal(free(past), '10 calls of *');
    } else {
      later(past, 3 * DAY);
      accept(past, order.carryOutDues);
      t.equal(status(past), 'basic lapsed until 2026-03-01');
      t.equal(past.wallet.subscription?.now.ended_at, '2026-02-06T00:00:00.000Z');
    }
  }
});

test('paid outside: unpaid it has the quota of its grace, a payment makes it up to the whole', async (t) => {
  const past = customer('0', { dollars: EXTERNAL });
  accept(past, subscribe('dollars', { pay: 'external' }));
  t.equal(status(past), 'dollars past_due until 2026-02-01');
  t.equal(free(past), '', 'three of 31 days are not one call of ten');
  accept(past, payment(START, 'p1', { amount: '29', currency: 'USD' }));
  t.equal(status(past), 'dollars active until 2026-02-01');
  t.equal(free(past), '10 calls of *');
  t.equal(account(past, 'liabilities:deferred-revenue'), '-29');
  t.equal(account(past, 'assets:clearing:subscriptions'), '29');
});

test('paid outside, a plan without a grace waits a day for each of its payments', async (t) => {
  const { grace: _none, ...dollars } = EXTERNAL;
  const usd = { amount: '29', currency: 'USD' };
  const past = customer('0', { dollars });
  accept(past, subscribe('dollars', { pay: 'external' }));
  accept(past, payment(START, 'p1', usd));
  later(past, MONTH + DAY / 2);
  accept(past, order.carryOutDues);
  t.equal(status(past), 'dollars past_due until 2026-03-01');
  t.equal(free(past), '');
  accept(past, payment(START + MONTH, 'p2', usd));
  t.equal(status(past), 'dollars active until 2026-03-01');
  later(past, 29 * DAY);
  accept(past, order.carryOutDues);
  t.equal(status(past), 'dollars lapsed until 2026-04-01');
  t.equal(past.wallet.subscription?.now.ended_at, '2026-03-02T00:00:00.000Z');
});

test('a payment is always booked: within the period it revives, else it waits for finance (billing rule 2)', async (t) => {
  const usd = { amount: '29', currency: 'USD' };
  const past = customer('0', { dollars: EXTERNAL });
  accept(past, subscribe('dollars', { pay: 'external' }));
  later(past, 10 * DAY);
  accept(past, order.carryOutDues);
  t.equal(status(past), 'dollars lapsed until 2026-02-01');
  accept(past, payment(START, 'p0', null, 'failed'));
  accept(past, payment(START, 'p1', usd));
  t.equal(status(past), 'dollars active until 2026-02-01', 'with its old anchor');
  accept(past, payment(START, 'p2', usd));
  t.equal(account(past, 'liabilities:unapplied'), '-29', 'paid twice');
  later(past, 2 * MONTH);
  accept(past, payment(START, 'p3', usd));
  t.equal(account(past, 'liabilities:unapplied'), '-58', 'too late');
  t.equal(word(when(past, payment(START, 'p3', usd))), 'replayed');
});

test('one trial per account, ever; at its end the first period begins and is paid', async (t) => {
  const past = customer('150', { basic: { ...BASIC, trial_days: 14 } });
  accept(past, subscribe('basic', { trial: true }));
  t.equal(status(past), 'basic trialing until 2026-01-15');
  t.equal(balance(past), '150, held 0');
  later(past, 15 * DAY);
  accept(past, order.carryOutDues);
  t.equal(status(past), 'basic active until 2026-02-15');
  t.equal(balance(past), '50, held 0');
  accept(past, cancel('now'));
  t.equal(word(when(past, subscribe('basic', { trial: true, reference: 's2' }))), 'trial_already_used');
});

test('an upgrade in mid-period, with quota used, charges the rest of the difference and grants the rest of it', async (t) => {
  const past = customer('1000', { basic: BASIC, pro: PRO });
  accept(past, subscribe('basic'));
  accept(past, order.charge('u1', 7));
  later(past, 15.5 * DAY);
  accept(past, changePlan('pro', 'now'));
  t.equal(balance(past), '800, held 0', 'half of the 200 that it costs more');
  t.equal(free(past), '3 calls of *, 20 calls of *', 'what was left, and half of 40 more');
  t.equal(status(past), 'pro active until 2026-02-01', 'the anchor stays');
  accept(past, order.charge('u2', 23));
  t.equal(balance(past), '800, held 0');
  t.equal(word(when(past, changePlan('basic', 'now', 'c2'))), 'downgrade_waits');
});

test('the price of a part is rounded up to a credit and its quota down, and neither is ever more than the whole', async (t) => {
  for (let day = 0; day < 31; day++) {
    const past = customer('1000', { basic: BASIC, pro: PRO });
    accept(past, subscribe('basic'));
    later(past, day * DAY + 1);
    const before = past.wallet.totals.available;
    accept(past, changePlan('pro', 'now'));
    const charged = before - past.wallet.totals.available;
    t.equal(charged % 1_000_000n, 0n);
    t.ok(charged > 0n && charged <= 200_000_000n, formatCredits(charged));
    const exact = (200 * (MONTH - day * DAY - 1)) / MONTH;
    t.equal(Number(charged) / 1e6, Math.ceil(exact));
    const extra =
      past.wallet.quotas.find(({ origin }) => origin.kind === 'plan' && origin.extra)?.quantity ?? 0n;
    t.equal(Number(extra), Math.floor((40 * (MONTH - day * DAY - 1)) / MONTH));
  }
});

test('a downgrade waits for the period end, and can be taken back until then', async (t) => {
  const past = customer('1000', { basic: BASIC, pro: PRO });
  accept(past, subscribe('pro'));
  accept(past, changePlan('basic', 'period_end'));
  t.equal(past.wallet.subscription?.now.pending_plan, 'basic');
  accept(past, resume);
  t.equal(word(when(past, resume)), 'unchanged');
  accept(past, changePlan('basic', 'period_end', 'c2'));
  later(past, MONTH);
  accept(past, order.carryOutDues);
  t.equal(status(past), 'basic active until 2026-03-01');
  t.equal(balance(past), '600, held 0');
  t.equal(free(past), '10 calls of *');
});

test('cancelled at the period end it runs until then, and can be resumed; what has ended cannot', async (t) => {
  const past = customer('1000');
  accept(past, subscribe('basic'));
  accept(past, cancel('period_end'));
  t.equal(past.wallet.subscription?.now.cancel_at, '2026-02-01T00:00:00.000Z');
  accept(past, resume);
  accept(past, cancel('period_end', 'x2'));
  later(past, MONTH);
  accept(past, order.carryOutDues);
  t.equal(status(past), 'basic canceled until 2026-02-01');
  t.equal(word(when(past, resume)), 'subscription_ended');
  accept(past, subscribe('basic', { reference: 's2' }));
  t.equal(status(past), 'basic active until 2026-03-01');
});

test('cancelled now it gives nothing back, unless the plan says so: then to the lots that paid', async (t) => {
  for (const refund_on_cancel of [false, true]) {
    const past = customer('100', { basic: { ...BASIC, refund_on_cancel } });
    accept(past, order.grant('g1', '50', { expiresAt: START + 5 * DAY }));
    accept(past, subscribe('basic'));
    t.equal(balance(past), '50, held 0', 'the grant that expires first has paid half');
    later(past, 15.5 * DAY);
    accept(past, cancel('now'));
    // Half of 100: 50 of the lot that paid last; nothing to the grant, which has expired.
    t.equal(balance(past), refund_on_cancel ? '100, held 0' : '50, held 0');
    t.equal(account(past, 'liabilities:deferred-revenue'), refund_on_cancel ? '-1' : '-0.5');
    t.equal(free(past), '');
  }
});

test('a refund finds the lot that paid, though it had left the wallet', async (t) => {
  const past = customer('100', { basic: { ...BASIC, refund_on_cancel: true } });
  accept(past, subscribe('basic'));
  t.same(past.wallet.lots, []);
  later(past, 15.5 * DAY);
  accept(past, cancel('now'));
  t.same(
    past.wallet.lots.map(({ id, free: credits }) => `${id} ${formatCredits(credits)}`),
    ['lot-1 50'],
  );
});

test('daily quotas are granted once a day, whatever the order and delay of looks', async (t) => {
  const daily: PlanTerms = {
    ...BASIC,
    included: [{ unit: 'calls', model: '*', amount: '3', per: 'day' }],
    overage: 'refuse',
  };
  const past = customer('100', { daily });
  accept(past, subscribe('daily'));
  accept(past, order.charge('u1', 3));
  t.equal(word(when(past, order.charge('u2', 1))), 'quota_exhausted');
  later(past, DAY);
  accept(past, order.charge('u2', 1));
  t.equal(free(past), '2 calls of *');
  later(past, 5 * DAY);
  accept(past, order.carryOutDues);
  t.equal(free(past), '3 calls of *', 'nothing is carried over, and days that have passed are left out');
  const granted = past.events.filter(({ type }) => type === 'QuotaGranted');
  t.equal(granted.length, 2);
});

test('an expansion by finance lasts until it ends, also without a plan', async (t) => {
  const past = given();
  accept(past, expandQuota(5n, START + DAY));
  accept(past, order.charge('u1', 2));
  t.equal(free(past), '3 calls of *');
  t.equal(word(when(past, expandQuota(5n, START, { reference: 'e2' }))), 'expires_in_past');
  later(past, DAY);
  t.equal(word(when(past, order.charge('u2', 1))), 'insufficient_credits');
});

test('new accounts start with the default plan, where there is one that costs nothing', async (t) => {
  const past = noPast();
  publish(past, 'free', { ...BASIC, price: { credits: '0' }, default_plan: true }, 0);
  accept(past, order.open());
  t.equal(status(past), 'free active until 2026-02-01');
  t.equal(free(past), '10 calls of *');
});

test('who has never paid has no quota, whatever the grace says: nobody starts again and again for nothing', async (t) => {
  const generous: PlanTerms = {
    ...EXTERNAL,
    grace: { days: 3, quota: 'full' },
    included: [
      { unit: 'calls', model: '*', amount: '10', per: 'period' },
      { unit: 'tokens', model: '*', amount: 'unlimited', per: 'period' },
    ],
    overage: 'refuse',
  };
  const past = customer('0', { dollars: generous });
  accept(past, subscribe('dollars', { pay: 'external' }));
  t.equal(free(past), '');
  t.equal(word(when(past, order.charge('u1', { input_tokens: 10 }, { model: 'gpt-4' }))), 'quota_exhausted');
  accept(past, payment(START, 'p1', { amount: '29', currency: 'USD' }));
  later(past, MONTH);
  accept(past, order.carryOutDues);
  t.equal(status(past), 'dollars past_due until 2026-03-01');
  t.equal(free(past), '10 calls of *', 'a customer who has paid before has the grace of the plan');
});

test('another sum than the price is not "as ordered": it waits for finance', async (t) => {
  const past = customer('0', { dollars: EXTERNAL });
  accept(past, subscribe('dollars', { pay: 'external' }));
  accept(past, payment(START, 'p1', { amount: '28.99', currency: 'USD' }));
  accept(past, payment(START, 'p2', { amount: '29', currency: 'EUR' }));
  t.equal(status(past), 'dollars past_due until 2026-02-01');
  t.equal(account(past, 'liabilities:unapplied'), '-28.99');
  t.equal(account(past, 'liabilities:unapplied', 'EUR'), '-29');
});

test('lines in another order are the same lines: a late payment grants no window again', async (t) => {
  const [calls, tokens] = [
    { unit: 'calls', model: '*', amount: '10', per: 'period' },
    { unit: 'tokens', model: '*', amount: '100', per: 'period' },
  ] as const;
  const grace = { days: 5, quota: 'full' } as const;
  const past = customer('100', { basic: { ...BASIC, grace, included: [calls, tokens] } });
  accept(past, subscribe('basic'));
  publish(past, 'basic', { ...BASIC, grace, included: [tokens, calls] }, past.now + DAY);
  later(past, MONTH);
  accept(past, order.carryOutDues);
  accept(past, order.charge('u1', 4));
  accept(past, order.topUp('t2', '100'));
  t.equal(free(past), '0 tokens of *, 0 calls of *, 100 tokens of *, 6 calls of *');
});

test('a frozen account cannot be upgraded at its own expense', async (t) => {
  const past = customer('1000', { basic: BASIC, pro: PRO });
  accept(past, subscribe('basic'));
  accept(past, order.freeze('case-1'));
  t.equal(word(when(past, changePlan('pro', 'now'))), 'account_frozen');
});

test('what costs nothing is not begun anew before its last period has passed: no quota again and again', async (t) => {
  const nothing: PlanTerms = { ...BASIC, price: { credits: '0' }, overage: 'refuse' };
  const past = customer('100', { free: nothing, other: nothing, basic: BASIC });
  accept(past, subscribe('free'));
  accept(past, order.charge('u1', 10));
  accept(past, cancel('now'));
  t.match(when(past, subscribe('other', { reference: 's2' })), {
    refusal: { code: 'free_period_used', available_at: '2026-02-01T00:00:00.000Z' },
  });
  accept(past, subscribe('basic', { reference: 's3' }));
  accept(past, cancel('now', 'x2'));
  t.equal(word(when(past, subscribe('free', { reference: 's4' }))), 'free_period_used');
  later(past, MONTH);
  accept(past, subscribe('free', { reference: 's5' }));
  t.equal(free(past), '10 calls of *');
});

test('plans of one price are not changed to and fro in mid-period', async (t) => {
  const more: PlanTerms = {
    ...BASIC,
    included: [{ unit: 'calls', model: '*', amount: '20', per: 'period' }],
  };
  const past = customer('100', { basic: BASIC, more });
  accept(past, subscribe('basic'));
  t.equal(word(when(past, changePlan('more', 'now'))), 'downgrade_waits');
  accept(past, changePlan('more', 'period_end', 'c2'));
});

test('a refund is of what nobody has used: a quota used up gives nothing back', async (t) => {
  for (const [used, back] of [
    [0, '200'],
    [5, '150'],
    [10, '100'],
  ] as const) {
    const past = customer('200', { basic: { ...BASIC, refund_on_cancel: true } });
    accept(past, subscribe('basic'));
    if (used > 0) accept(past, order.charge('u1', used));
    accept(past, cancel('now'));
    t.equal(balance(past), `${back}, held 0`);
  }
});

test('a subscription that is imported has its grace from now on', async (t) => {
  const past = customer('0', { dollars: EXTERNAL });
  later(past, 10 * DAY);
  accept(past, subscribe('dollars', { pay: 'external', startAt: START }));
  when(past, order.carryOutDues);
  t.equal(status(past), 'dollars past_due until 2026-02-01');
  t.equal(past.wallet.subscription?.now.grace_ends_at, '2026-01-14T00:00:00.000Z');
});

test('a trial is not upgraded: the dearer plan begins with the first period, and is paid', async (t) => {
  const past = customer('100', { basic: { ...BASIC, trial_days: 5 }, pro: PRO });
  accept(past, subscribe('basic', { trial: true }));
  t.equal(word(when(past, changePlan('pro', 'now'))), 'trial_not_ended');
});

test('the grace of a plan is for who has paid for that plan', async (t) => {
  const dear: PlanTerms = { ...EXTERNAL, grace: { days: 5, quota: 'full' } };
  const past = customer('0', { free: { ...BASIC, price: { credits: '0' } }, dear });
  accept(past, subscribe('free', { pay: 'external' }));
  accept(past, changePlan('dear', 'period_end'));
  later(past, MONTH);
  accept(past, order.carryOutDues);
  t.equal(status(past), 'dear past_due until 2026-03-01');
  t.equal(free(past), '');
});

test('a period paid from very many lots keeps all the money, though it names the last lots only', async (t) => {
  const past = customer('0', { basic: BASIC });
  for (let n = 0; n < 150; n++) accept(past, order.topUp(`small-${n}`, '1', { paid: '1' }));
  accept(past, subscribe('basic'));
  t.equal(past.wallet.subscription?.now.paid_from.length, 100);
  accept(past, order.charge('u1', 10));
  t.equal(account(past, 'income:usage:fine'), '-100');
});

test('a week that goes on into a period paid late is not granted once more', async (t) => {
  const weekly: PlanTerms = {
    ...BASIC,
    grace: { days: 5, quota: 'none' },
    included: [{ unit: 'calls', model: '*', amount: '700', per: 'week' }],
    overage: 'refuse',
  };
  const past = customer('100', { weekly });
  accept(past, subscribe('weekly'));
  later(past, 29 * DAY);
  accept(past, order.charge('u1', 700));
  later(past, 2 * DAY + 60_000);
  accept(past, order.topUp('t2', '100'));
  t.equal(status(past), 'weekly active until 2026-03-01');
  t.equal(word(when(past, order.charge('u2', 1))), 'quota_exhausted');
  later(past, 4 * DAY);
  accept(past, order.charge('u3', 700));
});
