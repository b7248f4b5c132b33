import { followCatalogue } from '@tallystick/connect';
import {
  type Catalogues,
  type CouponTerms,
  couponDecider,
  couponOrders,
  keys,
  type Offer,
  parseCredits,
  type WalletCommand,
  walletDecider,
} from '@tallystick/domain';
import { createPostgresStore, createRunner, type Runner, StoreUnavailable } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t, { type Test } from 'tap';
import { couponReactor } from './coupons.ts';
import { ForeignReactions, moveReactions, openCheckpoint, startReactors } from './follow.ts';
import { referralReactor, shareBought } from './referrals.ts';

const postgres = await startPostgres();
const pool = new pg.Pool({ connectionString: postgres.url, max: 6 });
pool.on('error', () => undefined);
let stores = 0;
t.teardown(async () => {
  await pool.end();
  await postgres.stop();
});

const CAUSE = { actor: 'test', request: '' };
const TERMS = { percent: '10', days: 7 };
const usd = (amount: string) => ({ amount, currency: 'USD' });

/** A ledger with a store of its own, and the reactors as the worker has them. */
async function ledger(t: Pick<Test, 'teardown'>) {
  stores += 1;
  const namespace = `reactions${stores}`;
  const store = await createPostgresStore({ connectionString: postgres.url, namespace });
  const catalogue = followCatalogue({ store });
  /** How many orders are let through before the process "ends". */
  let left = Number.POSITIVE_INFINITY;
  const runnerOf = (): Runner<Catalogues> =>
    createRunner<Catalogues>({
      store,
      keyIndex: store,
      snapshots: { read: async () => null },
      catalogue,
    });
  const runner = runnerOf();
  const worker = runnerOf();
  const failing: Pick<Runner<Catalogues>, 'execute' | 'find'> = {
    find: (...args) => worker.find(...args),
    execute: async (...args) => {
      if (left-- <= 0) throw new StoreUnavailable('unwritten', 'the process has ended');
      return worker.execute(...args);
    },
  };
  const reactors = [couponReactor(failing), referralReactor(failing, TERMS)];
  const onError = (): void => undefined;
  const parts = { store, pool, namespace, reactors, onError };
  const schema = await openCheckpoint(pool, namespace);
  t.teardown(async () => {
    await runner.close();
    await worker.close();
    await catalogue.close();
    await store.close();
  });
  const order = async (account: string, command: WalletCommand) => {
    const executed = await runner.execute(
      walletDecider,
      [{ id: account, command, cause: CAUSE }],
      Date.now() + 10_000,
    );
    if (executed === 'queue_full') throw new Error(executed);
    const [outcome] = executed;
    if (outcome?.status !== 'recorded') throw new Error(`${command.type}: ${JSON.stringify(outcome)}`);
    return outcome.event;
  };
  const react = async (): Promise<void> => {
    while (await moveReactions(parts, schema));
  };
  return {
    store,
    schema,
    parts,
    order,
    async open(account: string) {
      const terms = { price_book: null, overdraft_limit: '0', time_zone: 'UTC', currency: null };
      await order(account, { type: 'OpenAccount', key: keys.open, fingerprint: 'open', terms });
    },
    async refer(account: string, referredBy: string) {
      const command = { type: 'LinkReferral', referredBy, referrerReferredBy: null } as const;
      await order(account, { ...command, key: null, fingerprint: null });
    },
    topUp: (account: string, reference: string, credits: string, paid: string | null) =>
      order(account, {
        type: 'TopUpCredits',
        key: keys.topUp('test', reference),
        fingerprint: reference,
        source: 'test',
        reference,
        credits: parseCredits(credits),
        paid: paid === null ? null : usd(paid),
        expiresAt: null,
        priority: 100,
      }),
    buy: (account: string, id: string, amount: string, terms: CouponTerms | null = null) => {
      const free = {
        rate: { credits: '100', currency: 'USD' },
        volume_bonus: [{ from: '100', percent: '10' }],
      };
      const offer: Offer = { package: { id: 'free', version: 1 }, terms: free, price: usd(amount) };
      const coupon = terms === null ? null : { code: 'C', version: 1, terms };
      const command = { type: 'OpenPurchase', id, offer, coupon, paid: true } as const;
      return order(account, { ...command, key: keys.purchase(id), fingerprint: id });
    },
    reverse: (account: string, revision: number) =>
      order(account, {
        type: 'ReverseEntry',
        key: keys.reverse(revision),
        fingerprint: 'reverse',
        revision,
        reason: 'refund',
        allowDebt: true,
      }),
    /** Orders to the coupon's stream, as the API gives them. */
    async coupon(...commands: Parameters<typeof couponDecider.decide>[1][]) {
      for (const command of commands)
        await runner.execute(couponDecider, [{ id: 'C', command, cause: CAUSE }], Date.now() + 10_000);
    },
    async couponState() {
      const fresh = runnerOf();
      const { state } = await fresh.peek(couponDecider, 'C');
      await fresh.close();
      return { uses: state.uses, open: state.open.size };
    },
    async accruals(account: string) {
      const events = await store.readStream(`wallet-${account}`, { from: 0, limit: 1_000 });
      return events
        .filter(({ type }) => type.startsWith('Referral') && type !== 'ReferralLinked')
        .map(({ type, data }) => `${type} ${JSON.parse(data).from} ${JSON.parse(data).credits}`);
    },
    react,
    endAfter(orders: number) {
      left = orders;
    },
    async again() {
      left = Number.POSITIVE_INFINITY;
      // As a process that knows of no checkpoint: everything once more.
      await pool.query(`update ${schema}.checkpoint set cursor = null`);
      await react();
    },
  };
}

t.test('what a friend pays for accrues a tenth to whoever referred it, once', async (t) => {
  const { open, refer, topUp, buy, react, again, accruals, order } = await ledger(t);
  for (const account of ['bob', 'tom', 'eve']) await open(account);
  await refer('tom', 'bob');
  await topUp('tom', 'r1', '500', '5');
  await topUp('tom', 'r2', '300', null);
  await topUp('tom', 'gift', '900', '0');
  await buy('tom', 'p1', '100');
  await topUp('eve', 'r1', '500', '5');
  const free = { credits: '700', max_uses_per_account: 1 };
  await order('tom', {
    type: 'ApplyCoupon',
    key: keys.couponGrant('C'),
    fingerprint: 'C',
    code: 'C',
    version: 1,
    terms: free,
  });
  await react();
  const expected = ['ReferralAccrued tom 50', 'ReferralAccrued tom 30', 'ReferralAccrued tom 1000'];
  t.same(await accruals('bob'), expected, 'of the $100 its 10,000, and not the bonus');
  await again();
  t.same(await accruals('bob'), expected, 'followed again it is the same');
  t.same(await accruals('eve'), []);
});

t.test(
  'an accrual is granted so many days after the friend has paid, not after it was noticed',
  async (t) => {
    const { open, refer, topUp, react, store } = await ledger(t);
    for (const account of ['bob', 'tom']) await open(account);
    await refer('tom', 'bob');
    const paid = await topUp('tom', 'r1', '500', '5');
    await react();
    const events = await store.readStream('wallet-bob', { from: 0, limit: 10 });
    const accrued = events.find(({ type }) => type === 'ReferralAccrued');
    t.equal(Date.parse(JSON.parse(accrued?.data ?? '{}').available_at), paid.recordedAt + 7 * 86_400_000);
  },
);

t.test('what a coupon paid for the friend earns nothing', async (t) => {
  t.equal(shareBought(10_000n, usd('100'), usd('50')), 5_000n);
  t.equal(shareBought(10_000n, usd('100'), usd('0')), 0n);
  t.equal(shareBought(10n, usd('3'), usd('1')), 3n, 'down');
  const { open, refer, buy, react, accruals } = await ledger(t);
  for (const account of ['bob', 'tom']) await open(account);
  await refer('tom', 'bob');
  await buy('tom', 'p1', '50', { percent: '50', max_uses_per_account: 2 });
  await buy('tom', 'p2', '50', { percent: '100', max_uses_per_account: 2 });
  await react();
  t.same(await accruals('bob'), ['ReferralAccrued tom 250']);
});

t.test("a friend's purchase that is taken back takes its share back", async (t) => {
  const { open, refer, buy, topUp, reverse, react, again, accruals } = await ledger(t);
  for (const account of ['bob', 'tom', 'eve']) await open(account);
  await refer('tom', 'bob');
  const opened = await buy('tom', 'p1', '100');
  const plain = await topUp('eve', 'r1', '10', '1');
  await react();
  await reverse('tom', opened.revision + 1);
  await reverse('eve', plain.revision);
  await react();
  await again();
  t.same(await accruals('bob'), ['ReferralAccrued tom 1000', 'ReferralClawedBack tom 1000']);
});

t.test('wherever the process ends, what is left is done by the next, once', async (t) => {
  for (let orders = 0; orders < 7; orders++) {
    const { open, refer, buy, topUp, reverse, react, endAfter, again, accruals, coupon, couponState } =
      await ledger(t);
    for (const account of ['bob', 'tom']) await open(account);
    const terms: CouponTerms = { percent: '10', max_uses: 5, max_uses_per_account: 5 };
    await coupon(couponOrders.publish(terms));
    await refer('tom', 'bob');
    await topUp('tom', 'r1', '100', '1');
    const opened = await buy('tom', 'p1', '10', terms);
    await buy('tom', 'p2', '10', terms);
    await reverse('tom', opened.revision + 1);
    endAfter(orders);
    await t.rejects(react(), `ends after ${orders} orders`);
    await again();
    t.same(await accruals('bob'), [
      'ReferralAccrued tom 10',
      'ReferralAccrued tom 90',
      'ReferralAccrued tom 90',
      'ReferralClawedBack tom 90',
    ]);
    t.same(await couponState(), { uses: 1, open: 0 }, 'two were paid, one of them was taken back');
  }
});

t.test('a use that the API did not come to confirm, or to release, is', async (t) => {
  const { open, buy, order, react, coupon, couponState } = await ledger(t);
  await open('tom');
  const terms: CouponTerms = { percent: '10', max_uses: 5, max_uses_per_account: 5 };
  const expiresAt = Date.now() + 60_000;
  await coupon(
    couponOrders.publish(terms),
    ...['p1', 'p2'].map((purchase) => couponOrders.reserve({ account: 'tom', purchase, expiresAt })),
  );
  await buy('tom', 'p1', '10', terms);
  const free = { rate: { credits: '100', currency: 'USD' } };
  const offer: Offer = { package: { id: 'free', version: 1 }, terms: free, price: usd('10') };
  const pending = {
    type: 'OpenPurchase',
    id: 'p2',
    offer,
    coupon: { code: 'C', version: 1, terms },
  } as const;
  await order('tom', { ...pending, paid: false, key: keys.purchase('p2'), fingerprint: 'p2' });
  t.same(await couponState(), { uses: 0, open: 2 });
  await react();
  t.same(await couponState(), { uses: 1, open: 1 }, 'what is pending keeps its reservation');
  await order('tom', { type: 'CancelPurchase', purchase: 'p2', key: null, fingerprint: null });
  await react();
  t.same(await couponState(), { uses: 1, open: 0 });
});

t.test('two processes at once do each thing once, and go on by themselves', async (t) => {
  const { open, refer, topUp, parts, accruals } = await ledger(t);
  for (const account of ['bob', 'tom']) await open(account);
  await refer('tom', 'bob');
  const running = await Promise.all([startReactors(parts), startReactors(parts)]);
  for (let n = 0; n < 20; n++) await topUp('tom', `r${n}`, '100', '1');
  const until = Date.now() + 20_000;
  while ((await accruals('bob')).length < 20 && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all(running.map((each) => each.stop()));
  t.equal((await accruals('bob')).length, 20);
});

t.test('a checkpoint of another history is refused', async (t) => {
  const { open, react, parts, schema } = await ledger(t);
  await open('bob');
  await react();
  await pool.query(`update ${schema}.checkpoint set hash = 'x'`);
  await t.rejects(startReactors(parts), ForeignReactions);
});
