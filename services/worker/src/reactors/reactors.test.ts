import { randomUUID } from 'node:crypto';
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
import { ForeignReactions, moveReactions, openCheckpoint, startReactors, tryAsideAgain } from './follow.ts';
import { countSetAside } from './metrics.ts';
import type { Reactor } from './reaction.ts';
import { referralReactor, shareBought } from './referrals.ts';
import type { SetAside } from './set-aside.ts';

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
  /** Accounts that this code cannot read, as after an event of a newer version. */
  const unreadable = new Set<string>();
  const told: SetAside[] = [];
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
    execute: async (decider, orders, deadline) => {
      if (orders.some(({ id }) => unreadable.has(id)))
        return orders.map(() => ({ status: 'unavailable', reason: 'stream_unreadable' }) as const);
      if (left-- <= 0) throw new StoreUnavailable('unwritten', 'the process has ended');
      return worker.execute(decider, orders, deadline);
    },
  };
  const reactors = [couponReactor(failing), referralReactor(failing, TERMS)];
  const onError = (): void => undefined;
  const onSetAside = (aside: SetAside): void => void told.push(aside);
  const parts = { store, pool, namespace, reactors, onError, onSetAside };
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
    unreadable,
    told,
    aside: () => countSetAside(pool, schema),
    /** As after an hour. */
    async tryAgain() {
      await pool.query(`update ${schema}.set_aside set next_attempt_at = now()`);
      while (await tryAsideAgain(parts, schema));
    },
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

/** Reacts to every top-up, as slowly as it is told to, and remembers which. */
function slowReactor(ms: number) {
  const seen: number[] = [];
  const reactor: Reactor = {
    name: 'slow',
    types: new Set(['TopUp']),
    async react({ revision }) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      seen.push(revision);
    },
  };
  return { reactor, seen };
}

async function revisionDone(schema: string): Promise<number> {
  const { rows } = await pool.query(`select revision from ${schema}.checkpoint`);
  return Number(rows[0]?.revision ?? -1);
}

t.test('however slow reactions are, each slice of them is behind the checkpoint when it ends', async (t) => {
  const { open, topUp, parts, schema } = await ledger(t);
  await open('tom');
  for (let n = 0; n < 10; n++) await topUp('tom', `r${n}`, '1', '1');
  const { reactor, seen } = slowReactor(40);
  const slow = { ...parts, reactors: [reactor], sliceMs: 100 };
  t.equal(await moveReactions(slow, schema), true, 'there is more');
  t.ok(seen.length >= 1 && seen.length < 10, `${seen.length} in a slice of 100 ms`);
  t.equal(await revisionDone(schema), seen.at(-1));
  while (await moveReactions(slow, schema));
  t.same(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 'each once');
});

t.test('stopping waits for one reaction, not for a page of them, and none is done again', async (t) => {
  const { open, topUp, parts, schema } = await ledger(t);
  await open('tom');
  for (let n = 0; n < 60; n++) await topUp('tom', `r${n}`, '1', '1');
  const { reactor, seen } = slowReactor(50);
  const slow = { ...parts, reactors: [reactor] };
  const running = await startReactors(slow);
  while (seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  const began = performance.now();
  await running.stop();
  const took = performance.now() - began;
  t.ok(took < 1_000, `${took} ms of the 3 s that the page takes`);
  t.equal(await revisionDone(schema), seen.at(-1));
  reactor.react = async ({ revision }) => void seen.push(revision);
  while (await moveReactions(slow, schema));
  t.same(seen, [...new Set(seen)]);
  t.equal(seen.length, 60);
});

t.test('what was done before an outage is not done again', async (t) => {
  const { open, topUp, parts, schema } = await ledger(t);
  await open('tom');
  for (let n = 0; n < 5; n++) await topUp('tom', `r${n}`, '1', '1');
  const { reactor, seen } = slowReactor(0);
  const { react } = reactor;
  reactor.react = async (event) => {
    if (event.revision === 4) throw new StoreUnavailable('unwritten', 'away');
    await react(event);
  };
  await t.rejects(moveReactions({ ...parts, reactors: [reactor] }, schema), StoreUnavailable);
  t.equal(await revisionDone(schema), 3);
  await moveReactions({ ...parts, reactors: [{ ...reactor, react }] }, schema);
  t.same(seen, [1, 2, 3, 4, 5]);
});

t.test("one wallet that cannot be read keeps nobody else's reactions waiting", async (t) => {
  const { open, refer, topUp, react, accruals, unreadable, told, aside, tryAgain } = await ledger(t);
  for (const account of ['bob', 'tom', 'ann', 'kim']) await open(account);
  await refer('tom', 'bob');
  await refer('kim', 'ann');
  unreadable.add('bob');
  await topUp('tom', 'r1', '500', '5');
  await topUp('kim', 'r1', '300', '3');
  await react();
  t.same(await accruals('ann'), ['ReferralAccrued kim 30']);
  t.same(await accruals('bob'), []);
  t.match(told, [
    { reactor: 'referrals', stream: 'wallet-tom', revision: 2, err: /wallet-bob: stream_unreadable/ },
  ]);
  t.equal(await aside(), 1);
  await tryAgain();
  t.equal(told.length, 2, 'it is told each time');
  t.equal(await aside(), 1, 'and stays');
  unreadable.clear();
  await tryAgain();
  t.same(await accruals('bob'), ['ReferralAccrued tom 50'], 'done when it is possible');
  t.equal(await aside(), 0);
});

t.test('an event of a newer version in a wallet keeps only that wallet from what follows', async (t) => {
  const { store, open, refer, topUp, react, accruals, told } = await ledger(t);
  for (const account of ['bob', 'tom', 'ann', 'kim']) await open(account);
  await refer('tom', 'bob');
  await refer('kim', 'ann');
  const meta = {
    v: 1,
    key: null,
    fp: null,
    actor: 'x',
    request: '',
    left: 0,
    salt: 's',
    facts: {},
    hash: 'ab',
  };
  const newer = {
    id: randomUUID(),
    type: 'OfANewerVersion',
    key: null,
    data: JSON.stringify({ v: 1, recorded_at: new Date().toISOString() }),
    meta: JSON.stringify(meta),
  };
  await store.append({ stream: 'wallet-bob', expected: await store.head('wallet-bob'), events: [newer] });
  await topUp('tom', 'r1', '500', '5');
  await topUp('kim', 'r1', '300', '3');
  await react();
  t.same(await accruals('ann'), ['ReferralAccrued kim 30']);
  t.match(told, [{ reactor: 'referrals', stream: 'wallet-tom', revision: 2 }]);
});

t.test('what was set aside is done in order: nothing is taken back before it has accrued', async (t) => {
  const { open, refer, buy, topUp, reverse, react, accruals, unreadable, aside, tryAgain } = await ledger(t);
  for (const account of ['bob', 'tom']) await open(account);
  await refer('tom', 'bob');
  unreadable.add('bob');
  const opened = await buy('tom', 'p1', '100');
  await react();
  // Readable again, but not tried again yet: what comes now waits behind
  unreadable.clear();
  await reverse('tom', opened.revision + 1);
  await topUp('tom', 'r1', '100', '1');
  await react();
  t.same(await accruals('bob'), []);
  t.equal(await aside(), 3);
  await tryAgain();
  t.same(await accruals('bob'), [
    'ReferralAccrued tom 1000',
    'ReferralClawedBack tom 1000',
    'ReferralAccrued tom 10',
  ]);
  t.equal(await aside(), 0);
});
