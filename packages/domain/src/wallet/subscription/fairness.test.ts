/** What is had is what was paid for: nobody gains by leaving, coming back and changing to and fro, and nobody loses by it. */
import { test } from 'tap';
import type { PlanTerms } from '../../plans/terms.ts';
import {
  call,
  customer,
  granted,
  includes,
  join,
  leave,
  look,
  name,
  status,
} from '../../testing/customer.ts';
import { accept, DAY, later, type Past, SECOND, START, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import { accrue, setAutoTopUp } from '../../testing/purchase-orders.ts';
import { balance, word } from '../../testing/sight.ts';
import { BASIC, cancel, changePlan, payment, publish, subscribe } from '../../testing/subscription-orders.ts';

const WEEK = 7 * DAY;
const MONTH = 31 * DAY;
const USD_29 = { amount: '29', currency: 'USD' };

test('a plan that costs nothing is had once for its period, whoever is said to pay', async (t) => {
  for (const price of [{ credits: '0' }, { amount: '0', currency: 'USD' }])
    for (const pay of ['external', 'credits'] as const) {
      const past = customer('0', { free: { ...BASIC, price } });
      accept(past, subscribe('free', { pay }));
      call(past, 10);
      leave(past);
      t.equal(word(when(past, subscribe('free', { pay, reference: 's2' }))), 'free_period_used');
    }
});

test('a plan that costs nothing is not come to again by another plan, while its last period lasts', async (t) => {
  const week: PlanTerms = { ...BASIC, price: { credits: '1' }, interval: 'week', included: [] };
  const free: PlanTerms = { ...BASIC, price: { credits: '0' }, interval: 'year' };
  const past = customer('100', { week, free });
  join(past, 'week');
  accept(past, changePlan('free', 'period_end', name()));
  look(past, WEEK);
  t.equal(past.wallet.subscription?.now.plan, 'free');
  leave(past);
  join(past, 'week');
  t.equal(word(when(past, changePlan('free', 'period_end'))), 'free_period_used');
  leave(past);
  const renewed = customer('100', { week, free });
  join(renewed, 'free');
  leave(renewed);
  join(renewed, 'week');
  publish(renewed, 'week', { ...week, price: { credits: '0' } });
  look(renewed, WEEK);
  t.equal(status(renewed), 'lapsed', 'nor by a renewal on terms that cost nothing any more');
});

test('windows that have passed are gone when a plan gives back the rest', async (t) => {
  const yearly: PlanTerms = {
    ...BASIC,
    price: { credits: '1200' },
    interval: 'year',
    refund_on_cancel: true,
    included: includes('100', 'month'),
  };
  const past = customer('1200', { yearly });
  join(past, 'yearly');
  call(past, 100);
  look(past, MONTH);
  call(past, 100);
  leave(past);
  t.equal(balance(past), '1006, held 0', '59 days of the year are gone');
});

test('where no quota measures what a plan gives, one call is enough for nothing to come back', async (t) => {
  const terms: readonly Partial<PlanTerms>[] = [
    { included: includes('unlimited', 'period') },
    { included: [] },
    { overage_multiplier: '0.5' },
  ];
  for (const more of terms) {
    const past = customer('200', { plan: { ...BASIC, ...more, refund_on_cancel: true } });
    join(past, 'plan');
    leave(past);
    t.equal(balance(past), '200, held 0', 'nobody has called');
    join(past, 'plan');
    call(past, 1);
    const [before] = balance(past).split(',');
    leave(past);
    t.equal(balance(past), `${before}, held 0`);
    const holding = customer('200', { plan: { ...BASIC, ...more, refund_on_cancel: true } });
    join(holding, 'plan');
    accept(holding, order.hold('h1', 1));
    t.equal(word(when(holding, cancel('now'))), 'recorded');
    t.match(holding.wallet.totals.consumed, 100_000_000n, 'a call that is under way counts');
  }
});

test('caps by day, week or month go on counting in a next subscription', async (t) => {
  const caps = includes('5', 'day');
  const past = customer('500', { plan: { ...BASIC, caps, refund_on_cancel: true } });
  join(past, 'plan');
  call(past, 5);
  leave(past);
  later(past, SECOND);
  join(past, 'plan');
  t.equal(word(when(past, order.charge('c1', 1))), 'cap_reached');
  later(past, DAY);
  call(past, 5);
  t.equal(word(when(past, order.charge('c2', 1))), 'cap_reached');
});

test('a plan with less of a quota waits for the next period: what was granted stays', async (t) => {
  const plans = {
    all: { ...BASIC, price: { credits: '90' }, included: includes('900', 'period') },
    fine: { ...BASIC, included: includes('1000', 'period', 'fine') },
    less: { ...BASIC, included: [...includes('1', 'period'), ...includes('1000', 'period', 'fine')] },
    more: { ...BASIC, included: [...includes('900', 'period'), ...includes('1000', 'period', 'fine')] },
  };
  const past = customer('500', plans);
  join(past, 'all');
  for (const plan of ['fine', 'less']) t.equal(word(when(past, changePlan(plan, 'now'))), 'quota_shrinks');
  t.equal(word(when(past, changePlan('more', 'now'))), 'recorded');
});

test('a week that a dearer plan has granted is not granted again by coming back to it', async (t) => {
  const small: PlanTerms = { ...BASIC, price: { credits: '10' }, included: includes('70', 'week') };
  const large: PlanTerms = { ...BASIC, included: includes('700', 'week') };
  const past = customer('1000', { small, large });
  join(past, 'large');
  accept(past, changePlan('small', 'period_end', name()));
  look(past, MONTH);
  const before = granted(past);
  accept(past, changePlan('large', 'now', name()));
  t.equal(granted(past), before);
});

test('what was without limit and is limited now is granted for the rest of the window', async (t) => {
  const without: PlanTerms = { ...BASIC, included: includes('unlimited', 'period') };
  const limited: PlanTerms = { ...BASIC, price: { credits: '300' }, included: includes('620', 'period') };
  const past = customer('1000', { without, limited });
  join(past, 'without');
  later(past, MONTH / 2);
  accept(past, changePlan('limited', 'now'));
  t.equal(granted(past), 310n);
});

test('who pays after the lapse has again what was lost of the week that goes on, and no more', async (t) => {
  const dollars: PlanTerms = { ...BASIC, price: USD_29, included: includes('70', 'week') };
  for (const used of [70, 20]) {
    const past = customer('0', { dollars });
    accept(past, subscribe('dollars', { pay: 'external' }));
    accept(past, payment(START, 'p1', USD_29));
    look(past, 28 * DAY);
    call(past, used);
    look(past, 4 * DAY + SECOND);
    t.equal(status(past), 'lapsed');
    accept(past, payment(START + MONTH, 'p2', USD_29));
    const free = past.wallet.quotas.reduce((sum, quota) => sum + quota.free, 0n);
    t.equal(free, BigInt(70 - used));
  }
});

test('who leaves a grace unpaid has no quota in a grace any more, until it is paid after all', async (t) => {
  const plan: PlanTerms = { ...BASIC, grace: { days: 5, quota: 'full' } };
  const past = customer('100', { plan });
  join(past, 'plan');
  look(past, MONTH);
  call(past, 10);
  leave(past);
  accept(past, order.topUp('t2', '100'));
  join(past, 'plan');
  look(past, MONTH);
  t.equal(status(past), 'past_due');
  t.equal(granted(past), 30n, 'two periods and one grace');
  const dollars: PlanTerms = { ...plan, price: USD_29 };
  const revived = customer('0', { dollars });
  accept(revived, subscribe('dollars', { pay: 'external' }));
  accept(revived, payment(START, 'p1', USD_29));
  look(revived, MONTH + 6 * DAY);
  accept(revived, payment(START + MONTH, 'p2', USD_29));
  look(revived, 24 * DAY);
  t.equal(revived.wallet.subscription?.now.grace_quota, 'full');
});

test('the day that the outside world is given where a grace has none grants nothing', async (t) => {
  const plan: PlanTerms = { ...BASIC, price: USD_29, grace: { days: 0, quota: 'full' } };
  const past = customer('0', { plan });
  accept(past, subscribe('plan', { pay: 'external' }));
  accept(past, payment(START, 'p1', USD_29));
  look(past, MONTH);
  t.equal(status(past), 'past_due');
  t.equal(granted(past), 10n);
});

test('a hold that has expired has nothing of a plan that was left meanwhile', async (t) => {
  const plan: PlanTerms = { ...BASIC, overage: 'refuse', refund_on_cancel: true };
  const past = customer('1000', { plan });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 10 }));
  later(past, 61 * SECOND);
  leave(past);
  const before = Number(balance(past).split(',')[0]);
  const [settled] = accept(past, order.settle('h1', { calls: 10 }));
  t.match(settled, { data: { violations: undefined } });
  t.ok(Number(balance(past).split(',')[0]) < before, 'the customer pays for it');
  const cheap: PlanTerms = { ...BASIC, overage_multiplier: '0.1', included: [] };
  const other = customer('1000', { cheap });
  join(other, 'cheap');
  accept(other, order.hold('h1', { calls: 1 }));
  look(other, 61 * SECOND);
  leave(other);
  const [extended] = accept(other, order.extend('h1', { calls: 10 }));
  const [charged] = accept(other, order.charge('list', { calls: 10 }));
  t.match(
    extended,
    { data: { credits: (charged?.data as { credits?: string } | undefined)?.credits } },
    'at the list price',
  );
});

test('credits that fall due pay a period that waits for them, as of when they came', async (t) => {
  const plan: PlanTerms = { ...BASIC, grace: { days: 5, quota: 'none' }, overage: 'refuse' };
  const past = customer('100', { plan });
  join(past, 'plan');
  look(past, MONTH);
  t.equal(status(past), 'past_due');
  accept(past, accrue('friend', 5, '2000', past.now + DAY));
  look(past, 10 * DAY);
  t.equal(status(past), 'active', 'the grace had four days left when it came');
  t.equal(balance(past), '100, held 0');
});

test('a balance that a renewal has lowered asks to be topped up', async (t) => {
  const past = customer('250', { basic: BASIC });
  accept(past, setAutoTopUp({ threshold: '100' }));
  join(past, 'basic');
  look(past, MONTH);
  t.ok(past.wallet.autoTopUp?.open);
});

test('a line of nothing, or a part of a window that is rounded to nothing, is not due for ever', async (t) => {
  const nothing = customer('100', { plan: { ...BASIC, included: includes('0', 'day') } });
  join(nothing, 'plan');
  later(nothing, 2 * DAY);
  t.equal(word(when(nothing, order.carryOutDues)), 'unchanged');
  const little = customer('100', {
    plan: { ...BASIC, anchor: 'calendar', included: includes('1', 'week') },
  });
  later(little, 24 * DAY);
  join(little, 'plan');
  look(little, 2 * DAY);
  t.ok(little.wallet.nextDueAt > little.now);
});

test('what was not used when a late payment came is not taken for used when it is left', async (t) => {
  const plan: PlanTerms = { ...BASIC, refund_on_cancel: true, grace: { days: 5, quota: 'full' } };
  const past = customer('100', { plan });
  join(past, 'plan');
  look(past, MONTH);
  accept(past, order.topUp('t2', '100'));
  t.equal(status(past), 'active');
  leave(past);
  t.equal(balance(past), '100, held 0');
});

test('a hold gives nothing back to a line that the plan has no more', async (t) => {
  const weekly: PlanTerms = { ...BASIC, included: includes('70', 'week') };
  const past = customer('1000', { weekly, basic: BASIC });
  join(past, 'weekly');
  look(past, 30 * DAY);
  accept(past, order.hold('h1', { calls: 70 }, 2 * 86_400));
  accept(past, changePlan('basic', 'period_end'));
  look(past, DAY);
  accept(past, order.voidHold('h1'));
  const free = past.wallet.quotas.reduce((sum, quota) => sum + quota.free, 0n);
  t.equal(free, 10n, 'only what the other plan has granted');
});

test('a call that was held before there was a plan counts in none of its caps', async (t) => {
  const past = customer('500', { plan: { ...BASIC, caps: includes('5', 'day') } });
  accept(past, order.hold('h1', { calls: 10 }));
  join(past, 'plan');
  accept(past, order.settle('h1', { calls: 10 }));
  call(past, 5);
  t.equal(word(when(past, order.charge('c1', 1))), 'cap_reached');
});

test('what was had without measure is not given back by way of a plan that measures', async (t) => {
  const without: PlanTerms = { ...BASIC, included: includes('unlimited', 'period') };
  const measured: PlanTerms = {
    ...BASIC,
    price: { credits: '110' },
    included: includes('20', 'period'),
    refund_on_cancel: true,
  };
  for (const settled of [true, false]) {
    const past = customer('500', { without, measured });
    join(past, 'without');
    if (settled) call(past, 1_000);
    else accept(past, order.hold('h1', { calls: 1_000 }));
    accept(past, changePlan('measured', 'now', name()));
    leave(past);
    t.equal(balance(past), '390, held 0');
  }
});

test('a hold that has expired may be settled yet: nothing comes back of what no quota measures', async (t) => {
  const past = customer('500', { plan: { ...BASIC, included: [], refund_on_cancel: true } });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 1 }));
  look(past, 61 * SECOND);
  leave(past);
  t.equal(balance(past), '400, held 0');
});

test('a grace that was left unpaid is not made good by paying for another period', async (t) => {
  const plan: PlanTerms = { ...BASIC, price: USD_29, grace: { days: 14, quota: 'full' } };
  const past = customer('0', { plan });
  accept(past, subscribe('plan', { pay: 'external', reference: name() }));
  accept(past, payment(START, 'p1', USD_29));
  look(past, MONTH + 15 * DAY);
  t.equal(granted(past), 20n);
  accept(past, subscribe('plan', { pay: 'external', reference: name() }));
  accept(past, payment(past.now, 'p2', USD_29));
  look(past, MONTH);
  t.equal(status(past), 'past_due');
  t.equal(granted(past), 30n);
});

test('a cap is not begun anew by way of a plan that does not have it', async (t) => {
  const capped: PlanTerms = { ...BASIC, caps: includes('5', 'month'), refund_on_cancel: true };
  const past = customer('1000', { capped, other: { ...BASIC, price: { credits: '1' } } });
  join(past, 'capped');
  call(past, 5);
  leave(past);
  join(past, 'other');
  leave(past);
  join(past, 'capped');
  t.equal(word(when(past, order.charge('c1', 1))), 'cap_reached');
});

test('what runs beyond a hard stop of a plan that was left before its time is not ours', async (t) => {
  const past = customer('1000', { plan: { ...BASIC, overage: 'refuse', refund_on_cancel: true } });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 1 }));
  leave(past);
  const before = Number(balance(past).split(',')[0]);
  const [settled] = accept(past, order.settle('h1', { calls: 100 }));
  t.match(settled, { data: { violations: undefined } });
  t.ok(Number(balance(past).split(',')[0]) < before);
});

test('a week that had begun on other terms is made up to what it was, not to what it would be', async (t) => {
  const small: PlanTerms = { ...BASIC, price: USD_29, included: includes('70', 'week') };
  const large: PlanTerms = { ...small, included: includes('700', 'week') };
  for (const used of [70, 10]) {
    const past = customer('0', { small, large });
    accept(past, subscribe('small', { pay: 'external', reference: name() }));
    accept(past, payment(START, 'p1', USD_29));
    accept(past, changePlan('large', 'period_end', name()));
    look(past, 28 * DAY);
    call(past, used);
    look(past, 4 * DAY + SECOND);
    accept(past, payment(START + MONTH, 'p2', USD_29));
    t.equal(
      past.wallet.quotas.reduce((sum, quota) => sum + quota.free, 0n),
      BigInt(70 - used),
    );
  }
});

test('what a grace had granted and its payment made up are one quota when a plan gives back', async (t) => {
  const plan: PlanTerms = {
    ...BASIC,
    included: includes('100', 'period'),
    refund_on_cancel: true,
    grace: { days: 5, quota: 'provisional' },
  };
  const past = customer('100', { plan });
  join(past, 'plan');
  look(past, MONTH);
  call(past, 5);
  accept(past, order.topUp('t2', '100'));
  leave(past);
  t.equal(balance(past), '95, held 0');
});

test('a hold that has expired goes by the plan as it is now, while its subscription goes on', async (t) => {
  const plan: PlanTerms = { ...BASIC, included: includes('unlimited', 'period') };
  const past = customer('1000', { plan });
  join(past, 'plan');
  later(past, MONTH - 30 * SECOND);
  accept(past, order.hold('h1', { calls: 5 }));
  publish(past, 'plan', { ...plan, name: 'Another' });
  look(past, 61 * SECOND);
  const before = balance(past);
  accept(past, order.settle('h1', { calls: 5 }));
  t.equal(balance(past), before);
});

test('a late look pays a period with what came free while its grace lasted', async (t) => {
  const plan: PlanTerms = { ...BASIC, included: [], grace: { days: 10, quota: 'none' } };
  for (const looks of [1, 19]) {
    const past = customer('100', { plan });
    join(past, 'plan');
    later(past, MONTH - DAY);
    accept(past, order.topUp('t2', '100', { expiresAt: START + 36 * DAY }));
    accept(past, order.hold('h1', { calls: 10 }, 2 * 86_400));
    look(past, DAY);
    t.equal(status(past), 'past_due');
    for (let times = 0; times < looks; times += 1) {
      later(past, (19 * DAY) / looks);
      when(past, order.carryOutDues);
    }
    t.equal(status(past), 'active');
  }
});

test('a period of another interval that is paid late has its own windows, whatever the old ones had', async (t) => {
  const monthly: PlanTerms = { ...BASIC, price: USD_29, included: includes('70', 'week') };
  const yearly: PlanTerms = { ...monthly, interval: 'year', included: includes('700', 'week') };
  const past = customer('0', { monthly, yearly });
  accept(past, subscribe('monthly', { pay: 'external' }));
  accept(past, payment(START, 'p1', USD_29));
  accept(past, changePlan('yearly', 'period_end'));
  look(past, MONTH + SECOND);
  accept(past, payment(START + MONTH, 'p2', USD_29));
  t.equal(
    past.wallet.quotas.reduce((sum, quota) => sum + quota.free, 0n),
    700n,
  );
});

test('what runs beyond a hard stop is the platform’s only on a plan that is paid, and not of an expired hold', async (t) => {
  const plan: PlanTerms = { ...BASIC, overage: 'refuse', refund_on_cancel: true };
  const free: PlanTerms = { ...BASIC, price: { credits: '0' }, included: [] };
  const left = customer('1000', { plan, free });
  join(left, 'plan');
  accept(left, order.hold('h1', { calls: 1 }));
  leave(left);
  join(left, 'free');
  const [elsewhere] = accept(left, order.settle('h1', { calls: 100 }));
  t.match(elsewhere, { data: { violations: undefined } }, 'whatever has been joined since');
  const expired = customer('1000', { plan });
  join(expired, 'plan');
  accept(expired, order.hold('h1', { calls: 10 }));
  look(expired, 61 * SECOND);
  const [late] = accept(expired, order.settle('h1', { calls: 20 }));
  t.match(late, { data: { violations: undefined, covered: [{ quantity: '10' }] } });
  const unpaid = customer('100', { plan: { ...plan, grace: { days: 5, quota: 'full' } } });
  join(unpaid, 'plan');
  look(unpaid, MONTH);
  const [recorded] = accept(unpaid, order.record('r1', { calls: 20 }));
  t.match(recorded, { data: { violations: undefined } }, 'in a grace nobody has paid');
});

test('what has run beyond a hard stop at our expense is not given back either', async (t) => {
  const plan: PlanTerms = {
    ...BASIC,
    overage: 'refuse',
    included: includes('10', 'day'),
    refund_on_cancel: true,
  };
  const past = customer('100', { plan });
  join(past, 'plan');
  accept(past, order.record('r1', { calls: 1_000 }));
  leave(past);
  t.equal(balance(past), '0, held 0');
});

test('an upgrade after a grace that was paid late grants the difference', async (t) => {
  const plans = {
    a: { ...BASIC, included: includes('100', 'period'), grace: { days: 5, quota: 'full' } as const },
    b: { ...BASIC, price: { credits: '200' }, included: includes('200', 'period') },
  };
  const past = customer('100', plans);
  join(past, 'a');
  look(past, MONTH);
  accept(past, order.topUp('t2', '400'));
  accept(past, changePlan('b', 'now'));
  t.equal(
    past.wallet.quotas.reduce((sum, quota) => sum + quota.free, 0n),
    200n,
  );
});

test('a hold on calls without limit that outlives an upgrade keeps what was paid', async (t) => {
  const without: PlanTerms = { ...BASIC, included: includes('unlimited', 'period') };
  const measured: PlanTerms = {
    ...BASIC,
    price: { credits: '110' },
    included: includes('20', 'day'),
    refund_on_cancel: true,
  };
  const past = customer('500', { without, measured });
  join(past, 'without');
  accept(past, order.hold('h1', { calls: 1 }));
  accept(past, changePlan('measured', 'now'));
  accept(past, order.settle('h1', { calls: 1_000 }));
  leave(past);
  t.equal(balance(past), '390, held 0');
});

test('what was held on a plan counts in its caps, though it was left before it is settled', async (t) => {
  const capped: PlanTerms = {
    ...BASIC,
    included: includes('1000', 'period'),
    caps: includes('5', 'month'),
    refund_on_cancel: true,
  };
  const past = customer('500', { capped });
  join(past, 'capped');
  accept(past, order.hold('h1', { calls: 5 }));
  leave(past);
  accept(past, order.settle('h1', { calls: 5 }));
  join(past, 'capped');
  t.equal(word(when(past, order.charge('c1', 1))), 'cap_reached');
});

test('an ended plan counts in its caps what was held on it or on them, and nothing else', async (t) => {
  const capped: PlanTerms = { ...BASIC, included: includes('1000', 'period'), caps: includes('5', 'month') };
  const plans = { capped, other: { ...BASIC, price: { credits: '1' } }, same: { ...capped, name: 'Same' } };
  const used = ({ wallet }: Past): readonly bigint[] =>
    (wallet.subscription?.caps ?? []).map((counter) => counter.used);
  const past = customer('1000', plans);
  join(past, 'other');
  accept(past, order.hold('h1', { calls: 5 }, 90 * 86_400));
  accept(past, order.hold('h2', { calls: 1 }));
  leave(past);
  join(past, 'capped');
  leave(past);
  const [settled] = accept(past, order.settle('h1', { calls: 5 }));
  t.match(settled, { data: { caps: undefined, violations: undefined } });
  look(past, 61 * SECOND);
  accept(past, order.settle('h2', { calls: 5 }));
  t.same(used(past), [0n], 'nor of a hold that has expired');
  const expired = customer('1000', plans);
  join(expired, 'capped');
  accept(expired, order.hold('h1', { calls: 2 }));
  look(expired, 61 * SECOND);
  leave(expired);
  accept(expired, order.settle('h1', { calls: 2 }));
  t.same(used(expired), [2n]);
  const changed = customer('1000', plans);
  join(changed, 'capped');
  accept(changed, order.hold('h1', { calls: 2 }, 90 * 86_400));
  accept(changed, changePlan('same', 'period_end'));
  look(changed, MONTH);
  leave(changed);
  accept(changed, order.settle('h1', { calls: 3 }));
  t.same(used(changed), [3n], 'its cap is that of another plan by now');
});
