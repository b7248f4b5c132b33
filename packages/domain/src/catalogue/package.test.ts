import fc from 'fast-check';
import { test } from 'tap';
import { formatCredits } from '../amount.ts';
import { type PackagePublished, packageDecider } from './package.ts';
import {
  checkPackage,
  creditsForAmount,
  type FreeAmount,
  type PackageTerms,
  priceOf,
} from './package-terms.ts';
import { Packages } from './packages.ts';

const STARTER = { credits: '1000', prices: [{ amount: '10', currency: 'USD' }] };
const FREE: FreeAmount = {
  rate: { credits: '100', currency: 'USD' },
  volume_bonus: [{ from: '100', percent: '10' }],
};
const bought = (amount: string, terms: FreeAmount = FREE): object => {
  const got = creditsForAmount(terms, { amount, currency: 'USD' });
  return 'code' in got ? got : { credits: formatCredits(got.credits), bonus: formatCredits(got.bonus) };
};

test('$1 is 100 credits, and $100 gives 11,000: the bonus is on all of it, from its amount on', async (t) => {
  t.same(bought('1'), { credits: '100', bonus: '0' });
  t.same(bought('99.99'), { credits: '9999', bonus: '0' });
  t.same(bought('100'), { credits: '10000', bonus: '1000' });
  t.same(bought('250.5'), { credits: '25050', bonus: '2505' });
});

test('the sum with its bonus is rounded down to a whole credit, once', async (t) => {
  t.same(bought('0.019'), { credits: '1', bonus: '0' });
  // 10,000.9 credits and 10 % are 11,000.99: not 10,000 and 1,000.
  const terms: FreeAmount = { ...FREE, volume_bonus: [{ from: '100', percent: '9.99' }] };
  t.same(bought('100.009', terms), { credits: '10000', bonus: '999' });
  t.same(bought('100.019', terms), { credits: '10001', bonus: '1000' });
});

test('a coupon lowers what is paid, so the bonus is on less; the credits are those of the amount', async (t) => {
  const amount = { amount: '200', currency: 'USD' };
  const credits = 20_000_000_000n;
  const bonus = 1_000_000_000n;
  t.same(creditsForAmount(FREE, amount), { credits, bonus: 2n * bonus });
  t.same(creditsForAmount(FREE, amount, { amount: '100', currency: 'USD' }), { credits, bonus });
  t.same(creditsForAmount(FREE, amount, { amount: '99', currency: 'USD' }), { credits, bonus: 0n });
  t.match(creditsForAmount(FREE, amount, { amount: '9', currency: 'EUR' }), { code: 'currency_not_offered' });
});

test('the highest step that is reached counts', async (t) => {
  const steps = [
    { from: '10', percent: '1' },
    { from: '100', percent: '10' },
    { from: '1000', percent: '12.5' },
  ];
  const terms: FreeAmount = { ...FREE, volume_bonus: steps };
  t.same(bought('9', terms), { credits: '900', bonus: '0' });
  t.same(bought('10', terms), { credits: '1000', bonus: '10' });
  t.same(bought('1000', terms), { credits: '100000', bonus: '12500' });
});

test('less than a credit, more than can be counted and another currency are refused', async (t) => {
  t.match(bought('0.009'), { code: 'amount_out_of_range' });
  t.match(bought('0'), { code: 'amount_out_of_range' });
  t.match(bought('10000001'), { code: 'amount_out_of_range' });
  const euros = creditsForAmount(FREE, { amount: '1', currency: 'EUR' });
  t.same(euros, { code: 'currency_not_offered', currency: 'EUR' });
});

test('more money never buys fewer credits, and no fraction of a credit is made or lost', async (t) => {
  const cents = fc.integer({ min: 1, max: 10_000_000 });
  const property = fc.property(cents, cents, (a, b) => {
    const [less, more] = a < b ? [a, b] : [b, a];
    const totals = [less, more].map((amount) => {
      const text = `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`;
      const got = creditsForAmount(FREE, { amount: text, currency: 'USD' });
      if ('code' in got) throw new Error(got.code);
      return got.credits + got.bonus;
    });
    // A cent is a credit; from 10,000 cents on, 1.1: rounded down.
    const exact = (amount: number) => (amount < 10_000 ? BigInt(amount) : (BigInt(amount) * 11n) / 10n);
    return totals[0] === exact(less) * 1_000_000n && totals[1] === exact(more) * 1_000_000n;
  });
  t.doesNotThrow(() => fc.assert(property));
});

const BAD: readonly [field: string, terms: object][] = [
  ['credits', { ...STARTER, credits: '0' }],
  ['credits', { ...STARTER, credits: '1.0000001' }],
  ['bonus', { ...STARTER, bonus: '-1' }],
  ['bonus', { ...STARTER, bonus: '1000000000' }],
  ['prices', { ...STARTER, prices: [] }],
  ['prices.0.amount', { ...STARTER, prices: [{ amount: '0', currency: 'USD' }] }],
  ['prices.0.currency', { ...STARTER, prices: [{ amount: '1', currency: 'usd' }] }],
  ['prices.1.currency', { ...STARTER, prices: [...STARTER.prices, { amount: '9', currency: 'USD' }] }],
  ['display_order', { ...STARTER, display_order: -1 }],
  ['rate.credits', { rate: { credits: '0', currency: 'USD' } }],
  ['rate.currency', { rate: { credits: '1', currency: 'US' } }],
  ['volume_bonus.0.percent', { ...FREE, volume_bonus: [{ from: '1', percent: '1000.1' }] }],
  ['volume_bonus.0.from', { ...FREE, volume_bonus: [{ from: '-1', percent: '1' }] }],
  [
    'volume_bonus.1.from',
    {
      ...FREE,
      volume_bonus: [
        { from: '2', percent: '1' },
        { from: '2', percent: '2' },
      ],
    },
  ],
];
for (const [index, [field, terms]] of BAD.entries()) {
  test(`${index}: a fault in ${field} is named`, async (t) => {
    t.match(checkPackage(terms as PackageTerms), { field, rule: /.{5}/ });
  });
}

test('a package has a price in each currency, or none', async (t) => {
  const terms = { ...STARTER, prices: [...STARTER.prices, { amount: '9', currency: 'EUR' }] };
  t.equal(checkPackage(terms), null);
  t.same(priceOf(terms, 'EUR'), { amount: '9', currency: 'EUR' });
  t.equal(priceOf(terms, 'CNY'), null);
});

test('the picture has the latest version of each package, and the active rate of a currency', async (t) => {
  const packages = new Packages()
    .with({ id: 'starter', version: 2, terms: { ...STARTER, bonus: '5' } })
    .with({ id: 'starter', version: 1, terms: STARTER })
    .with({ id: 'euros', version: 1, terms: { rate: { credits: '110', currency: 'EUR' } } })
    .with({ id: 'closed', version: 1, terms: { ...FREE, active: false } })
    .with({ id: 'free', version: 1, terms: FREE });
  t.equal(packages.latest('starter')?.version, 2);
  t.equal(packages.version('starter', 1)?.version, 1);
  t.equal(packages.freeAmount('USD')?.id, 'free');
  t.equal(packages.freeAmount('EUR')?.id, 'euros');
  t.equal(packages.freeAmount('CNY'), undefined);
});

test('the same terms make no version, unless others came between', async (t) => {
  const state = packageDecider.initial('starter');
  const events: PackagePublished[] = [];
  const context = { now: 0, catalogue: null, catalogueIsFresh: true, facts: new Map() };
  const kinds = [STARTER, { ...STARTER }, FREE, STARTER].map((terms) => {
    const command = { type: 'PublishPackage', key: null, fingerprint: null, terms } as const;
    const decision = packageDecider.decide(state, command, context);
    if (decision.kind !== 'accepted') return decision.kind;
    for (const event of decision.events) {
      packageDecider.evolve(state, event, events.length);
      events.push(event);
    }
    return decision.kind;
  });
  t.same(kinds, ['accepted', 'unchanged', 'accepted', 'accepted']);
  t.equal(state.version, 3);
});
