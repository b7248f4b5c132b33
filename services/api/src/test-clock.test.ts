import { setTimeout as pause } from 'node:timers/promises';
import { verifyLedger } from '@tallystick/audit';
import { connectLedger } from '@tallystick/connect';
import { decodeEvent, type EventStore, type StoredEvent } from '@tallystick/event-store';
import { startEventStoreDbStandIn, startPostgres } from '@tallystick/event-store/testing';
import t, { type Test } from 'tap';
import { type Call, failToServe, type Served, serve, serveProcess } from './testing/served.ts';

const BORN_SO = { LEDGER_TEST_CLOCK: '1' };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** What a step may take here, at worst: how far real time goes on while the clock stands at an instant. */
const STEP_MS = 10 * 60_000;

const postgres = await startPostgres();
t.teardown(() => postgres.stop());

let ledgers = 0;
/** A ledger of its own for each test, on the same server. */
const newEnvironment = () => ({ ...BORN_SO, LEDGER_NAMESPACE: `clock${++ledgers}` });

async function serveFor(
  t: Test,
  environment: Readonly<Record<string, string>>,
  options = {},
): Promise<Served> {
  const served = await serve(postgres.url, environment, options);
  t.teardown(() => served.stop());
  return served;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** One lot that expires then, in an account of its own. */
async function give(call: Call, account: string, expiresAt: number): Promise<void> {
  const opened = await call('POST', '/v1/accounts', { id: account });
  if (opened.status > 201) throw new Error(JSON.stringify(opened.body));
  await add(call, account, expiresAt);
}

async function add(call: Call, account: string, expiresAt: number): Promise<void> {
  const terms = { credits: '5', kind: 'promotion', reference: `${expiresAt}`, expires_at: iso(expiresAt) };
  const { status, body } = await call('POST', `/v1/accounts/${account}/grants`, terms);
  if (status !== 201) throw new Error(JSON.stringify(body));
}

interface Expiry {
  readonly account: string;
  readonly effectiveAt: number;
  readonly recordedAt: number;
}

async function eventsOf(store: EventStore, categories: readonly string[]): Promise<StoredEvent[]> {
  const { events, atEnd } = await store.readAll({ after: null, limit: 10_000, categories });
  if (!atEnd) throw new Error('there are more events than the test reads');
  return events.map((recorded) => decodeEvent(recorded) as StoredEvent);
}

/** In the order in which they were written. */
async function expiriesOf({ ledger: { store } }: Served): Promise<Expiry[]> {
  return (await eventsOf(store, ['wallet']))
    .filter(({ type }) => type === 'Expired')
    .flatMap(({ stream, recordedAt, data }) =>
      (data as { items: { effective_at: string }[] }).items.map(({ effective_at }) => ({
        account: stream.slice('wallet-'.length),
        effectiveAt: Date.parse(effective_at),
        recordedAt,
      })),
    );
}

/** Each at its own instant, one after the other, and each once. */
function inOrder(
  t: Test,
  expiries: readonly Expiry[],
  expected: readonly [account: string, at: number][],
): void {
  const wanted = [...expected].sort((a, b) => a[1] - b[1]).map(([account, at]) => `${iso(at)} ${account}`);
  t.same(
    expiries.map(({ account, effectiveAt }) => `${iso(effectiveAt)} ${account}`),
    wanted,
  );
  for (const { account, effectiveAt, recordedAt } of expiries) {
    const late = recordedAt - effectiveAt;
    if (late < 0 || late > STEP_MS) t.fail(`${account}: carried out ${late} ms after ${iso(effectiveAt)}`);
  }
}

/** Events, chains and read models, as the audit sees them. */
async function agrees(t: Test, { ledger: { store, pool, schema } }: Served): Promise<void> {
  t.match(await verifyLedger({ store, pool, schema, threads: 0 }), { count: 0, findings: [] });
}

t.test('lots of several accounts expire in the order of their instants, each at its own', async (t) => {
  const served = await serveFor(t, newEnvironment());
  const { call } = served;
  const start = Date.now();
  const lots: [string, number][] = [];
  for (const [account, days] of [
    ['anna', [3, 20, 31]],
    ['bert', [1, 20.5, 30]],
    ['cleo', [2, 10]],
  ] as const) {
    const [first = 0, ...others] = days.map((day) => start + day * DAY);
    await give(call, account, first);
    for (const at of others) await add(call, account, at);
    lots.push(...days.map((day): [string, number] => [account, start + day * DAY]));
  }
  await give(call, 'late', start + 41 * DAY);
  const to = start + 40 * DAY;
  const { status, body } = await call('POST', '/v1/test-clock/advance', { to: iso(to) });
  t.equal(status, 200);
  t.equal(body.advancing_to, null);
  t.ok(Date.parse(body.now) >= to && Date.parse(body.now) < to + STEP_MS, body.now);
  // At once: the answer says that all of it has happened.
  inOrder(t, await expiriesOf(served), lots);
  const balance = await call('GET', '/v1/accounts/anna/balance');
  t.match(balance.body, { available: '0', expired: '15' });
  t.match((await call('GET', '/v1/accounts/late/balance')).body, { available: '5', expired: '0' });
  t.equal((await call('GET', '/health/ready')).status, 200, 'clocks are compared in real time');
  await agrees(t, served);
});

t.test('a reserved use of a coupon times out at its own instant, in order with the rest', async (t) => {
  const served = await serveFor(t, newEnvironment());
  const { call } = served;
  await call('PUT', '/v1/packages/hundred', { credits: '100', price: { amount: '10', currency: 'USD' } });
  await call('PUT', '/v1/coupons/RARE', { percent: '10', max_uses: 1 });
  const start = Date.now();
  const lots: [string, number][] = [
    ['anna', start + HOUR / 4],
    ['bert', start + HOUR],
  ];
  for (const [account, at] of lots) await give(call, account, at);
  const buy = (account: string, reference: string) =>
    call('POST', `/v1/accounts/${account}/purchases`, { package: 'hundred', coupon: 'RARE', reference });
  t.match(await buy('anna', 'p1'), { status: 201, body: { status: 'pending' } });
  t.match(await buy('bert', 'p1'), { status: 409, body: { code: 'coupon_exhausted' } });
  t.equal((await call('POST', '/v1/test-clock/advance', { by_seconds: 2 * 3_600 })).status, 200);
  inOrder(t, await expiriesOf(served), lots);
  const released = (await eventsOf(served.ledger.store, ['coupon'])).filter(
    ({ type }) => type === 'CouponUseReleased',
  );
  t.match(
    released.map(({ data }) => data),
    [{ account: 'anna', purchase: 'p1', because: 'timed_out' }],
  );
  const [{ recordedAt, data } = { recordedAt: 0, data: {} }] = released;
  const effectiveAt = Date.parse((data as { effective_at: string }).effective_at);
  const late = recordedAt - effectiveAt;
  t.ok(late >= 0 && late < STEP_MS, `let go ${late} ms after its time was over`);
  const [first, second] = await expiriesOf(served);
  t.ok(
    (first?.recordedAt ?? 0) < recordedAt && recordedAt < (second?.recordedAt ?? 0),
    'between the two lots',
  );
  t.match(await buy('bert', 'p2'), { status: 201 });
});

t.test('business goes by the moved clock', async (t) => {
  const { call } = await serveFor(t, newEnvironment());
  const before = Date.now();
  await give(call, 'anna', before + 90 * DAY);
  t.equal((await call('POST', '/v1/test-clock/advance', { by_seconds: 30 * 86_400 })).status, 200);
  const now = before + 30 * DAY;
  const past = { credits: '1', kind: 'gift', reference: 'past', expires_at: iso(now - HOUR) };
  const refused = await call('POST', '/v1/accounts/anna/grants', past);
  t.match(refused, { status: 422, body: { code: 'expires_in_past' } });
  await add(call, 'anna', now + DAY);
  const { body } = await call('GET', '/v1/accounts/anna/balance');
  t.equal(body.expiring.length, 1, 'within thirty days of the moved clock; the other lot is sixty away');
  const lines: { recorded_at: string }[] = (await call('GET', '/v1/accounts/anna/statement')).body.data;
  t.ok(
    lines.some((line) => Date.parse(line.recorded_at) >= now),
    'and events are recorded by it',
  );
  const asOf = await call('GET', `/v1/accounts/anna/balance?as_of=${iso(now - DAY)}`);
  t.equal(asOf.status, 200, 'what is past for it is past');
});

t.test('the clock goes forward only, is moved by admins, and its body is read closely', async (t) => {
  const { call } = await serveFor(t, newEnvironment());
  const to = iso(Date.now() + DAY);
  t.equal((await call('POST', '/v1/test-clock/advance', { to })).status, 200);
  const again = await call('POST', '/v1/test-clock/advance', { to });
  t.equal(again.status, 200, 'asked again: the answer had been lost');
  const back = await call('POST', '/v1/test-clock/advance', { to: iso(Date.now() + HOUR) });
  t.match(back, { status: 409, body: { code: 'test_clock_forward_only', now: /^20/ } });
  for (const [body, status] of [
    [{}, 422],
    [{ to, by_seconds: 1 }, 422],
    [{ to: 'tomorrow' }, 422],
    [{ by_seconds: 0 }, 422],
    [{ by_seconds: 1.5 }, 422],
    [{ to, minutes: 1 }, 400],
  ] as const)
    t.equal((await call('POST', '/v1/test-clock/advance', body)).status, status, JSON.stringify(body));
  const { body } = await call('POST', '/v1/api-keys', { name: 'reader', scopes: ['read'] });
  t.equal((await call('GET', '/v1/test-clock', undefined, body.key)).status, 200);
  t.equal((await call('POST', '/v1/test-clock/advance', { by_seconds: 1 }, body.key)).status, 403);
});

t.test('a ledger that was not born so has no such clock, and never gets one', async (t) => {
  const environment = { LEDGER_NAMESPACE: 'real' };
  const { call, ledger } = await serveFor(t, environment);
  t.match(await call('GET', '/v1/test-clock'), { status: 409, body: { code: 'test_clock_off' } });
  t.match(await call('POST', '/v1/test-clock/advance', { by_seconds: 60 }), {
    status: 409,
    body: { code: 'test_clock_off' },
  });
  t.equal(ledger.testClock, null);
  const { code, said } = await failToServe(postgres.url, { ...environment, ...BORN_SO });
  t.equal(code, 2);
  t.match(said, /LEDGER_TEST_CLOCK must not be 1 here: .* without a clock that can be moved/);
  t.same(await eventsOf(ledger.store, ['testclock']), []);
});

t.test('one that was born so does not start as if it were a real one', async (t) => {
  const environment = newEnvironment();
  await serveFor(t, environment);
  const { code, said } = await failToServe(postgres.url, { ...environment, LEDGER_TEST_CLOCK: '' });
  t.equal(code, 2);
  t.match(said, /LEDGER_TEST_CLOCK must be 1 here/);
  await t.rejects(
    connectLedger({ namespace: environment.LEDGER_NAMESPACE, esdbUrl: null, postgresUrl: postgres.url }),
    {
      name: 'BadSettings',
    },
  );
});

t.test('a restart keeps the offset', async (t) => {
  const environment = newEnvironment();
  const first = await serve(postgres.url, environment);
  await give(first.call, 'anna', Date.now() + 400 * DAY);
  const { body } = await first.call('POST', '/v1/test-clock/advance', { by_seconds: 365 * 86_400 });
  await first.stop();
  const second = await serveFor(t, environment);
  // Before anything was asked: nothing may be decided by real time.
  t.ok(second.ledger.clock.now() - Date.now() === body.offset_ms);
  const { body: shown } = await second.call('GET', '/v1/test-clock');
  t.same([shown.offset_ms, shown.advancing_to], [body.offset_ms, null]);
  await add(second.call, 'anna', Date.now() + 366 * DAY);
});

t.test('when the answer comes every process goes by the new time', async (t) => {
  const environment = newEnvironment();
  const one = await serveFor(t, environment);
  const other = await serveFor(t, environment, { projects: false });
  await give(one.call, 'anna', Date.now() + 3 * DAY);
  for (let day = 1; day <= 4; day += 1) {
    const { body } = await one.call('POST', '/v1/test-clock/advance', { by_seconds: 86_400 });
    t.equal(other.ledger.clock.now() - Date.now(), body.offset_ms, `day ${day}`);
  }
  const past = { credits: '1', kind: 'gift', reference: 'r', expires_at: iso(Date.now() + 3 * DAY) };
  t.match(await other.call('POST', '/v1/accounts/anna/grants', past), { body: { code: 'expires_in_past' } });
});

t.test(
  'of two advances at once both end where they wanted to be, or one is told who goes first',
  async (t) => {
    const environment = newEnvironment();
    const one = await serveFor(t, environment);
    const other = await serveFor(t, environment, { projects: false });
    const start = Date.now();
    const lots: [string, number][] = [];
    for (let day = 1; day <= 8; day += 1) {
      lots.push([`account-${day}`, start + day * DAY]);
      await give(one.call, `account-${day}`, start + day * DAY);
    }
    const to = iso(start + 9 * DAY);
    const same = await Promise.all(
      [one, other, one, other].map(({ call }) => call('POST', '/v1/test-clock/advance', { to })),
    );
    t.same(
      same.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    inOrder(t, await expiriesOf(one), lots);
    for (const { body } of same)
      t.ok(Date.parse(body.now) < start + 9 * DAY + STEP_MS, 'once, not four times');

    await give(one.call, 'last', start + 12 * DAY);
    const [far, near] = await Promise.all([
      one.call('POST', '/v1/test-clock/advance', { to: iso(start + 14 * DAY) }),
      other.call('POST', '/v1/test-clock/advance', { by_seconds: 60 }),
    ]);
    const refused = [far, near].filter(({ status }) => status === 409);
    t.ok(refused.length <= 1);
    for (const { body } of refused) {
      t.ok(['advance_under_way', 'test_clock_forward_only'].includes(body.code), body.code);
      if (body.code === 'advance_under_way') t.type(body.to, 'string');
    }
    await one.call('POST', '/v1/test-clock/advance', { to: iso(start + 14 * DAY) });
    inOrder(t, await expiriesOf(one), [...lots, ['last', start + 12 * DAY]]);
  },
);

t.test('nothing is carried out before every living process goes by the new time', async (t) => {
  const environment = newEnvironment();
  const served = await serveFor(t, environment);
  const { call, ledger } = served;
  const due = Date.now() + DAY;
  await give(call, 'anna', due);
  const processes = `${environment.LEDGER_NAMESPACE}_clock.processes`;
  // One that lives, and is slow.
  await ledger.pool.query(`insert into ${processes} (id, offset_ms) values (gen_random_uuid(), 0)`);
  let answered = false;
  const advance = call('POST', '/v1/test-clock/advance', { to: iso(due + HOUR) }).finally(() => {
    answered = true;
  });
  while (ledger.clock.now() < due) await pause(5);
  // The sweep comes round meanwhile.
  await pause(1_500);
  t.equal(answered, false);
  t.same(await expiriesOf(served), []);
  await ledger.pool.query(`delete from ${processes} where offset_ms = 0`);
  t.equal((await advance).status, 200);
  inOrder(t, await expiriesOf(served), [['anna', due]]);
});

t.test(
  'an advance that was killed half-way is continued by the same request, by another process',
  async (t) => {
    const environment = newEnvironment();
    const second = await serveFor(t, environment);
    const { call, ledger } = second;
    const start = Date.now();
    const lots: [string, number][] = [];
    for (let day = 1; day <= 40; day += 1) {
      lots.push([`account-${day % 10}`, start + day * DAY]);
      await (day <= 10 ? give : add)(call, `account-${day % 10}`, start + day * DAY);
    }
    const ask = { by_seconds: 50 * 86_400 };
    const first = await serveProcess(postgres.url, environment);
    const lost = first.call('POST', '/v1/test-clock/advance', ask).catch(() => null);
    while ((await expiriesOf(second)).length < 8) await pause(5);
    await first.kill('SIGKILL');
    t.equal(await lost, null, 'nobody was answered');
    const before = await expiriesOf(second);
    t.ok(before.length < 40, `${before.length} of 40 had expired`);
    const { body: halfWay } = await call('GET', '/v1/test-clock');
    t.type(halfWay.advancing_to, 'string');
    const other = await call('POST', '/v1/test-clock/advance', { by_seconds: 60 });
    t.match(other, { status: 409, body: { code: 'advance_under_way', to: halfWay.advancing_to } });
    await pause(1_500);
    t.equal((await expiriesOf(second)).length, before.length, 'the sweep does not run ahead of it');

    const { status, body } = await call('POST', '/v1/test-clock/advance', ask);
    t.equal(status, 200);
    const wanted = Date.parse(halfWay.advancing_to);
    t.ok(wanted - start >= 50 * DAY && wanted - start < 50 * DAY + STEP_MS);
    t.ok(Date.parse(body.now) - wanted < STEP_MS, 'to where the first was going, and no further');
    inOrder(t, await expiriesOf(second), lots);
    const ends = (await eventsOf(ledger.store, ['testclock'])).filter(
      ({ type }) => type === 'TestClockAdvanceEnded',
    );
    t.same(
      ends.map(({ data }) => (data as { to: string }).to),
      [halfWay.advancing_to],
    );
    await agrees(t, second);
  },
);

t.test('a process that is told to stop ends an advance at its next step; another goes on', async (t) => {
  const environment = newEnvironment();
  const first = await serve(postgres.url, environment);
  const second = await serveFor(t, environment);
  const start = Date.now();
  const lots: [string, number][] = [];
  for (let day = 1; day <= 30; day += 1) {
    lots.push([`account-${day % 5}`, start + day * DAY]);
    await (day <= 5 ? give : add)(first.call, `account-${day % 5}`, start + day * DAY);
  }
  const ask = { to: iso(start + 31 * DAY) };
  const advance = first.call('POST', '/v1/test-clock/advance', ask);
  while ((await expiriesOf(second)).length < 3) await pause(5);
  await first.stop();
  t.match(await advance, { status: 503, body: { code: 'shutting_down' } });
  t.ok((await expiriesOf(second)).length < 30);
  t.match(await second.call('POST', '/v1/test-clock/advance', ask), {
    status: 200,
    body: { advancing_to: null },
  });
  inOrder(t, await expiriesOf(second), lots);
});

t.test('on EventStoreDB, by several processes, it is the same', async (t) => {
  const standIn = await startEventStoreDbStandIn();
  t.teardown(() => standIn.stop());
  const environment = { ...newEnvironment(), LEDGER_ESDB_URL: standIn.url };
  const one = await serveFor(t, environment);
  const other = await serveFor(t, environment, { projects: false });
  const start = Date.now();
  const lots: [string, number][] = [];
  for (let day = 1; day <= 6; day += 1) {
    lots.push([`account-${day}`, start + day * DAY]);
    await give(one.call, `account-${day}`, start + day * DAY);
  }
  const { status, body } = await other.call('POST', '/v1/test-clock/advance', { by_seconds: 7 * 86_400 });
  t.equal(status, 200);
  t.equal(one.ledger.clock.now() - Date.now(), body.offset_ms);
  inOrder(t, await expiriesOf(one), lots);
  await agrees(t, one);
});

t.test('calls go on while the clock is moved: no deadline passes because of it', async (t) => {
  const { call } = await serveFor(t, newEnvironment());
  await give(call, 'anna', Date.now() + 10 * DAY);
  for (let day = 1; day <= 10; day += 1) await give(call, `other-${day}`, Date.now() + day * DAY);
  let moving = true;
  const advance = call('POST', '/v1/test-clock/advance', { by_seconds: 20 * 86_400 }).finally(() => {
    moving = false;
  });
  const statuses = new Set<number>();
  for (let n = 0; moving; n += 1) {
    const adjustment = { credits: '1', reason: 'test', reference: `r${n}` };
    const answers = await Promise.all(
      ['anna', 'other-5'].map((id) => call('POST', `/v1/accounts/${id}/adjustments`, adjustment)),
    );
    for (const { status } of answers) statuses.add(status);
  }
  t.equal((await advance).status, 200);
  t.same([...statuses], [201]);
});
