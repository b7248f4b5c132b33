/** The life of a subscription over HTTP: bought, looked at, changed, ended, paid outside, and what it does to the balance. */
import { walletDecider } from '@tallystick/domain';
import { listDueAccounts, openReads } from '@tallystick/projections';
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let now = Date.parse('2026-01-31T12:00:00Z');
const ledger = await startTestLedger({
  now: () => now,
  runnerLimits: { clockAheadMs: Number.MAX_SAFE_INTEGER },
});
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;
const cause = { actor: 'test', request: '' };

const plan = (credits: string, more: object = {}) => ({
  name: 'A plan',
  price: { credits },
  interval: 'month',
  included: [{ unit: 'calls', model: '*', amount: '100', per: 'period' }],
  overage: 'credits',
  ...more,
});
await call('PUT', '/v1/plans/basic', plan('100', { trial_days: 14, grace: { days: 3, quota: 'full' } }));
await call(
  'PUT',
  '/v1/plans/pro',
  plan('300', { included: [{ unit: 'calls', model: '*', amount: '500', per: 'period' }] }),
);
await call('PUT', '/v1/plans/outside', {
  ...plan('0'),
  price: { amount: '9.99', currency: 'EUR' },
  grace: { days: 5, quota: 'none' },
});
await call('PUT', '/v1/plans/yearly', plan('900', { interval: 'year' }));
await call('PUT', '/v1/plans/gone', plan('1', { active: false }));

async function accountWith(id: string, credits: string): Promise<string> {
  await call('POST', '/v1/accounts', { id });
  if (credits !== '0')
    await call('POST', `/v1/accounts/${id}/top-ups`, { credits, source: 'test', reference: 'first' });
  return `/v1/accounts/${id}`;
}
const basic = { plan: 'basic', pay: 'credits', reference: 's1' };
const subscriptionOf = async (url: string) => (await call('GET', `${url}/subscription`)).body.subscription;
const availableOf = async (url: string) => (await call('GET', `${url}/balance`)).body.available;

t.test('a plan is bought from credits, once for each reference', async (t) => {
  const url = await accountWith('buyer', '150');
  t.equal(await subscriptionOf(url), null, 'there never was one');
  const first = await call('POST', `${url}/subscription`, basic);
  t.equal(first.status, 201);
  t.match(first.body.subscription, {
    id: /^sub-\d+$/,
    plan: 'basic',
    plan_version: 1,
    status: 'active',
    current_period_start: '2026-01-31T12:00:00.000Z',
    current_period_end: '2026-02-28T12:00:00.000Z',
    auto_renew: true,
    trial_end: null,
    cancel_at: null,
    ended_at: null,
    pending_change: null,
    next_charge: { at: '2026-02-28T12:00:00.000Z', credits: '100' },
    grace_ends_at: null,
  });
  const again = await call('POST', `${url}/subscription`, { ...basic, auto_renew: true, trial: false });
  t.equal(again.status, 200);
  t.equal(again.headers['idempotent-replayed'], 'true');
  t.equal(again.text, first.text, 'a default that is spelled out is the same');
  t.equal(await availableOf(url), '50');
  t.same(await subscriptionOf(url), first.body.subscription);
  const other = await call('POST', `${url}/subscription`, { ...basic, plan: 'pro' });
  t.equal(other.body.code, 'idempotency_conflict');
  const second = await call('POST', `${url}/subscription`, { ...basic, reference: 's2' });
  t.match(second, { status: 409, body: { code: 'subscription_exists', plan: 'basic' } });
});

t.test('what cannot be bought is refused by its own code, and uses up no reference', async (t) => {
  const url = await accountWith('refused', '50');
  const subscribe = (body: object) => call('POST', `${url}/subscription`, { ...basic, ...body });
  t.match(await subscribe({}), {
    status: 402,
    body: { code: 'insufficient_credits', available: '50', required: '100' },
  });
  t.match(await subscribe({ plan: 'none' }), { status: 404, body: { code: 'plan_not_found' } });
  t.match(await subscribe({ plan: 'gone' }), { status: 409, body: { code: 'plan_not_active' } });
  t.match(await subscribe({ plan: 'outside' }), { status: 409, body: { code: 'plan_not_in_credits' } });
  t.match(await subscribe({ plan: 'pro', trial: true }), {
    status: 409,
    body: { code: 'trial_not_offered' },
  });
  t.match(await subscribe({ start_at: '2025-01-01T00:00:00Z' }), {
    status: 422,
    body: { code: 'start_out_of_range' },
  });
  t.match(await subscribe({ time_zone: 'Mars/Olympus' }), {
    status: 422,
    body: { errors: [{ field: 'time_zone' }] },
  });
  t.equal((await subscribe({ pay: 'barter' })).status, 400);
  t.match(await call('POST', '/v1/accounts/nobody/subscription', basic), { status: 404 });
  t.match(await call('GET', '/v1/accounts/nobody/subscription'), { status: 404 });
  for (const [path, body] of [
    ['preview', { plan: 'pro', when: 'now' }],
    ['change', { plan: 'pro', when: 'now', reference: 'c' }],
    ['cancel', { when: 'now', reference: 'e' }],
    ['resume', undefined],
  ] as const) {
    const { status, body: problem } = await call('POST', `${url}/subscription/${path}`, body);
    t.match({ status, code: problem.code }, { status: 404, code: 'subscription_not_found' }, path);
  }
  await call('POST', `${url}/top-ups`, { credits: '50', source: 'test', reference: 'more' });
  t.equal((await subscribe({})).status, 201, 'the same reference as before');
});

t.test('a trial costs nothing, comes once, and says what it will cost', async (t) => {
  const url = await accountWith('tried', '100');
  const { body } = await call('POST', `${url}/subscription`, { ...basic, trial: true });
  const end = '2026-02-14T12:00:00.000Z';
  t.match(body.subscription, {
    status: 'trialing',
    trial_end: end,
    current_period_end: end,
    next_charge: { at: end, credits: '100' },
  });
  t.equal(await availableOf(url), '100');
  const canceled = await call('POST', `${url}/subscription/cancel`, { when: 'now', reference: 'e' });
  t.match(canceled.body, { charged: '0', credited: '0', subscription: { status: 'canceled' } });
  const again = await call('POST', `${url}/subscription`, { ...basic, trial: true, reference: 's2' });
  t.match(again, { status: 409, body: { code: 'trial_already_used' } });
});

t.test('a preview says to the credit what the change then comes to, and changes nothing', async (t) => {
  const url = await accountWith('upgraded', '1000');
  await call('POST', `${url}/subscription`, basic);
  const before = now;
  now += 14 * 24 * 3_600_000;
  const { revision } = await ledger.runner.peek(walletDecider, 'upgraded');
  const change = { plan: 'pro', when: 'now' };
  const preview = await call('POST', `${url}/subscription/preview`, change);
  t.equal(preview.status, 200);
  t.match(preview.body, { charged: '100', credited: '0', lines: [{ credits: '100' }] });
  t.match(preview.body.subscription, { plan: 'pro', current_period_end: '2026-02-28T12:00:00.000Z' });
  t.equal((await ledger.runner.peek(walletDecider, 'upgraded')).revision, revision);
  t.match(await subscriptionOf(url), { plan: 'basic' });
  const changed = await call('POST', `${url}/subscription/change`, { ...change, reference: 'c1' });
  t.equal(changed.status, 201);
  t.same(changed.body, preview.body);
  t.same(changed.body.quota, [{ unit: 'calls', model: '*', amount: '200' }], 'half of 400 more');
  const again = await call('POST', `${url}/subscription/change`, { ...change, reference: 'c1' });
  t.equal(again.status, 200);
  t.equal(again.text, changed.text);
  t.equal(await availableOf(url), '800');
  const same = await call('POST', `${url}/subscription/change`, { ...change, reference: 'c2' });
  t.match(same, { status: 409, body: { code: 'plan_unchanged' } });
  const down = await call('POST', `${url}/subscription/preview`, { plan: 'basic', when: 'now' });
  t.match(down, { status: 409, body: { code: 'downgrade_waits', period_end: '2026-02-28T12:00:00.000Z' } });
  const year = await call('POST', `${url}/subscription/preview`, { plan: 'yearly', when: 'now' });
  t.match(year, { status: 409, body: { code: 'interval_differs' } });
  now = before;
});

t.test('what waits for the end of the period is shown, and can be taken back until then', async (t) => {
  const url = await accountWith('waiting', '1000');
  await call('POST', `${url}/subscription`, { ...basic, plan: 'pro' });
  const end = '2026-02-28T12:00:00.000Z';
  const down = await call('POST', `${url}/subscription/change`, {
    plan: 'basic',
    when: 'period_end',
    reference: 'c1',
  });
  t.match(down.body, {
    charged: '0',
    credited: '0',
    lines: [],
    subscription: {
      plan: 'pro',
      pending_change: { plan: 'basic', at: end },
      next_charge: { at: end, credits: '100' },
    },
  });
  const cancel = { when: 'period_end', reference: 'e1' };
  const canceled = await call('POST', `${url}/subscription/cancel`, cancel);
  t.match(canceled.body.subscription, { status: 'active', cancel_at: end, next_charge: null });
  const again = await call('POST', `${url}/subscription/cancel`, { ...cancel, reference: 'e2' });
  t.equal(again.status, 200, 'twice is once, by whatever reference');
  t.same(again.body.subscription, canceled.body.subscription);
  const resumed = await call('POST', `${url}/subscription/resume`);
  t.equal(resumed.status, 200);
  t.match(resumed.body.subscription, {
    cancel_at: null,
    pending_change: null,
    next_charge: { at: end, credits: '300' },
  });
  t.match((await call('POST', `${url}/subscription/resume`)).body, resumed.body, 'twice is once');
});

t.test('a change of the price is told before it is charged', async (t) => {
  const url = await accountWith('announced', '1000');
  await call('PUT', '/v1/plans/dearer', plan('10'));
  const { body } = await call('POST', `${url}/subscription`, { ...basic, plan: 'dearer' });
  t.match(body.subscription.next_charge, { credits: '10' });
  await call('PUT', '/v1/plans/dearer', { ...plan('12'), effective_from: '2026-02-20T00:00:00Z' });
  t.match(await subscriptionOf(url), { plan_version: 1, next_charge: { credits: '12' } });
});

t.test('renewals that are due are seen before they are written, and once', async (t) => {
  const before = now;
  const url = await accountWith('renewed', '250');
  await call('POST', `${url}/subscription`, basic);
  await ledger.projector.caughtUp();
  const { revision } = await ledger.runner.peek(walletDecider, 'renewed');
  now = Date.parse('2026-03-01T00:00:00Z');
  t.match(await subscriptionOf(url), {
    status: 'active',
    current_period_start: '2026-02-28T12:00:00.000Z',
    current_period_end: '2026-03-31T12:00:00.000Z',
  });
  t.equal(await availableOf(url), '50', 'the balance knows it, too');
  t.match((await call('GET', `${url}/lots`)).body.data, [{ available: '50' }]);
  t.equal((await ledger.runner.peek(walletDecider, 'renewed')).revision, revision, 'nothing was recorded');
  const due = await listDueAccounts(openReads(ledger.pool, ledger.schema), now, 100);
  t.ok(due.includes('renewed'), 'the sweep finds it');
  await ledger.runner.execute(
    walletDecider,
    [{ id: 'renewed', command: { type: 'CarryOutDues', key: null, fingerprint: null }, cause }],
    now + 10_000,
  );
  await ledger.projector.caughtUp();
  t.equal(await availableOf(url), '50');
  t.notOk((await listDueAccounts(openReads(ledger.pool, ledger.schema), now, 100)).includes('renewed'));
  // April begins on the 31st of March; there are no credits left for it.
  now = Date.parse('2026-03-31T12:00:01Z');
  t.match(await subscriptionOf(url), {
    status: 'past_due',
    grace_ends_at: '2026-04-03T12:00:00.000Z',
    next_charge: { at: '2026-03-31T12:00:00.000Z', credits: '100' },
  });
  now = Date.parse('2026-04-03T12:00:00Z');
  t.match(await subscriptionOf(url), { status: 'lapsed', ended_at: '2026-04-03T12:00:00.000Z' });
  for (const path of ['resume', 'cancel', 'change'] as const) {
    const bodies = { resume: undefined, cancel: { when: 'now' }, change: { when: 'now', plan: 'pro' } };
    const body = bodies[path] && { ...bodies[path], reference: 'x' };
    const late = await call('POST', `${url}/subscription/${path}`, body);
    t.match(late, { status: 409, body: { code: 'subscription_ended' } }, path);
  }
  await call('POST', `${url}/top-ups`, { credits: '500', source: 'test', reference: 'late' });
  const anew = await call('POST', `${url}/subscription`, { ...basic, reference: 's2' });
  t.equal(anew.status, 201);
  const list = await call('GET', `${url}/subscriptions`);
  t.match(list.body, {
    data: [
      { id: anew.body.subscription.id, status: 'active', started_at: '2026-04-03T12:00:00.000Z' },
      { plan: 'basic', status: 'lapsed', started_at: '2026-01-31T12:00:00.000Z' },
    ],
    next_cursor: null,
  });
  const page = await call('GET', `${url}/subscriptions?page_size=1`);
  const rest = await call('GET', `${url}/subscriptions?page_size=1&cursor=${page.body.next_cursor}`);
  t.same([...page.body.data, ...rest.body.data], list.body.data);
  t.match(await call('GET', '/v1/accounts/nobody/subscriptions'), { status: 404 });
  now = before;
});

t.test('a period that is paid outside is confirmed by finance, and always booked', async (t) => {
  const url = await accountWith('external', '0');
  const started = await call('POST', `${url}/subscription`, {
    plan: 'outside',
    pay: 'external',
    reference: 's1',
  });
  t.match(started.body.subscription, {
    status: 'past_due',
    next_charge: null,
    grace_ends_at: '2026-02-05T12:00:00.000Z',
  });
  const payment = {
    period_start: started.body.subscription.current_period_start,
    result: 'paid',
    paid: { amount: '9.990', currency: 'EUR' },
    reference: 'p1',
  };
  const failed = await call('POST', `${url}/subscription/payments`, {
    ...payment,
    paid: undefined,
    result: 'failed',
    reference: 'p0',
  });
  t.match(failed, { status: 201, body: { result: 'failed', applied: false, subscription: null } });
  const paid = await call('POST', `${url}/subscription/payments`, payment);
  t.equal(paid.status, 201);
  t.match(paid.body, { result: 'paid', applied: true, subscription: { status: 'active' } });
  t.match(paid.body.position, /^\d+$/);
  const again = await call('POST', `${url}/subscription/payments`, {
    ...payment,
    period_start: '2026-01-31T13:00:00+01:00',
    paid: { amount: '9.99', currency: 'EUR' },
  });
  t.equal(again.status, 200, 'the same instant and the same sum, otherwise written');
  t.equal(again.text, paid.text);
  const twice = await call('POST', `${url}/subscription/payments`, { ...payment, reference: 'p2' });
  t.match(
    twice,
    { status: 201, body: { applied: false } },
    'the same period under another id waits for finance',
  );
  t.match(
    await call('POST', `${url}/subscription/payments`, { ...payment, result: 'failed', reference: 'p3' }),
    { status: 422 },
  );
  const { body: books } = await call('GET', '/v1/trial-balance');
  for (const { unit, total } of books.units) t.equal(total, '0', unit);
  t.match(await subscriptionOf(url), { status: 'active' });
});

t.test('an owner manages the own account with a key of its own, and sees no currency', async (t) => {
  const url = await accountWith('owner', '100');
  await accountWith('neighbour', '100');
  const key = await newKey(['manage'], 'owner');
  const bought = await call('POST', `${url}/subscription`, basic, key);
  t.equal(bought.status, 201);
  const answers = [
    bought,
    await call('GET', `${url}/subscription`, undefined, key),
    await call('GET', `${url}/subscriptions`, undefined, key),
    await call('GET', `${url}/quotas`, undefined, key),
    await call('GET', `${url}/quotas?all=true`, undefined, key),
    await call('POST', `${url}/subscription/preview`, { plan: 'pro', when: 'period_end' }, key),
    await call('POST', `${url}/subscription/cancel`, { when: 'period_end', reference: 'e' }, key),
    await call('POST', `${url}/subscription/resume`, undefined, key),
  ];
  for (const { status, text } of answers) {
    t.ok(status < 300, text);
    t.notMatch(text, /EUR|USD|currency|pots|paid_from|"paid"/);
  }
  const elsewhere = await call('POST', '/v1/accounts/neighbour/subscription', basic, key);
  t.equal(elsewhere.status, 403);
  t.equal((await call('POST', `${url}/subscription/payments`, {}, key)).status, 403, 'finance says who paid');
});

t.test('of 20 that subscribe at once under different references one does', async (t) => {
  const url = await accountWith('crowd', '1000');
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      call('POST', `${url}/subscription`, { ...basic, reference: `r${n}` }),
    ),
  );
  t.equal(answers.filter(({ status }) => status === 201).length, 1);
  t.equal(answers.filter(({ body }) => body.code === 'subscription_exists').length, 19);
  t.equal(await availableOf(url), '900');
});
