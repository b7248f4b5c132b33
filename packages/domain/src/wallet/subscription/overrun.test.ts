/** Whose expense it is what runs beyond a hard stop: ours on a plan that was paid for when the call began, else the customer's. */
import { test } from 'tap';
import type { PlanTerms } from '../../plans/terms.ts';
import { customer, includes, join, leave, look, name, status } from '../../testing/customer.ts';
import { accept, DAY, type Past, SECOND } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import { balance } from '../../testing/sight.ts';
import { BASIC, cancel, changePlan, publish, subscribe } from '../../testing/subscription-orders.ts';
import type { WalletEventOf } from '../events.ts';

const MONTH = 31 * DAY;
const LONG = 90 * 86_400;
const STOPPED: PlanTerms = { ...BASIC, overage: 'refuse', refund_on_cancel: true };
const GRACE = { days: 5, quota: 'full' } as const;

type Charged = WalletEventOf<'UsageCharged'>['data'];

/** Far more calls than there were. */
const settle = (past: Past, hold = 'h1'): Charged => {
  const [settled] = accept(past, order.settle(hold, { calls: 100 }));
  return settled?.data as Charged;
};
const isOurs = ({ violations = [], credits }: Charged): boolean =>
  violations.includes('quota_exhausted') && credits === '0';

test('what is held on a plan that is paid for is ours beyond its stop, however its subscription goes on', async (t) => {
  const since: Readonly<Record<string, (past: Past) => void>> = {
    renewed: (past) => look(past, MONTH),
    'changed at the end of its period': (past) => {
      accept(past, changePlan('other', 'period_end'));
      look(past, MONTH);
    },
    'renewed on another version': (past) => {
      publish(past, 'plan', { ...STOPPED, name: 'Renamed' });
      look(past, MONTH);
      t.equal(past.wallet.subscription?.now.plan_version, 2);
    },
    upgraded: (past) => {
      accept(past, changePlan('more', 'now'));
    },
    'not paid for its next period': (past) => {
      accept(past, order.adjust('a1', '-900'));
      look(past, MONTH);
      t.equal(status(past), 'past_due');
    },
    'lapsed after a grace': (past) => {
      accept(past, order.adjust('a1', '-900'));
      look(past, MONTH + 6 * DAY);
      t.equal(status(past), 'lapsed');
    },
    'ended in its time, and another begun': (past) => {
      accept(past, cancel('period_end'));
      look(past, MONTH);
      join(past, 'plan');
    },
  };
  for (const [what, happens] of Object.entries(since)) {
    const past = customer('1000', {
      plan: { ...STOPPED, grace: GRACE },
      other: BASIC,
      more: { ...STOPPED, price: { credits: '200' }, included: includes('20', 'period') },
    });
    join(past, 'plan');
    accept(past, order.hold('h1', { calls: 1 }, LONG));
    happens(past);
    const before = balance(past);
    t.ok(isOurs(settle(past)), what);
    t.equal(balance(past), before, what);
  }
});

test('what is held in a trial, or on a plan that costs nothing, is ours beyond its stop', async (t) => {
  const free = customer('0', { plan: { ...STOPPED, price: { credits: '0' } } });
  join(free, 'plan');
  accept(free, order.hold('h1', { calls: 1 }, LONG));
  t.ok(isOurs(settle(free)));
  const tried = customer('0', { plan: { ...STOPPED, trial_days: 7 } });
  accept(tried, subscribe('plan', { trial: true }));
  accept(tried, order.hold('h1', { calls: 1 }, LONG));
  look(tried, 8 * DAY);
  t.equal(status(tried), 'lapsed');
  t.ok(isOurs(settle(tried)), 'also once it is over');
});

test('what is held in a grace that nobody has paid for is the customer’s beyond the stop, though it is paid later', async (t) => {
  for (const isPaid of [false, true]) {
    const past = customer('100', { plan: { ...STOPPED, grace: GRACE } });
    join(past, 'plan');
    look(past, MONTH);
    accept(past, order.hold('h1', { calls: 1 }, LONG));
    if (isPaid) accept(past, order.topUp('t2', '1000'));
    t.equal(status(past), isPaid ? 'active' : 'past_due');
    t.notOk(isOurs(settle(past)));
  }
});

test('what runs without a hold is ours while the plan is paid for', async (t) => {
  const past = customer('100', { plan: { ...STOPPED, grace: GRACE } });
  join(past, 'plan');
  const record = (): Charged => accept(past, order.record(name(), 100))[0]?.data as Charged;
  t.ok(isOurs(record()));
  look(past, MONTH);
  t.notOk(isOurs(record()), 'nobody has paid for the grace');
});

test('a subscription that is left at once makes no hold of it ours, though the same plan is joined anew', async (t) => {
  for (const isUnpaid of [false, true])
    for (const joins of [false, true]) {
      const past = customer('100', { plan: { ...STOPPED, grace: GRACE } });
      join(past, 'plan');
      accept(past, order.hold('h1', { calls: 1 }, LONG));
      if (isUnpaid) look(past, MONTH);
      leave(past);
      accept(past, order.topUp('t2', '1000'));
      if (joins) join(past, 'plan');
      t.notOk(isOurs(settle(past)));
    }
});

test('leaving one subscription changes nothing for what was held on the one before it', async (t) => {
  const past = customer('1000', { plan: STOPPED });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 1 }, LONG));
  accept(past, cancel('period_end'));
  look(past, MONTH);
  join(past, 'plan');
  leave(past);
  t.ok(isOurs(settle(past)));
});

test('an overrun that was ours voids the refund of its own subscription, and of no other', async (t) => {
  const same = customer('1000', { plan: STOPPED });
  join(same, 'plan');
  accept(same, order.hold('h1', { calls: 1 }, LONG));
  look(same, MONTH);
  t.ok(isOurs(settle(same)));
  leave(same);
  t.equal(balance(same), '800, held 0');
  const plans = { plan: STOPPED, other: { ...STOPPED, included: includes('10', 'period', 'plain') } };
  const another = customer('1000', plans);
  join(another, 'plan');
  accept(another, order.hold('h1', { calls: 1 }, LONG));
  accept(another, cancel('period_end'));
  look(another, MONTH);
  join(another, 'other');
  t.ok(isOurs(settle(another)));
  leave(another);
  t.equal(balance(another), '900, held 0');
});

test('a hold that has expired is never ours; placed anew it goes by the plan as it was then', async (t) => {
  const past = customer('1000', { plan: { ...STOPPED, grace: GRACE } });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 1 }));
  accept(past, order.hold('h2', { calls: 1 }));
  look(past, 61 * SECOND);
  accept(past, order.extend('h2', { calls: 2 }, LONG));
  t.notOk(isOurs(settle(past, 'h1')));
  t.ok(isOurs(settle(past, 'h2')));
  const unpaid = customer('100', { plan: { ...STOPPED, grace: GRACE } });
  join(unpaid, 'plan');
  accept(unpaid, order.hold('h1', { calls: 1 }));
  look(unpaid, MONTH);
  accept(unpaid, order.extend('h1', { calls: 2 }, LONG));
  t.notOk(isOurs(settle(unpaid)), 'in a grace that nobody has paid for');
});

test('a call that was held as one of another model is the customer’s beyond the stop', async (t) => {
  for (const model of ['fine', 'plain']) {
    const past = customer('1000', { plan: STOPPED });
    join(past, 'plan');
    accept(past, order.hold('h1', { calls: 1 }, LONG, model));
    const [settled] = accept(past, order.record('u1', { calls: 100 }, { hold: 'h1', model: 'fine' }));
    t.equal(isOurs(settled?.data as Charged), model === 'fine', model);
  }
});
