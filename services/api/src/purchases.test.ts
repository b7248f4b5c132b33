import { type Catalogues, couponDecider, couponOrders, keys, walletDecider } from '@tallystick/domain';
import { createRunner, StoreUnavailable } from '@tallystick/event-store';
import t, { type Test } from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let offMs = 0;
const now = (): number => Date.now() + offMs;
/** Appends that fail, by stream and by how many are let pass before: an outage, or the end of a process, at that step. */
const broken: { stream: string; after: number }[] = [];
/** What another process does between two steps of this one: after the next append of such an event to the stream. */
const meanwhile: { stream: string; type: string; work: () => Promise<unknown> }[] = [];
/** The same, after the next look at a stream: what was seen is old by then. */
const afterLook: { stream: string; work: () => Promise<unknown> }[] = [];
async function pass<T>(steps: { work: () => Promise<unknown> }[], at: number, result: T): Promise<T> {
  if (at >= 0) await steps.splice(at, 1)[0]?.work();
  return result;
}

const ledger = await startTestLedger({
  events: 'postgres',
  now,
  wrap: (store) => ({
    ...store,
    enforcesKeys: store.enforcesKeys,
    async append(append) {
      const at = broken.find(({ stream }) => append.stream.startsWith(stream));
      if (at !== undefined && at.after-- <= 0) throw new StoreUnavailable('unwritten', 'away');
      const result = await store.append(append);
      const types = append.events.map(({ type }) => type);
      const step = meanwhile.findIndex(
        ({ stream, type }) => append.stream === stream && types.includes(type),
      );
      return pass(meanwhile, step, result);
    },
    readStream: store.readStream.bind(store),
    readRevisions: store.readRevisions.bind(store),
    readAll: store.readAll.bind(store),
    async head(stream) {
      const head = await store.head(stream);
      return pass(
        afterLook,
        afterLook.findIndex((look) => look.stream === stream),
        head,
      );
    },
    watch: store.watch.bind(store),
    async lookup(stream, keys) {
      const found = await store.lookup(stream, keys);
      return pass(
        afterLook,
        afterLook.findIndex((look) => look.stream === stream),
        found,
      );
    },
    close: store.close.bind(store),
  }),
});
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;

const usd = (amount: string) => ({ amount, currency: 'USD' });
let count = 0;
async function account(fields: object = {}): Promise<string> {
  count += 1;
  const id = `buyer-${count}`;
  const { status } = await call('POST', '/v1/accounts', { id, ...fields });
  if (status !== 201) throw new Error(`no account: ${status}`);
  return id;
}
const buy = (id: string, body: object, key?: string) =>
  call('POST', `/v1/accounts/${id}/purchases`, body, key);
const coupon = async (code: string) => (await call('GET', `/v1/coupons/${code}`)).body;
const balance = async (id: string): Promise<string> =>
  (await call('GET', `/v1/accounts/${id}/balance`)).body.available;

await call('PUT', '/v1/packages/starter', { credits: '1000', prices: [usd('10')] });
await call('PUT', '/v1/packages/pro', {
  credits: '10000',
  bonus: '500',
  prices: [usd('90'), { amount: '80', currency: 'EUR' }],
});
await call('PUT', '/v1/packages/gone', { credits: '1', prices: [usd('1')], active: false });
await call('PUT', '/v1/packages/free-amount', {
  rate: { credits: '100', currency: 'USD' },
  volume_bonus: [{ from: '100', percent: '10' }],
});
await call('PUT', '/v1/coupons/save50', { percent: '50' });
await call('PUT', '/v1/coupons/five', { fixed: usd('5'), max_uses: 2 });
await call('PUT', '/v1/coupons/gift', { credits: '250', max_uses: 100 });

t.test('a package is pending until finance says that the money has come', async (t) => {
  const id = await account();
  const opened = await buy(id, { package: 'starter', reference: 'p1' });
  t.equal(opened.status, 201);
  t.match(opened.body, {
    id: 'p1',
    status: 'pending',
    package: { id: 'starter', version: 1 },
    credits: '1000',
    bonus: '0',
    price: usd('10'),
    discount: usd('0'),
    total: usd('10'),
    coupon: null,
    lots: [],
  });
  t.equal(await balance(id), '0');
  const path = `/v1/accounts/${id}/purchases/p1/paid`;
  const paid = await call('POST', path, { paid: usd('10.00'), reference: 'charge-1' });
  t.match(paid, { status: 201, body: { applied: true, status: 'paid', lots: ['lot-2'] } });
  const again = await call('POST', path, { paid: usd('10'), reference: 'charge-1' });
  t.match(again, { status: 200, body: paid.body });
  t.equal(await balance(id), '1000');
  t.match((await call('GET', `/v1/accounts/${id}/purchases/p1`)).body, { status: 'paid', lots: ['lot-2'] });
  t.match((await call('GET', `/v1/accounts/${id}/purchases`)).body.data, [
    { id: 'p1', status: 'paid', total: usd('10'), entry_id: `wallet-${id}:2`, reversed_at: null },
  ]);
});

t.test('the free amount of the documents: $100 is 11,000 credits', async (t) => {
  const id = await account();
  const { body } = await buy(id, { amount: usd('100'), reference: 'p1', paid: true });
  t.match(body, { status: 'paid', credits: '10000', bonus: '1000', total: usd('100'), lots: ['lot-2'] });
  t.equal(await balance(id), '11000');
  const again = await buy(id, { amount: usd('100.0'), reference: 'p1', paid: true });
  t.match(again, { status: 200, body });
  t.equal(again.headers['idempotent-replayed'], 'true');
});

t.test('a purchase is told again though its package has changed, or is sold no more', async (t) => {
  const id = await account();
  await call('PUT', '/v1/packages/passing', { credits: '7', prices: [usd('1')] });
  const first = await buy(id, { package: 'passing', reference: 'p1' });
  await call('PUT', '/v1/packages/passing', { credits: '7', prices: [usd('2')], active: false });
  t.match(await buy(id, { package: 'passing', reference: 'p1' }), { status: 200, body: first.body });
  t.match(await buy(id, { package: 'passing', reference: 'p2' }), {
    status: 404,
    body: { code: 'package_not_found' },
  });
  const paid = await call('POST', `/v1/accounts/${id}/purchases/p1/paid`, {
    paid: usd('1'),
    reference: 'c1',
  });
  t.match(paid.body, { applied: true }, 'at the price that it was made at');
});

t.test('the currency is that of the request, else the only one, else of the account', async (t) => {
  const plain = await account();
  t.match(await buy(plain, { package: 'pro', reference: 'p1' }), {
    status: 422,
    body: { errors: [{ field: 'currency' }] },
  });
  t.match((await buy(plain, { package: 'pro', currency: 'EUR', reference: 'p1' })).body, {
    total: { amount: '80', currency: 'EUR' },
    bonus: '500',
  });
  t.match((await buy(plain, { package: 'pro', currency: 'CNY', reference: 'p2' })).body, {
    code: 'currency_not_offered',
  });
  const euro = await account({ currency: 'EUR' });
  t.match((await buy(euro, { package: 'pro', reference: 'p1' })).body, { total: { currency: 'EUR' } });
});

t.test('what is not a purchase is refused by name', async (t) => {
  const id = await account();
  const cases: [object, number, object][] = [
    [{ reference: 'p' }, 422, { errors: [{ field: 'body' }] }],
    [{ package: 'starter', amount: usd('1'), reference: 'p' }, 422, { errors: [{ field: 'body' }] }],
    [{ package: 'free-amount', reference: 'p' }, 422, { errors: [{ field: 'package' }] }],
    [{ package: 'none', reference: 'p' }, 404, { code: 'package_not_found' }],
    [{ package: 'gone', reference: 'p' }, 404, { code: 'package_not_found' }],
    [{ amount: usd('0.001'), reference: 'p' }, 422, { code: 'amount_out_of_range' }],
    [{ amount: { amount: '5', currency: 'CNY' }, reference: 'p' }, 422, { code: 'currency_not_offered' }],
    [{ package: 'starter', reference: 'auto-top-up-1' }, 422, { errors: [{ field: 'reference' }] }],
    [{ package: 'starter', reference: 'p', paid: false }, 400, {}],
  ];
  for (const [body, status, answer] of cases) t.match(await buy(id, body), { status, body: answer });
  t.match(await buy('nobody', { package: 'starter', reference: 'p' }), {
    status: 404,
    body: { code: 'account_not_found' },
  });
});

t.test('an owner may buy for the own account, and only finance may say that money has come', async (t) => {
  const id = await account();
  const other = await account();
  const owner = await newKey(['manage'], id);
  const service = await newKey(['usage']);
  const reader = await newKey(['read'], id);
  const starter = (reference: string) => ({ package: 'starter', reference });
  t.equal((await buy(id, starter('p1'), owner)).status, 201);
  t.equal((await buy(id, starter('p2'), service)).status, 201);
  t.equal((await buy(other, starter('p1'), owner)).status, 403);
  t.equal((await buy(id, starter('p3'), reader)).status, 403);
  for (const key of [owner, service]) {
    t.equal((await buy(id, { ...starter('p4'), paid: true }, key)).status, 403);
    const path = `/v1/accounts/${id}/purchases/p1/paid`;
    t.equal((await call('POST', path, { paid: usd('10'), reference: 'x' }, key)).status, 403);
  }
  t.equal((await call('GET', `/v1/accounts/${id}/purchases/p1`, undefined, owner)).status, 200);
  t.equal(await balance(id), '0');
});

t.test('money that fits nothing is taken, told, and applied to nothing', async (t) => {
  const id = await account();
  await buy(id, { package: 'starter', reference: 'p1' });
  const pay = (amount: string, reference: string) =>
    call('POST', `/v1/accounts/${id}/purchases/p1/paid`, { paid: usd(amount), reference });
  t.match(await pay('9', 'c1'), {
    status: 201,
    body: { applied: false, reason: 'amount_differs', status: 'pending' },
  });
  t.match((await pay('10', 'c2')).body, { applied: true });
  t.match((await pay('10', 'c3')).body, { applied: false, reason: 'already_paid', status: 'paid' });
  t.match((await pay('9', 'c1')).body, { applied: false, reason: 'amount_differs' }, 'told again');
  t.equal(await balance(id), '1000');
  const trial = (await call('GET', '/v1/trial-balance')).body;
  t.match(JSON.stringify(trial), '"liabilities:unapplied"');
  t.equal((await call('POST', `/v1/accounts/${id}/purchases/p1/cancel`)).body.code, 'purchase_already_paid');
});

t.test(
  'a saved coupon goes to the next purchase that it fits, and its use is counted when that is paid',
  async (t) => {
    const id = await account();
    t.match(await call('POST', `/v1/accounts/${id}/coupons`, { code: 'save50' }), {
      status: 201,
      body: { code: 'SAVE50', status: 'saved', percent: '50' },
    });
    t.equal((await call('POST', `/v1/accounts/${id}/coupons`, { code: 'SAVE50' })).status, 200);
    const before = await coupon('SAVE50');
    const opened = await buy(id, { package: 'starter', reference: 'p1' });
    t.match(opened.body, { discount: usd('5'), total: usd('5'), coupon: 'SAVE50' });
    t.match(await coupon('SAVE50'), { uses: before.uses, open_uses: 1 });
    await call('POST', `/v1/accounts/${id}/purchases/p1/paid`, { paid: usd('5'), reference: 'c1' });
    t.match(await coupon('SAVE50'), { uses: before.uses + 1, open_uses: 0 });
    t.equal(
      (await call('POST', `/v1/accounts/${id}/coupons`, { code: 'SAVE50' })).body.code,
      'coupon_already_used',
    );
    t.match((await call('GET', `/v1/accounts/${id}/coupons`)).body.data, [
      { code: 'SAVE50', status: 'used', purchase: 'p1', freed_at: null },
    ]);
    t.match((await buy(id, { package: 'starter', reference: 'p2' })).body, {
      coupon: null,
      total: usd('10'),
    });
  },
);

t.test('of several saved ones the one that takes off most is used, the others stay', async (t) => {
  const id = await account();
  for (const code of ['five', 'save50']) await call('POST', `/v1/accounts/${id}/coupons`, { code });
  t.match((await buy(id, { amount: usd('100'), reference: 'p1' })).body, {
    coupon: 'SAVE50',
    total: usd('50'),
  });
  t.match((await buy(id, { amount: usd('100'), reference: 'p2' })).body, {
    coupon: 'FIVE',
    total: usd('95'),
  });
  for (const p of ['p1', 'p2']) await call('POST', `/v1/accounts/${id}/purchases/${p}/cancel`);
  t.match(await coupon('FIVE'), { uses: 0, open_uses: 0 }, 'a canceled purchase gives its use back');
  t.match((await call('GET', `/v1/accounts/${id}/coupons`)).body.data, [
    { code: 'FIVE', status: 'freed', purchase: 'p2' },
    { code: 'SAVE50', status: 'freed', purchase: 'p1' },
  ]);
});

t.test('a forgotten coupon is used by nothing', async (t) => {
  const id = await account();
  await call('POST', `/v1/accounts/${id}/coupons`, { code: 'save50' });
  t.equal((await call('DELETE', `/v1/accounts/${id}/coupons/save50`)).status, 204);
  t.equal((await call('DELETE', `/v1/accounts/${id}/coupons/save50`)).status, 204);
  t.match((await buy(id, { package: 'starter', reference: 'p1' })).body, { coupon: null });
  t.same((await call('GET', `/v1/accounts/${id}/coupons`)).body.data, []);
});

t.test('a purchase that the wallet refuses keeps no use', async (t) => {
  await call('PUT', '/v1/coupons/big', { percent: '10', minimum_purchase: usd('50'), max_uses: 1 });
  await call('PUT', '/v1/coupons/planned', { percent: '10', plans: ['enterprise'] });
  const id = await account();
  t.match(await buy(id, { package: 'starter', coupon: 'big', reference: 'p1' }), {
    status: 422,
    body: { code: 'minimum_purchase', minimum: usd('50') },
  });
  t.match(await coupon('BIG'), { uses: 0, open_uses: 0 });
  t.match((await buy(id, { package: 'starter', coupon: 'planned', reference: 'p1' })).body, {
    code: 'coupon_not_for_plan',
  });
  const subscriber = await account();
  await call('PUT', '/v1/plans/enterprise', {
    name: 'Enterprise',
    price: { amount: '999', currency: 'USD' },
    interval: 'month',
    included: [],
    overage: 'credits',
  });
  await call('POST', `/v1/accounts/${subscriber}/subscription`, {
    plan: 'enterprise',
    pay: 'external',
    reference: 's1',
  });
  t.match((await buy(subscriber, { package: 'starter', coupon: 'planned', reference: 'p0' })).body, {
    code: 'coupon_not_for_plan',
  });
  const { body } = await call('GET', `/v1/accounts/${subscriber}/subscription`);
  await call('POST', `/v1/accounts/${subscriber}/subscription/payments`, {
    period_start: body.subscription.current_period_start,
    result: 'paid',
    paid: usd('999'),
    reference: 'received',
  });
  t.match((await buy(subscriber, { package: 'starter', coupon: 'planned', reference: 'p1' })).body, {
    total: usd('9'),
  });
  const other = await account();
  t.equal((await buy(other, { amount: usd('50'), coupon: 'big', reference: 'p1' })).status, 201);
  t.match((await buy(id, { amount: usd('50'), coupon: 'big', reference: 'p1' })).body, {
    code: 'coupon_exhausted',
  });
});

/** Another process, and a purchase of the reference `p` in it that the coupon fits, where ours is refused. */
function elsewhere(t: Pick<Test, 'teardown'>, id: string, code: string) {
  const runner = createRunner<Catalogues>({
    store: ledger.store,
    keyIndex: ledger.store,
    snapshots: { read: async () => null },
    catalogue: ledger.catalogue,
    now,
  });
  t.teardown(() => runner.close());
  const cause = { actor: 'elsewhere', request: '' };
  return {
    async buy() {
      const { packages } = await ledger.catalogue.fresh();
      const sold = packages.latest('pro');
      const state = ledger.catalogue.coupons.get(code);
      if (sold === undefined || state === undefined || state.terms === null)
        throw new Error('nothing to buy');
      const offer = { package: { id: sold.id, version: sold.version }, terms: sold.terms, price: usd('90') };
      const coupon = { code, version: state.version, terms: state.terms };
      const words = { key: keys.purchase('p'), fingerprint: 'elsewhere', id: 'p', paid: false };
      const command = { type: 'OpenPurchase', ...words, offer, coupon } as const;
      const executed = await runner.execute(walletDecider, [{ id, command, cause }], now() + 10_000);
      if (executed === 'queue_full' || executed[0]?.status !== 'recorded')
        throw new Error(JSON.stringify(executed));
    },
    release: () =>
      runner.execute(
        couponDecider,
        [{ id: code, command: couponOrders.release({ account: id, purchase: 'p' }), cause }],
        now() + 10_000,
      ),
  };
}
const REFUSED = { status: 422, body: { code: 'minimum_purchase' } };

t.test('a refused request keeps the use that another one of its reference has come about with', async (t) => {
  await call('PUT', '/v1/coupons/same1', { percent: '10', minimum_purchase: usd('50'), max_uses: 5 });
  const id = await account();
  const other = elsewhere(t, id, 'SAME1');
  // When the wallet has refused ours, and the other purchase comes about before ours lets go of the use
  const look = { stream: `wallet-${id}`, work: other.buy };
  const work = async () => void afterLook.push(look);
  meanwhile.push({ stream: 'coupon-SAME1', type: 'CouponUseReserved', work });
  t.match(await buy(id, { package: 'starter', coupon: 'same1', reference: 'p' }), REFUSED);
  t.same([meanwhile, afterLook], [[], []]);
  t.match(await coupon('same1'), { open_uses: 1 });
});

t.test('a use that a refused request has let go is reserved again for what came about with it', async (t) => {
  await call('PUT', '/v1/coupons/same2', { percent: '10', minimum_purchase: usd('50'), max_uses: 5 });
  const id = await account();
  const other = elsewhere(t, id, 'SAME2');
  meanwhile.push({ stream: 'coupon-SAME2', type: 'CouponUseReleased', work: other.buy });
  t.match(await buy(id, { package: 'starter', coupon: 'same2', reference: 'p' }), REFUSED);
  t.same(meanwhile, []);
  t.match(await coupon('same2'), { open_uses: 1 });
});

t.test('a purchase whose use was let go while it was written has it when it is answered', async (t) => {
  await call('PUT', '/v1/coupons/same3', { percent: '10', max_uses: 5 });
  const id = await account();
  const other = elsewhere(t, id, 'SAME3');
  meanwhile.push({ stream: `wallet-${id}`, type: 'PurchaseOpened', work: other.release });
  t.equal((await buy(id, { package: 'pro', currency: 'USD', coupon: 'same3', reference: 'p' })).status, 201);
  t.same(meanwhile, []);
  t.match(await coupon('same3'), { open_uses: 1 });
});

t.test(
  'what was reserved and never ordered runs out; a paid purchase counts even over the limit',
  async (t) => {
    await call('PUT', '/v1/coupons/one', { percent: '10', max_uses: 1 });
    const [slow, quick] = [await account(), await account()];
    t.equal((await buy(slow, { package: 'starter', coupon: 'one', reference: 'p1' })).status, 201);
    t.match((await buy(quick, { package: 'starter', coupon: 'one', reference: 'p1' })).body, {
      code: 'coupon_exhausted',
    });
    offMs += 31 * 60_000;
    t.equal((await buy(quick, { package: 'starter', coupon: 'one', reference: 'p1' })).status, 201);
    for (const id of [quick, slow]) {
      const path = `/v1/accounts/${id}/purchases/p1/paid`;
      t.match((await call('POST', path, { paid: usd('9'), reference: 'c1' })).body, { applied: true });
    }
    t.match(await coupon('ONE'), { uses: 2, open_uses: 0, over_limit: 1 });
  },
);

t.test('a coupon of credits grants at once, and once', async (t) => {
  const id = await account();
  const path = `/v1/accounts/${id}/coupons`;
  const first = await call('POST', path, { code: 'gift' });
  t.match(first, { status: 201, body: { code: 'GIFT', status: 'granted', credits: '250', lot: 'lot-1' } });
  t.match(await call('POST', path, { code: 'Gift' }), { status: 200, body: first.body });
  t.equal(await balance(id), '250');
  t.match((await coupon('GIFT')).uses, 1);
  t.match((await call('GET', path)).body.data, [
    { code: 'GIFT', status: 'used', purchase: null, credits: '250' },
  ]);
});

t.test('wherever a call breaks off, the same call again does what is left, once', async (t) => {
  await call('PUT', '/v1/coupons/crash', { credits: '40' });
  await call('PUT', '/v1/coupons/crash10', { percent: '10' });
  const steps = [
    { name: 'before the use is reserved', stream: 'coupon-', after: 0 },
    { name: 'between reserving and the wallet', stream: 'wallet-', after: 0 },
    { name: 'between the wallet and confirming', stream: 'coupon-', after: 1 },
  ];
  for (const { name, stream, after } of steps) {
    const id = await account();
    const calls = {
      CRASH: () => call('POST', `/v1/accounts/${id}/coupons`, { code: 'crash' }),
      CRASH10: () => buy(id, { package: 'starter', coupon: 'crash10', reference: 'p1', paid: true }),
    };
    for (const [code, run] of Object.entries(calls)) {
      const { uses } = await coupon(code);
      broken.push({ stream, after });
      const cut = await run();
      broken.length = 0;
      t.equal(cut.status, stream === 'coupon-' && after > 0 ? 201 : 503, `${code}: cut off ${name}`);
      const whole = await run();
      t.ok(whole.status === 201 || whole.status === 200, `${code}: again, it goes through`);
      t.same((await run()).status, 200);
      t.match(await coupon(code), { uses: uses + 1, open_uses: 0 }, `${code}: one use`);
    }
    t.equal(await balance(id), '1040');
  }
});

t.test(
  'a use that was reserved by a call that broke off, and has run out since, is not for nothing',
  async (t) => {
    await call('PUT', '/v1/coupons/last', { percent: '10', max_uses: 1 });
    const [first, second] = [await account(), await account()];
    broken.push({ stream: `wallet-${first}`, after: 0 });
    t.equal((await buy(first, { package: 'starter', coupon: 'last', reference: 'p1' })).status, 503);
    broken.length = 0;
    offMs += 31 * 60_000;
    t.equal((await buy(second, { package: 'starter', coupon: 'last', reference: 'p1' })).status, 201);
    t.match((await buy(first, { package: 'starter', coupon: 'last', reference: 'p1' })).body, {
      code: 'coupon_exhausted',
    });
  },
);

t.test('of 200 redemptions at once of a coupon with 50 uses, 50 pass', async (t) => {
  await call('PUT', '/v1/coupons/rush', { percent: '20', max_uses: 50 });
  await call('PUT', '/v1/coupons/rush-gift', { credits: '10', max_uses: 50 });
  const ids: string[] = [];
  for (let n = 0; n < 200; n++) ids.push(await account());
  const bought = await Promise.all(
    ids.map((id) => buy(id, { package: 'starter', coupon: 'rush', reference: 'p1', paid: true })),
  );
  t.equal(bought.filter(({ status }) => status === 201).length, 50);
  t.equal(bought.filter(({ body }) => body.code === 'coupon_exhausted').length, 150);
  t.match(await coupon('RUSH'), { uses: 50, open_uses: 0, over_limit: 0 });
  const granted = await Promise.all(
    ids.map((id) => call('POST', `/v1/accounts/${id}/coupons`, { code: 'rush-gift' })),
  );
  t.equal(granted.filter(({ status }) => status === 201).length, 50);
  t.equal(granted.filter(({ body }) => body.code === 'coupon_exhausted').length, 150);
  t.match(await coupon('RUSH-GIFT'), { uses: 50, open_uses: 0 });
});

t.test('the same purchase from many sides at once is one', async (t) => {
  const id = await account();
  await call('POST', `/v1/accounts/${id}/coupons`, { code: 'save50' });
  const all = await Promise.all(
    Array.from({ length: 20 }, () => buy(id, { package: 'starter', reference: 'p1', paid: true })),
  );
  t.equal(all.filter(({ status }) => status === 201).length, 1);
  t.equal(all.filter(({ status }) => status === 200).length, 19);
  t.equal(new Set(all.map(({ body }) => body.total.amount)).size, 1);
  t.equal(await balance(id), '1000');
});

t.test('of two purchases at once one takes the saved coupon, and neither is refused', async (t) => {
  const id = await account();
  await call('POST', `/v1/accounts/${id}/coupons`, { code: 'save50' });
  const both = await Promise.all(['p1', 'p2'].map((reference) => buy(id, { package: 'starter', reference })));
  t.same(
    both.map(({ status }) => status),
    [201, 201],
  );
  t.same(both.map(({ body }) => body.total.amount).sort(), ['10', '5']);
  for (const p of ['p1', 'p2']) await call('POST', `/v1/accounts/${id}/purchases/${p}/cancel`);
  t.match(await coupon('SAVE50'), { open_uses: 0 });
});

t.test('guessing codes is stopped; what is accepted costs nothing', async (t) => {
  const id = await account();
  const guess = (code: string) => call('POST', `/v1/accounts/${id}/coupons`, { code });
  for (let n = 0; n < 10; n++) t.equal((await guess(`guess-${n}`)).body.code, 'coupon_not_found');
  t.match(await guess('save50'), { status: 429, body: { code: 'too_many_attempts' } });
  t.equal((await buy(id, { package: 'starter', coupon: 'save50', reference: 'p1' })).status, 429);
  t.equal((await buy(id, { package: 'starter', reference: 'p1' })).status, 201, 'without a code it goes on');
  const other = await account();
  for (let n = 0; n < 12; n++)
    t.ok((await call('POST', `/v1/accounts/${other}/coupons`, { code: 'save50' })).status < 300);
});

t.test(
  'a purchase that is taken back says so, and its coupon may be used again by the account',
  async (t) => {
    const id = await account();
    await buy(id, { package: 'starter', coupon: 'save50', reference: 'p1', paid: true });
    const [row] = (await call('GET', `/v1/accounts/${id}/purchases`)).body.data;
    const path = `/v1/accounts/${id}/entries/${row.entry_id}/reversal`;
    t.equal((await call('POST', path, { reason: 'refund' })).status, 201);
    t.equal(await balance(id), '0');
    const [after] = (await call('GET', `/v1/accounts/${id}/purchases`)).body.data;
    t.type(after.reversed_at, 'string');
    t.match((await call('GET', `/v1/accounts/${id}/coupons`)).body.data, [{ status: 'freed' }]);
    t.equal((await buy(id, { package: 'starter', coupon: 'save50', reference: 'p2' })).status, 201);
  },
);
