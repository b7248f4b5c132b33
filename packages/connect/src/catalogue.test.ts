import {
  apiKeyDecider,
  type Catalogues,
  type CouponTerms,
  couponDecider,
  couponOrders,
  type Decider,
  type DomainEvent,
  NO_CATALOGUES,
  type PlanTerms,
  packageDecider,
  planDecider,
} from '@tallystick/domain';
import { createMemoryStore, createRunner, type Runner } from '@tallystick/event-store';
import t, { type Test } from 'tap';
import { followCatalogue } from './catalogue.ts';

const PLAN: PlanTerms = {
  name: 'Basic',
  price: { credits: '10' },
  interval: 'month',
  anchor: 'subscription',
  included: [],
  overage: 'credits',
};
const COUPON: CouponTerms = { percent: '10', max_uses: 5, max_uses_per_account: 1 };
const FIRST = { key: null, fingerprint: null } as const;
const CAUSE = { actor: 'test', request: '' };

function open(t: Test) {
  const store = createMemoryStore();
  const runner: Runner<Catalogues> = createRunner<Catalogues>({
    store,
    keyIndex: store,
    snapshots: { read: async () => null },
    catalogue: { current: () => NO_CATALOGUES, fresh: async () => NO_CATALOGUES },
  });
  const failures: unknown[] = [];
  const catalogue = followCatalogue({ store, onError: (error) => failures.push(error) });
  t.teardown(async () => {
    await catalogue.close();
    await runner.close();
    await store.close();
  });
  const deadline = Date.now() + 10_000;
  return { runner, catalogue, failures, deadline };
}

t.test('plans, packages and coupons are there as soon as they have been read', async (t) => {
  const { runner, catalogue, deadline } = open(t);
  const plan = (name: string) =>
    ({ type: 'PublishPlan', terms: { ...PLAN, name }, effectiveFrom: null }) as const;
  for (const name of ['one', 'two'])
    await runner.execute(
      planDecider,
      [{ id: 'basic', command: { ...plan(name), ...FIRST }, cause: CAUSE }],
      deadline,
    );
  const terms = { rate: { credits: '100', currency: 'USD' } };
  const command = { type: 'PublishPackage', terms, ...FIRST } as const;
  await runner.execute(packageDecider, [{ id: 'any', command, cause: CAUSE }], deadline);
  const uses = [
    couponOrders.publish(COUPON),
    couponOrders.confirm({ account: 'acme', purchase: 'p1' }),
    couponOrders.reserve({ account: 'acme', purchase: 'p2', expiresAt: deadline }),
  ].map((order) => ({ id: 'SAVE10', command: order, cause: CAUSE }));
  await runner.execute(couponDecider, uses, deadline);

  const { plans, packages } = await catalogue.fresh();
  t.match(plans.inForce('basic', Date.now() + 1), { version: 2, terms: { name: 'two' } });
  t.match(plans.version('basic', 1), { terms: { name: 'one' } });
  t.match(packages.freeAmount('USD'), { id: 'any', version: 1 });
  const coupon = catalogue.coupons.get('SAVE10');
  t.match(coupon, { version: 1, terms: COUPON, uses: 1 });
  t.same([...(coupon?.open.keys() ?? [])], ['acme:p2']);
});

interface Strange extends DomainEvent {
  readonly type: 'Strange';
}
/** Of a newer version of this ledger. */
const newer: Decider<object, { key: null; fingerprint: null }, Strange, never> = {
  ...(apiKeyDecider as unknown as Decider<object, { key: null; fingerprint: null }, Strange, never>),
  evolve: () => undefined,
  decide: () => ({ kind: 'accepted', events: [{ type: 'Strange', key: null, data: {}, facts: {} }] }),
};

t.test(
  'where an event is not known nobody is served on, and what is read again is not counted again',
  async (t) => {
    const { runner, catalogue, deadline } = open(t);
    const confirm = couponOrders.confirm({ account: 'acme', purchase: 'p1' });
    const uses = [couponOrders.publish(COUPON), confirm].map((command) => ({
      id: 'ONE',
      command,
      cause: CAUSE,
    }));
    await runner.execute(couponDecider, uses, deadline);
    await runner.execute(newer, [{ id: 'k', command: FIRST, cause: CAUSE }], deadline);
    for (let round = 0; round < 3; round += 1) await t.rejects(catalogue.fresh(), /an unknown event/);
    t.match(catalogue.coupons.get('ONE'), { uses: 1 });
  },
);
