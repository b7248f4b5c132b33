import { followCatalogue } from '@tallystick/connect';
import { type Catalogues, couponDecider, couponOrders } from '@tallystick/domain';
import { createRunner, type Runner } from '@tallystick/event-store';
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let offMs = 0;
const now = (): number => Date.now() + offMs;
const ledger = await startTestLedger({ events: 'postgres', now });
t.teardown(() => ledger.stop());
const { call, store, runner, catalogue } = ledger;

const CAUSE = { actor: 'test', request: '' };
const TEN_MINUTES = 600_000;

async function outcomes(by: Runner<Catalogues>, code: string, commands: Parameters<typeof orderOf>[1][]) {
  const executed = await by.execute(
    couponDecider,
    commands.map((command) => orderOf(code, command)),
    now() + 60_000,
  );
  if (executed === 'queue_full') throw new Error(executed);
  return executed.map((done) => (done.status === 'refused' ? done.refusal.code : done.status));
}
const orderOf = (code: string, command: ReturnType<typeof couponOrders.confirm>) => ({
  id: code,
  command,
  cause: CAUSE,
});
const reserve = (account: string, purchase: string) =>
  couponOrders.reserve({ account, purchase, expiresAt: now() + TEN_MINUTES });
const count = (all: readonly string[], one: string): number => all.filter((each) => each === one).length;

t.test('a code is the same in capitals and not; a change is a version more', async (t) => {
  const put = await call('PUT', '/v1/coupons/save50', { percent: '50', description: 'Save 50%' });
  t.same([put.status, put.body], [201, { code: 'SAVE50', version: 1 }]);
  const again = await call('PUT', '/v1/coupons/SAVE50', { percent: '50.0', description: 'Save 50%' });
  t.match(again, { status: 200, body: { version: 1 } });
  const body = {
    percent: '50',
    max_uses: 100,
    max_uses_per_account: 2,
    minimum_purchase: { amount: '10', currency: 'USD' },
    valid_from: '2026-01-01T01:00:00+01:00',
    expires_at: '2099-01-01T00:00:00Z',
    plans: ['pro'],
    active: true,
  };
  t.match(await call('PUT', '/v1/coupons/Save50', body), { status: 201, body: { version: 2 } });
  t.same((await call('GET', '/v1/coupons/sAvE50')).body, {
    code: 'SAVE50',
    version: 2,
    ...body,
    valid_from: '2026-01-01T00:00:00.000Z',
    expires_at: '2099-01-01T00:00:00.000Z',
    uses: 0,
    open_uses: 0,
    over_limit: 0,
  });
  t.match(await call('GET', '/v1/coupons/none'), { status: 404, body: { code: 'coupon_not_found' } });
});

t.test('a coupon has one benefit, and its bounds', async (t) => {
  const usd = (amount: string) => ({ amount, currency: 'USD' });
  const cases: readonly [status: number, field: string, body: object][] = [
    [422, 'body', {}],
    [422, 'body', { percent: '10', fixed: usd('1') }],
    [422, 'percent', { percent: '101' }],
    [422, 'fixed.amount', { fixed: usd('-1') }],
    [422, 'minimum_purchase', { credits: '100', minimum_purchase: usd('1') }],
    [422, 'max_uses', { percent: '10', max_uses: 0 }],
    [422, 'expires_at', { percent: '10', expires_at: 'never' }],
    [
      422,
      'expires_at',
      { percent: '10', valid_from: '2026-02-01T00:00:00Z', expires_at: '2026-01-01T00:00:00Z' },
    ],
    [400, 'percent', { percent: 10 }],
  ];
  for (const [status, field, body] of cases) {
    const answer = await call('PUT', '/v1/coupons/BAD', body);
    t.equal(answer.status, status, field);
    t.ok(
      answer.body.errors?.some((fault: { field: string }) => fault.field === field),
      `${field}: ${answer.text}`,
    );
  }
});

t.test('200 purchases at once, in two processes: of 50 uses 50 are given out', async (t) => {
  await call('PUT', '/v1/coupons/RUSH', { percent: '10', max_uses: 50 });
  const other = createRunner<Catalogues>({
    store,
    keyIndex: store,
    snapshots: { read: async () => null },
    catalogue,
    now,
  });
  t.teardown(() => other.close());
  const each = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      outcomes(n % 2 === 0 ? runner : other, 'RUSH', [reserve(`a${n}`, 'p')]),
    ),
  );
  t.equal(count(each.flat(), 'recorded'), 50);
  t.equal(count(each.flat(), 'coupon_exhausted'), 150);
  t.match((await call('GET', '/v1/coupons/rush')).body, { uses: 0, open_uses: 50 });
  // Each sent again is what it was; nobody else gets in by it.
  const again = await Promise.all(
    Array.from({ length: 200 }, (_, n) => outcomes(other, 'RUSH', [reserve(`a${n}`, 'p')])),
  );
  t.equal(count(again.flat(), 'unchanged'), 50);
  t.equal(count(again.flat(), 'coupon_exhausted'), 150);
  t.match((await call('GET', '/v1/coupons/rush')).body, { open_uses: 50 });
});

t.test('a paid purchase is counted once, however often and wherever it is told', async (t) => {
  await call('PUT', '/v1/coupons/ONCE', { percent: '10', max_uses: 2 });
  const use = { account: 'acme', purchase: 'p1' };
  await outcomes(runner, 'ONCE', [reserve('acme', 'p1'), reserve('acme', 'p2')]);
  const told = await Promise.all(
    Array.from({ length: 5 }, () => outcomes(runner, 'ONCE', [couponOrders.confirm(use)])),
  );
  t.equal(count(told.flat(), 'recorded'), 5);
  t.match((await call('GET', '/v1/coupons/ONCE')).body, { uses: 1, open_uses: 1 });
  t.same(await outcomes(runner, 'ONCE', [couponOrders.return({ account: 'acme', purchase: 'p2' })]), [
    'coupon_use_not_found',
  ]);
  const back = [couponOrders.return(use), couponOrders.return(use)];
  t.same(await outcomes(runner, 'ONCE', back), ['recorded', 'recorded']);
  t.match((await call('GET', '/v1/coupons/ONCE')).body, { uses: 0, open_uses: 1 });
});

t.test(
  'what is not paid in time is free for the next, and its late payment counts over the limit',
  async (t) => {
    await call('PUT', '/v1/coupons/LATE', { percent: '10', max_uses: 1 });
    t.same(await outcomes(runner, 'LATE', [reserve('a', 'p')]), ['recorded']);
    t.same(await outcomes(runner, 'LATE', [reserve('b', 'p')]), ['coupon_exhausted']);
    offMs += TEN_MINUTES;
    t.match((await call('GET', '/v1/coupons/LATE')).body, { open_uses: 0 }, 'shown before it is written');
    t.same(await outcomes(runner, 'LATE', [reserve('b', 'p')]), ['recorded']);
    const both = ['a', 'b'].map((account) => couponOrders.confirm({ account, purchase: 'p' }));
    t.same(await outcomes(runner, 'LATE', both), ['recorded', 'recorded']);
    t.match((await call('GET', '/v1/coupons/LATE')).body, { uses: 2, open_uses: 0, over_limit: 1 });
  },
);

t.test('a process that starts later counts the same', async (t) => {
  const later = followCatalogue({ store });
  t.teardown(() => later.close());
  await later.fresh();
  t.match(later.coupons.get('LATE'), { uses: 2, overLimit: 1, version: 1 });
  t.equal(later.coupons.get('RUSH')?.open.size, 50);
});

t.test(
  'coupons are listed by their codes, page by page, and the read models pass over their events',
  async (t) => {
    const first = (await call('GET', '/v1/coupons?page_size=3')).body;
    t.same(
      first.data.map(({ code }: { code: string }) => code),
      ['LATE', 'ONCE', 'RUSH'],
    );
    const rest = (await call('GET', `/v1/coupons?page_size=3&cursor=${first.next_cursor}`)).body;
    t.match(rest, { data: [{ code: 'SAVE50' }], next_cursor: null });
    await ledger.projector.caughtUp();
    t.equal(ledger.projector.lagMs, 0);
  },
);

t.test('a default that is spelled out makes no version', async (t) => {
  const terms = { percent: '20', max_uses: 5 };
  const put = (more: object) => call('PUT', '/v1/coupons/AGAIN', { ...terms, ...more });
  t.equal((await put({})).status, 201);
  t.match(await put({ active: true, max_uses_per_account: 1 }), { status: 200, body: { version: 1 } });
  t.match(await put({ active: false }), { status: 201, body: { version: 2 } });
  t.match(await put({ active: true }), { status: 201, body: { version: 3 } });
  t.match(await put({ max_uses_per_account: 2 }), { status: 201, body: { version: 4 } });
});
