/** Extending a hold reserves what it asks for more, of caps too; one that has expired is placed anew, on the terms of now. */
import { test } from 'tap';
import type { PlanTerms } from '../plans/terms.ts';
import { customer, includes, join, leave, look, name } from '../testing/customer.ts';
import { accept, DAY, type Past, SECOND, when } from '../testing/given.ts';
import * as order from '../testing/orders.ts';
import { word } from '../testing/sight.ts';
import { BASIC, changePlan, publish } from '../testing/subscription-orders.ts';

const MONTH = 31 * DAY;
const LONG = 90 * 86_400;
const CAPPED: PlanTerms = {
  ...BASIC,
  included: includes('unlimited', 'period'),
  caps: includes('10', 'month'),
};

const held = ({ wallet }: Past): readonly bigint[] =>
  (wallet.subscription?.caps ?? []).map((counter) => counter.held);
const charge = (calls: number) => order.charge(name(), { calls });

test('a hold that is extended has more of a cap, or is refused where the cap is full', async (t) => {
  const past = customer('1000', { plan: CAPPED });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 2 }, LONG));
  accept(past, order.extend('h1', { calls: 6 }));
  t.same(held(past), [6n]);
  t.equal(word(when(past, charge(5))), 'cap_reached');
  accept(past, charge(4));
  t.equal(word(when(past, order.extend('h1', { calls: 7 }))), 'cap_reached');
  t.equal(word(when(past, order.extend('h1', { calls: 6 }))), 'unchanged');
});

test('a hold that asks for no more of a cap than it has is extended, though others have filled it', async (t) => {
  const past = customer('1000', { plan: { ...CAPPED, included: includes('20', 'period') } });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 2 }));
  accept(past, order.record(name(), { calls: 10 }));
  t.equal(word(when(past, order.extend('h1', { calls: 2 }, LONG))), 'recorded');
  t.equal(word(when(past, order.extend('h1', { calls: 3 }))), 'cap_reached');
});

test('what a hold has of a cap it keeps, though another extension asks for less of it', async (t) => {
  const caps = [
    ...includes('10', 'month'),
    { unit: 'tokens', model: '*', amount: '100', per: 'month' },
  ] as const;
  const past = customer('1000', { plan: { ...CAPPED, caps } });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 5, input_tokens: 10 }, LONG));
  accept(past, order.extend('h1', { calls: 1, input_tokens: 50 }));
  t.same(held(past), [5n, 50n]);
  accept(past, order.extend('h1', { calls: 6, images: 1 }));
  t.same(held(past), [6n, 50n], 'nor is a cap forgotten that does not concern it');
  accept(past, order.extend('h1', null, 2 * LONG));
  t.same(held(past), [6n, 50n]);
});

test('a hold from before a cap has its share of it as soon as it asks for more', async (t) => {
  const past = customer('1000', {
    plan: { ...CAPPED, caps: [] },
    capped: { ...CAPPED, price: { credits: '200' } },
  });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 2 }, LONG));
  accept(past, changePlan('capped', 'now'));
  t.same(held(past), [0n]);
  accept(past, order.extend('h1', { calls: 2 }));
  t.same(held(past), [2n]);
});

test('an expired hold that is extended has its share of the caps again, or is refused', async (t) => {
  const past = customer('1000', { plan: CAPPED });
  join(past, 'plan');
  for (const id of ['h1', 'h2']) accept(past, order.hold(id, { calls: 5 }));
  look(past, 61 * SECOND);
  t.same(held(past), [0n]);
  accept(past, order.extend('h1', null, LONG));
  t.same(held(past), [5n]);
  accept(past, charge(5));
  t.equal(word(when(past, order.extend('h2', null, LONG))), 'cap_reached');
});

test('an expired hold that is extended has what the plan gives now, also once it is unpaid', async (t) => {
  const past = customer('100', { plan: { ...CAPPED, grace: { days: 9, quota: 'none' } } });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 5 }));
  look(past, 61 * SECOND);
  t.match(accept(past, order.extend('h1', null, LONG))[0]?.data, {
    plan: { id: 'plan', version: 1, open: true, paid_in: 'sub-2' },
    covered: [{ quantity: '5' }],
    caps: [{ cap: 0, quantity: '5' }],
  });
  look(past, MONTH);
  t.match(accept(past, order.settle('h1', { calls: 5 })), [
    { data: { credits: '0', violations: undefined } },
  ]);
});

test('extended after its plan was left it has nothing of it', async (t) => {
  const past = customer('1000', { plan: CAPPED });
  join(past, 'plan');
  accept(past, order.hold('h1', { calls: 5 }));
  look(past, 61 * SECOND);
  leave(past);
  const [extended] = accept(past, order.extend('h1', null, LONG));
  t.match(extended?.data, { credits: '5', covered: undefined, plan: { id: 'plan', open: undefined } });
});

test('a hold that was placed anew and has expired again goes by the plan that it was placed on last', async (t) => {
  const stopped: PlanTerms = { ...BASIC, overage: 'refuse' };
  const past = customer('5000', { a: stopped, b: BASIC, c: BASIC });
  join(past, 'a');
  for (const id of ['h1', 'h2']) accept(past, order.hold(id, { calls: 1 }));
  look(past, 61 * SECOND);
  accept(past, changePlan('b', 'period_end'));
  look(past, MONTH);
  for (let times = 0; times < 9; times += 1) {
    publish(past, 'b', { ...BASIC, name: `Times ${times}` });
    look(past, MONTH);
    accept(past, order.extend('h1', { calls: 1 + times }, 60));
    look(past, 61 * SECOND);
  }
  const version = past.wallet.subscription?.now.plan_version;
  leave(past);
  join(past, 'c');
  const [extended] = accept(past, order.extend('h1', null));
  t.match(extended?.data, { plan: { id: 'b', version }, estimate: { calls: 9 } });
  look(past, 61 * SECOND);
  t.match(accept(past, order.settle('h1', { calls: 20 })), [
    { data: { late: true, plan: { id: 'b', version }, violations: undefined } },
  ]);
  t.match(accept(past, order.settle('h2', { calls: 1 })), [{ data: { late: true, plan: { id: 'a' } } }]);
});
