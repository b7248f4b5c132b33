import {
  type Catalogues,
  checkPackage,
  compiledTerms,
  compilePlan,
  creditsForAmount,
  type Dimension,
  formatCredits,
  priceOf,
  TOKEN_DIMENSIONS,
} from '@tallystick/domain';
import { createRunner, type Runner } from '@tallystick/event-store';
import t from 'tap';
import { SEEDED_PACKAGES, SEEDED_PLANS, seedCatalogues } from './seeded.ts';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger({ events: 'postgres' });
t.teardown(() => ledger.stop());
const { call, store, catalogue } = ledger;
const PLANS = Object.keys(SEEDED_PLANS);
const PACKAGES = Object.keys(SEEDED_PACKAGES);

t.test('all of it keeps the rules', async (t) => {
  for (const [id, terms] of Object.entries(SEEDED_PLANS)) t.match(compilePlan(terms), { ok: true }, id);
  for (const [id, terms] of Object.entries(SEEDED_PACKAGES)) t.equal(checkPackage(terms), null, id);
});

function process(): Runner<Catalogues> {
  const snapshots = { read: async () => null };
  const runner = createRunner<Catalogues>({ store, keyIndex: store, snapshots, catalogue });
  t.teardown(() => runner.close());
  return runner;
}

const versions = ({ plans, packages }: Catalogues) => [
  ...PLANS.map((id) => plans.latest(id)?.version),
  ...PACKAGES.map((id) => packages.latest(id)?.version),
];

t.test('two first starts at once make one of each, and what was edited is never overwritten', async (t) => {
  // Somebody was there before them.
  await call('PUT', '/v1/packages/pro', { credits: '5', price: { amount: '1', currency: 'EUR' } });
  const before = await catalogue.fresh();
  await Promise.all([seedCatalogues(process(), before), seedCatalogues(process(), before)]);
  t.same(
    versions(await catalogue.fresh()),
    [...PLANS, ...PACKAGES].map(() => 1),
  );
  t.match(catalogue.current().packages.latest('pro')?.terms, { credits: '5' });
  const edited = {
    name: 'Mine',
    price: { credits: '0' },
    interval: 'week',
    included: [],
    display_order: 11,
    overage: 'refuse',
  };
  await call('PUT', '/v1/plans/free', edited);
  await seedCatalogues(process(), before);
  await seedCatalogues(process(), await catalogue.fresh());
  t.match(catalogue.current().plans.latest('free'), { version: 2, terms: { name: 'Mine' } });
  t.same(new Set(catalogue.current().plans.ids()), new Set(PLANS));
});

t.test('the plans of the documents can be read, in their order', async (t) => {
  const { body } = await call('GET', '/v1/plans');
  t.same(
    body.data.map(({ id }: { id: string }) => id),
    PLANS,
  );
  t.match(body.data[1], {
    id: 'plan-pro',
    price: { amount: '99.99', currency: 'USD' },
    included: [{ unit: 'tokens', model: '*', amount: '1000000', per: 'period' }],
    max_concurrent_requests: 20,
    rate_limit_per_minute: 300,
    support_level: 'priority',
  });
});

/** Credits for so many units beyond what the plan includes. */
function overage(plan: string, dimension: Dimension, units: bigint): string {
  const terms = SEEDED_PLANS[plan];
  const price = terms && compiledTerms(terms).overagePrices.get('*')?.get(dimension);
  if (!price) throw new Error(`${plan} has no price for ${dimension}`);
  const { n, d } = price.credits;
  const steps = n * units * 1_000n;
  if (steps % d !== 0n) throw new Error(`${units} come to no whole step of a credit`);
  return formatCredits(steps / d);
}

t.test('a further token costs 0.00002, 0.00015 and 0.0001 USD, at 100 credits to the dollar', async (t) => {
  for (const dimension of TOKEN_DIMENSIONS) {
    t.equal(overage('plan-basic', dimension, 1_000_000n), '2000');
    t.equal(overage('plan-pro', dimension, 1_000_000n), '15000');
    t.equal(overage('plan-enterprise', dimension, 1_000_000n), '10000');
    t.equal(overage('plan-basic', dimension, 1n), '0.002');
  }
});

t.test('3 videos beyond the 10 of the basic plan are 45 credits; of the pro plan 30', async (t) => {
  t.equal(overage('video-basic', 'calls', 3n), '45');
  t.equal(overage('video-pro', 'calls', 3n), '30');
  t.match(SEEDED_PLANS['video-enterprise'], { included: [{ unit: 'calls', amount: 'unlimited' }] });
});

t.test('the packages cost what the document says, and $100 of free choice give 11,000', async (t) => {
  const usd = (id: string) => {
    const terms = SEEDED_PACKAGES[id];
    return terms && 'prices' in terms ? [terms.credits, priceOf(terms, 'USD')?.amount] : null;
  };
  t.same(['starter', 'pro', 'enterprise'].map(usd), [
    ['1000', '10'],
    ['10000', '90'],
    ['100000', '800'],
  ]);
  const free = catalogue.current().packages.freeAmount('USD')?.terms;
  if (free === undefined) throw new Error('no rate for USD');
  const got = (amount: string) => creditsForAmount(free, { amount, currency: 'USD' });
  t.same(got('1'), { credits: 100_000_000n, bonus: 0n });
  t.same(got('100'), { credits: 10_000_000_000n, bonus: 1_000_000_000n });
});
