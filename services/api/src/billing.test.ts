/** The documented billing paths, with the document's own figures. */
import { openReads, readSpent } from '@tallystick/projections';
import fc from 'fast-check';
import t from 'tap';
import { asNumber, decimalOf, fractionAsNumber } from './routes/billing/as-number.ts';
import { seedCatalogues } from './seeded.ts';
import { startTestLedger } from './testing/ledger.ts';

let now = Date.parse('2024-10-15T12:00:00Z');
const at = (text: string): void => {
  now = Date.parse(text);
};
const ledger = await startTestLedger({
  now: () => now,
  runnerLimits: { clockAheadMs: Number.MAX_SAFE_INTEGER },
});
t.teardown(() => ledger.stop());
const reads = openReads(ledger.pool, ledger.schema);
const { call, newKey, runner, catalogue } = ledger;
// Deadlines go by the wall's clock, which here is the ledger's.
await seedCatalogues(runner, await catalogue.fresh(), () => now);
await catalogue.fresh();

await call('PUT', '/v1/price-books/default', {
  models: {
    m: {
      round_to: '0.01',
      prices: { input_tokens: { credits: '91', per: 1_000_000 }, calls: { credits: '1', per: 1 } },
    },
  },
});
const monthly = { price: { credits: '10' }, interval: 'month', overage: 'credits' };
const included = (unit: string, amount: string, per = 'period', model = '*') => ({
  unit,
  model,
  amount,
  per,
});

let made = 0;
async function account(more: object = {}, credits = '1000'): Promise<string> {
  const id = `user-${++made}`;
  await call('POST', '/v1/accounts', { id, ...more });
  await call('POST', `/v1/accounts/${id}/top-ups`, { credits, source: 'test', reference: 'first' });
  return id;
}
let used = 0;
async function use(id: string, usage: object, more: object = {}): Promise<string> {
  const body = { id: `u${++used}`, account: id, model: 'm', usage, ...more };
  const answer = await call('POST', '/v1/usage', body);
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body.entry_id;
}
async function subscribe(id: string, plan: string, more: object = {}): Promise<void> {
  const body = { plan, pay: 'credits', reference: 's', ...more };
  const { status, text } = await call('POST', `/v1/accounts/${id}/subscription`, body);
  if (status !== 201) throw new Error(text);
}
async function subscribePaid(id: string, plan: string, amount: string): Promise<void> {
  await subscribe(id, plan, { pay: 'external' });
  const period_start = new Date(now).toISOString();
  const body = { period_start, result: 'paid', paid: { amount, currency: 'USD' }, reference: 'p' };
  const { status, text } = await call('POST', `/v1/accounts/${id}/subscription/payments`, body);
  if (status !== 201) throw new Error(text);
}
const reverse = (id: string, entry: string) =>
  call('POST', `/v1/accounts/${id}/entries/${entry}/reversal`, { reason: 'wrong' });
const get = async (path: string, id: string) => (await call('GET', `/v1/billing/${path}?account=${id}`)).body;
const put = (id: string, body: object) => call('PUT', `/v1/billing/settings?account=${id}`, body);
const apply = (id: string, coupon_code: string) =>
  call('POST', `/v1/billing/coupons/apply?account=${id}`, { coupon_code });

t.test('the plans of the document are told as it shows them', async (t) => {
  const { body } = await call('GET', '/v1/billing/plans');
  t.strictSame(Object.keys(body), ['plans']);
  t.strictSame(body.plans.slice(0, 3), [
    {
      id: 'plan-basic',
      name: 'Basic',
      monthly_quota: 100000,
      monthly_price: 9.99,
      extra_token_price: 0.00002,
      features: ['Up to 100K tokens per month', 'Email support', 'Basic API access'],
    },
    {
      id: 'plan-pro',
      name: 'Pro',
      monthly_quota: 1000000,
      monthly_price: 99.99,
      extra_token_price: 0.00015,
      features: [
        'Up to 1M tokens per month',
        'Priority email support',
        'Advanced API access',
        '10% discount on overage',
      ],
    },
    {
      id: 'plan-enterprise',
      name: 'Enterprise',
      monthly_quota: 10000000,
      monthly_price: 999.99,
      extra_token_price: 0.0001,
      features: ['Up to 10M tokens per month', '24/7 phone support', 'Dedicated account manager'],
    },
  ]);
  t.match(
    body.plans.slice(3).map(({ id }: { id: string }) => id),
    ['free', 'pro', 'enterprise', 'video-basic', 'video-pro', 'video-enterprise'],
    'in the order of their display',
  );
});

t.test('quota and price are of a month, and a plan says what it does not have', async (t) => {
  const price = (credits: string, per = 1) => ({ credits, per });
  const cases: [id: string, terms: object, told: object][] = [
    [
      'yearly',
      { ...monthly, interval: 'year', included: [included('tokens', '1000')] },
      { monthly_quota: 83, monthly_price: 10 / 12 },
    ],
    [
      'weekly',
      { ...monthly, interval: 'week', included: [included('tokens', '300')] },
      { monthly_quota: 1300, monthly_price: 520 / 12 },
    ],
    [
      'daily',
      { ...monthly, included: [included('tokens', '12', 'day'), included('tokens', '5', 'month', 'm')] },
      { monthly_quota: 370, monthly_price: 10 },
    ],
    [
      'limitless',
      { ...monthly, included: [included('tokens', 'unlimited'), included('tokens', '5', 'day')] },
      { monthly_quota: null },
    ],
    ['calls', { ...monthly, included: [included('calls', '7')] }, { monthly_quota: 0, features: [] }],
    [
      'dearest',
      {
        ...monthly,
        included: [],
        overage_multiplier: '1.5',
        overage_prices: { '*': { input_tokens: price('1', 100), output_tokens: price('3', 100) } },
      },
      { extra_token_price: 0.045 },
    ],
    ['by-book', { ...monthly, included: [] }, { extra_token_price: null }],
    [
      'by-model',
      { ...monthly, included: [], overage_prices: { m: { input_tokens: price('1') } } },
      { extra_token_price: null },
    ],
    [
      'no-more',
      { ...monthly, included: [], overage: 'refuse', overage_prices: { '*': { input_tokens: price('1') } } },
      { extra_token_price: null },
    ],
    [
      'no-rate',
      {
        ...monthly,
        price: { amount: '30', currency: 'SEK' },
        included: [],
        overage_prices: { '*': { input_tokens: price('1') } },
      },
      { monthly_price: 30, extra_token_price: null },
    ],
    [
      'third',
      {
        ...monthly,
        price: { amount: '1', currency: 'USD' },
        included: [],
        overage_prices: { '*': { input_tokens: price('1', 3) } },
      },
      { extra_token_price: 0.003333333333333333 },
    ],
  ];
  for (const [id, terms] of cases)
    t.equal((await call('PUT', `/v1/plans/${id}`, { name: id, ...terms })).status, 201, id);
  await call('PUT', '/v1/plans/gone', { name: 'Gone', ...monthly, included: [], active: false });
  const { plans } = (await call('GET', '/v1/billing/plans')).body;
  for (const [id, , told] of cases)
    t.match(
      plans.find((plan: { id: string }) => plan.id === id),
      told,
      id,
    );
  t.notOk(plans.some(({ id }: { id: string }) => id === 'gone'));
  t.match(
    plans.find(({ id }: { id: string }) => id === 'video-basic'),
    { monthly_quota: 0, monthly_price: 99, extra_token_price: null },
  );
});

t.test('the statistics of the document: its figures, its names, and no others', async (t) => {
  at('2024-10-20T12:00:00Z');
  const id = await account();
  await call('POST', `/v1/accounts/${id}/grants`, { credits: '500', kind: 'promo', reference: 'g' });
  await use(id, { calls: 200 });
  at('2024-11-01T00:00:00Z');
  await use(id, { input_tokens: 500_000 });
  await subscribePaid(id, 'plan-pro', '99.99');
  await use(id, { input_tokens: 500_000, output_tokens: 150_000, cached_input_tokens: 100_000 });
  const key = await newKey(['read'], id);
  const { body, status } = await call('GET', '/v1/billing/stats', undefined, key);
  t.equal(status, 200);
  t.strictSame(body, {
    current_month_cost: 45.5,
    current_month_tokens: 1250000,
    subscription_plan: 'plan-pro',
    tokens_quota: 1000000,
    tokens_used: 750000,
    tokens_remaining: 250000,
    total_cost: 245.5,
  });
});

t.test('without a plan there is no quota; one in calls is none in tokens; unlimited is null', async (t) => {
  const id = await account();
  const none = { subscription_plan: null, tokens_quota: 0, tokens_used: 0, tokens_remaining: 0 };
  t.match(await get('stats', id), { ...none, current_month_cost: 0, current_month_tokens: 0, total_cost: 0 });
  await subscribe(id, 'calls');
  t.match(await get('stats', id), { ...none, subscription_plan: 'calls', tokens_quota: 0 });
  const endless = await account();
  await subscribe(endless, 'limitless');
  await use(endless, { input_tokens: 7 });
  const limitless = { tokens_quota: null, tokens_remaining: null, current_month_tokens: 7 };
  t.match(await get('stats', endless), limitless);
});

t.test(
  'an expansion counts, what a hold has reserved is neither used nor left, and an end takes all',
  async (t) => {
    const id = await account();
    await subscribePaid(id, 'plan-basic', '9.99');
    const expires_at = new Date(now + 3_600_000).toISOString();
    const more = { unit: 'tokens', model: '*', amount: '500', expires_at, reason: 'r', reference: 'r' };
    t.equal((await call('POST', `/v1/accounts/${id}/quotas`, more)).status, 201);
    const hold = {
      account: id,
      model: 'm',
      estimate: { input_tokens: 300 },
      hold: { id: 'h', expires_in: 60 },
    };
    t.match((await call('POST', '/v1/authorize', hold)).body, { allowed: true });
    await use(id, { input_tokens: 200 });
    const held = { tokens_quota: 100_500, tokens_used: 200, tokens_remaining: 100_000 };
    t.match(await get('stats', id), held);
    now += 7_200_000;
    // The expansion is over, with the hold's part of it: both were taken from it first.
    t.match(await get('stats', id), { tokens_quota: 100_000, tokens_used: 0, tokens_remaining: 100_000 });
    await call('POST', `/v1/accounts/${id}/subscription/cancel`, { when: 'now', reference: 'c' });
    t.match(await get('stats', id), { subscription_plan: null, tokens_quota: 0, tokens_remaining: 0 });
  },
);

t.test('a month is that of the account, to the millisecond', async (t) => {
  const id = await account({ time_zone: 'Asia/Shanghai' });
  at('2025-01-31T15:59:59.999Z');
  await use(id, { calls: 5 });
  t.match(await get('stats', id), { current_month_cost: 5, total_cost: 5 });
  at('2025-01-31T16:00:00Z');
  t.match(await get('stats', id), { current_month_cost: 0, current_month_tokens: 0, total_cost: 5 });
  await use(id, { calls: 2, input_tokens: 10 });
  t.match(await get('stats', id), { current_month_cost: 2.01, current_month_tokens: 10, total_cost: 7.01 });
  const utc = await account();
  t.match(await get('stats', utc), { current_month_cost: 0 });
  await call('PATCH', `/v1/accounts/${id}`, { time_zone: 'UTC' });
  t.match(await get('stats', id), { current_month_cost: 7.01, total_cost: 7.01 });
});

t.test('the months of an account add up to its total, whatever came back and when', async (t) => {
  at('2025-03-01T00:00:00Z');
  const id = await account();
  await call('PUT', '/v1/plans/refunding', {
    name: 'Refunding',
    ...monthly,
    price: { credits: '310' },
    refund_on_cancel: true,
    included: [included('tokens', '100')],
  });
  const months: number[] = [];
  const closeMonth = async (next: string): Promise<void> => {
    months.push((await get('stats', id)).current_month_cost);
    at(next);
  };
  const first = await use(id, { calls: 40 });
  const second = await use(id, { calls: 3, input_tokens: 1_000_000 });
  t.match(await get('stats', id), { current_month_cost: 134, current_month_tokens: 1_000_000 });
  await reverse(id, second);
  t.match(await get('stats', id), { current_month_cost: 40, current_month_tokens: 0 });
  await closeMonth('2025-04-01T00:00:00Z');
  await reverse(id, first);
  await use(id, { calls: 1 });
  t.match(await get('stats', id), { current_month_cost: -39, total_cost: 1 }, 'it came back this month');
  await closeMonth('2025-05-01T00:00:00Z');
  await subscribe(id, 'refunding');
  t.match(await get('stats', id), { current_month_cost: 310, total_cost: 311 }, 'a plan costs credits');
  at('2025-05-02T00:00:00Z');
  await call('POST', `/v1/accounts/${id}/subscription/cancel`, { when: 'now', reference: 'c' });
  t.match(await get('stats', id), { current_month_cost: 10, total_cost: 11 }, 'and gives back');
  await closeMonth('2025-06-01T00:00:00Z');
  // Neither is a cost: credits taken by finance, and credits that expire.
  await call('POST', `/v1/accounts/${id}/adjustments`, { credits: '-5', reason: 'r', reference: 'a' });
  const expires_at = '2025-06-02T00:00:00Z';
  await call('POST', `/v1/accounts/${id}/grants`, {
    credits: '9',
    kind: 'promo',
    reference: 'g',
    expires_at,
  });
  at('2025-06-03T00:00:00Z');
  await use(id, { calls: 2000 }, { mode: 'record' });
  t.match(await get('stats', id), { current_month_cost: 2000, total_cost: 2011 }, 'debt is a cost');
  months.push((await get('stats', id)).current_month_cost);
  t.equal(
    months.reduce((sum, cost) => sum + cost, 0),
    (await get('stats', id)).total_cost,
  );
});

t.test('a hold that is settled costs what it used, and nothing of what expires with it', async (t) => {
  at('2025-07-10T00:00:00Z');
  const id = await account({}, '10');
  const expires_at = '2025-07-10T00:00:30Z';
  await call('POST', `/v1/accounts/${id}/grants`, {
    credits: '50',
    kind: 'promo',
    reference: 'g',
    expires_at,
  });
  const hold = { account: id, model: 'm', estimate: { calls: 50 }, hold: { id: 'h', expires_in: 600 } };
  t.match((await call('POST', '/v1/authorize', hold)).body, { allowed: true });
  at('2025-07-10T00:01:00Z');
  await call('POST', `/v1/accounts/${id}/holds/h/settle`, { usage: { calls: 20 } });
  t.match((await call('GET', `/v1/accounts/${id}/balance`)).body, { consumed: '20', expired: '30' });
  t.match(await get('stats', id), { current_month_cost: 20, total_cost: 20 });
});

t.test('an upgrade costs what it charges, and a period that is paid late costs its price', async (t) => {
  at('2025-07-11T00:00:00Z');
  for (const [id, credits] of [
    ['small', '31'],
    ['large', '620'],
  ] as const)
    await call('PUT', `/v1/plans/${id}`, {
      name: id,
      ...monthly,
      price: { credits },
      included: [],
      grace: { days: 5, quota: 'none' },
    });
  const id = await account({}, '500');
  await subscribe(id, 'small');
  at('2025-07-26T12:00:00Z');
  const change = { plan: 'large', when: 'now', reference: 'up' };
  const { body } = await call('POST', `/v1/accounts/${id}/subscription/change`, change);
  t.equal(body.charged, '295', 'half a month of the difference, up');
  t.match(await get('stats', id), { subscription_plan: 'large', current_month_cost: 326, total_cost: 326 });
  at('2025-08-12T00:00:00Z');
  t.match(await get('stats', id), { current_month_cost: 0, total_cost: 326 }, 'nothing is paid yet');
  await call('POST', `/v1/accounts/${id}/top-ups`, { credits: '900', source: 'test', reference: 'late' });
  t.match(await get('stats', id), { current_month_cost: 620, total_cost: 946 });
});

t.test('what has fallen due is told before it is written', async (t) => {
  at('2025-08-05T00:00:00Z');
  const id = await account();
  await subscribe(id, 'refunding');
  await use(id, { input_tokens: 60 });
  at('2025-09-06T00:00:00Z');
  const told = {
    current_month_cost: 310,
    current_month_tokens: 0,
    tokens_quota: 100,
    tokens_used: 0,
    tokens_remaining: 100,
    total_cost: 620,
  };
  t.match(await get('stats', id), told);
  await use(id, { input_tokens: 1 });
  t.match(await get('stats', id), { ...told, current_month_tokens: 1, tokens_used: 1, tokens_remaining: 99 });
});

t.test('only entries since the instant are read, and usage is summed by its token dimensions', async (t) => {
  at('2025-10-01T00:00:00Z');
  const id = await account();
  const parked = {
    id: 'parked',
    account: id,
    model: 'unknown',
    usage: { input_tokens: 1_000 },
    mode: 'record',
  };
  t.equal((await call('POST', '/v1/usage', parked)).status, 202);
  const usage = { input_tokens: 1, cached_input_tokens: 20, output_tokens: 300, video_seconds: 4.5 };
  const prices = Object.fromEntries(Object.keys(usage).map((name) => [name, { credits: '1', per: 1_000 }]));
  const book = { models: { wide: { prices, round_to: '0.000001' } } };
  t.equal((await call('PUT', '/v1/price-books/wide', book)).status, 201);
  await call('PATCH', `/v1/accounts/${id}`, { price_book: 'wide' });
  await use(id, usage, { model: 'wide' });
  t.match(await get('stats', id), { current_month_tokens: 321, current_month_cost: 0.3255 });
  t.match(await readSpent(reads, id, now), { since: 325_500n, ever: 325_500n, tokens: 321n });
  t.match(await readSpent(reads, id, now + 1), { since: 0n, ever: 325_500n, tokens: 0n });
  t.match(await readSpent(reads, 'nobody', now), { since: 0n, ever: 0n, tokens: 0n });
});

t.test('a quota is sufficient up to its threshold, then it is not', async (t) => {
  at('2025-11-01T00:00:00Z');
  const id = await account();
  const nothing = { quota_warning: false, message: 'You have no quota.' };
  t.strictSame(await get('quota-warning', id), nothing);
  await subscribePaid(id, 'plan-basic', '9.99');
  await use(id, { input_tokens: 79_999 });
  const enough = { quota_warning: false, message: 'Your quota is sufficient.' };
  t.strictSame(await get('quota-warning', id), enough);
  await use(id, { input_tokens: 1 });
  t.strictSame(await get('quota-warning', id), {
    quota_warning: true,
    message: 'You have used 80% of your quota of 100000 tokens until 2025-12-01T00:00:00.000Z.',
  });
  const alerts = (thresholds: object[]) =>
    call('PUT', `/v1/accounts/${id}/alerts`, { enabled: false, thresholds });
  await alerts([{ on: 'quota', percent: 90 }]);
  t.strictSame(await get('quota-warning', id), enough, 'by the own threshold');
  await alerts([{ on: 'quota', percent: 50 }]);
  t.match(await get('quota-warning', id), { quota_warning: true }, 'though nobody is told');
  await alerts([]);
  t.strictSame(await get('quota-warning', id), enough);
  await use(id, { input_tokens: 20_000 });
  t.strictSame(await get('quota-warning', id), {
    quota_warning: true,
    message: 'Your quota of 100000 tokens until 2025-12-01T00:00:00.000Z is used up.',
  });
  at('2025-12-02T00:00:00Z');
  t.strictSame(await get('quota-warning', id), nothing, 'nobody has paid for December');
});

t.test('of several quotas the fullest is told; without limit there is always enough', async (t) => {
  const id = await account();
  const lines = [included('calls', '10', 'period', 'm'), included('calls', '20', 'day', 'n')];
  await call('PUT', '/v1/plans/two', { name: 'Two', ...monthly, included: lines });
  await subscribe(id, 'two');
  await use(id, { calls: 1 });
  const calls = await get('quota-warning', id);
  t.match(calls, { quota_warning: false });
  for (let n = 0; n < 8; n++) await use(id, { calls: 1 });
  t.match(
    (await get('quota-warning', id)).message,
    /^You have used 90% of your quota of 10 calls of m until /,
  );
  const endless = await account();
  await call('PUT', '/v1/plans/endless', {
    name: 'Endless',
    ...monthly,
    included: [included('tokens', 'unlimited')],
  });
  await subscribe(endless, 'endless');
  t.strictSame(await get('quota-warning', endless), {
    quota_warning: false,
    message: 'Your quota is sufficient.',
  });
});

/** The document's own. */
const SETTINGS = {
  billing_email: 'billing@example.com',
  auto_topup: true,
  auto_topup_threshold: 10000,
  auto_topup_amount: 100.0,
  enable_alerts: true,
  alert_threshold: 50000,
};
const UNSET = {
  billing_email: null,
  auto_topup: false,
  auto_topup_threshold: 0,
  auto_topup_amount: 0,
  enable_alerts: true,
  alert_threshold: 0,
};

t.test('the settings of the document become an automatic top-up, warnings and an address', async (t) => {
  const id = await account({}, '90000');
  t.strictSame(await get('settings', id), UNSET);
  const key = await newKey(['manage'], id);
  const answer = await call('PUT', '/v1/billing/settings', SETTINGS, key);
  t.equal(answer.status, 200);
  t.strictSame(answer.body, SETTINGS);
  t.strictSame((await call('GET', '/v1/billing/settings', undefined, key)).body, SETTINGS);
  t.match((await call('GET', `/v1/accounts/${id}/auto-top-up`)).body, {
    enabled: true,
    threshold: '10000',
    amount: { amount: '100', currency: 'USD' },
    cool_off_seconds: 3600,
    daily_cap: 3,
  });
  t.match((await call('GET', `/v1/accounts/${id}/alerts`)).body, {
    enabled: true,
    email: 'billing@example.com',
    thresholds: [
      { on: 'balance', credits: '50000' },
      { on: 'quota', percent: 80 },
    ],
  });
});

t.test('what is left out stays, and what was read may be sent back', async (t) => {
  const id = await account();
  t.strictSame((await put(id, {})).body, UNSET);
  t.strictSame((await put(id, UNSET)).body, UNSET);
  t.match((await call('GET', `/v1/accounts/${id}/alerts`)).body, { by_default: true });
  t.equal((await call('GET', `/v1/accounts/${id}/auto-top-up`)).status, 404, 'nothing was set');
  const own = { enabled: true, threshold: '0.000001', cool_off_seconds: 60, daily_cap: 1 };
  const amount = { amount: '999999.123456789', currency: 'USD' };
  await call('PUT', `/v1/accounts/${id}/auto-top-up`, { ...own, amount });
  const thresholds = [
    { on: 'balance', credits: '10' },
    { on: 'balance', credits: '9' },
    { on: 'daily_spend', credits: '7' },
  ];
  await call('PUT', `/v1/accounts/${id}/alerts`, { thresholds, email: 'a@example.com' });
  const before = await get('settings', id);
  t.match(before, { auto_topup_threshold: 0.000001, alert_threshold: 10, billing_email: 'a@example.com' });
  const head = await ledger.store.head(`wallet-${id}`);
  t.strictSame((await put(id, before)).body, before);
  t.strictSame(await ledger.store.head(`wallet-${id}`), head, 'nothing was recorded');
  t.match((await put(id, { alert_threshold: 20 })).body, { ...before, alert_threshold: 20 });
  t.match((await call('GET', `/v1/accounts/${id}/alerts`)).body, {
    thresholds: [
      { on: 'balance', credits: '20' },
      { on: 'daily_spend', credits: '7' },
    ],
  });
  t.match((await put(id, { auto_topup_threshold: 5.5 })).body, {
    auto_topup: true,
    auto_topup_threshold: 5.5,
  });
  t.match((await call('GET', `/v1/accounts/${id}/auto-top-up`)).body, { ...own, threshold: '5.5', amount });
  const off = { auto_topup: false, enable_alerts: false, alert_threshold: 0, billing_email: null };
  t.match((await put(id, off)).body, { ...off, auto_topup_threshold: 5.5 });
  t.match((await call('GET', `/v1/accounts/${id}/alerts`)).body, {
    enabled: false,
    thresholds: [{ on: 'daily_spend', credits: '7' }],
    email: null,
  });
});

t.test('one that went off after refusals is shown as off, and is on again when it is set', async (t) => {
  const id = await account();
  await put(id, { auto_topup: true, auto_topup_threshold: 5000, auto_topup_amount: 10 });
  for (let n = 0; n < 3; n++) {
    const { open } = (await call('GET', `/v1/accounts/${id}/auto-top-up`)).body;
    const body = { result: 'declined', reference: `d${id}${n}` };
    t.equal((await call('POST', `/v1/accounts/${id}/auto-top-ups/${open.id}/result`, body)).status, 201);
    now += 3_600_000;
    await use(id, { calls: 1 });
  }
  t.match((await call('GET', `/v1/accounts/${id}/auto-top-up`)).body, { enabled: true, off: true });
  t.match(await get('settings', id), { auto_topup: false });
  t.match((await put(id, { auto_topup: true })).body, { auto_topup: true });
  t.match((await call('GET', `/v1/accounts/${id}/auto-top-up`)).body, { off: false });
});

t.test(
  'a currency that nothing is sold in is refused before anything is set, and may always be turned off',
  async (t) => {
    const rate = { credits: '10', currency: 'NOK' };
    await call('PUT', '/v1/packages/krone', { rate });
    const id = await account({ currency: 'NOK' });
    const settings = { auto_topup: true, auto_topup_threshold: 1, auto_topup_amount: 50, alert_threshold: 3 };
    t.match((await put(id, settings)).body, settings);
    t.match((await call('GET', `/v1/accounts/${id}/auto-top-up`)).body, {
      amount: { amount: '50', currency: 'NOK' },
    });
    await call('PUT', '/v1/packages/krone', { rate, active: false });
    const refused = await put(id, { auto_topup_amount: 60, alert_threshold: 4 });
    t.match(refused, { status: 422, body: { code: 'currency_not_offered' } });
    t.match(await get('settings', id), settings, 'nothing of it was set');
    t.match((await put(id, { auto_topup: false })).body, { auto_topup: false });
  },
);

t.test('settings that cannot be are refused, all faults at once', async (t) => {
  const id = await account();
  const bad = {
    billing_email: 'nobody',
    auto_topup_threshold: -1,
    auto_topup_amount: 1e-10,
    alert_threshold: 0.0000001,
  };
  const { status, body } = await put(id, bad);
  t.equal(status, 422);
  t.strictSame(body.errors.map(({ field }: { field: string }) => field).sort(), [
    'alert_threshold',
    'auto_topup_amount.amount',
    'auto_topup_threshold',
    'billing_email',
  ]);
  t.match(await put(id, { auto_topup: true }), {
    status: 422,
    body: { errors: [{ field: 'auto_topup_amount', rule: 'must be more than 0' }] },
  });
  t.equal((await put(id, { auto_topup_amount: 1e300 })).status, 422);
  for (const field of ['billing_address', 'tax_id', 'invoice_frequency', 'send_invoice_email', 'currency'])
    t.equal((await put(id, { [field]: 'x' })).status, 400, `${field} is not built`);
  t.strictSame(await get('settings', id), UNSET);
});

t.test('a coupon is applied as the document shows it', async (t) => {
  await call('PUT', '/v1/coupons/SAVE50', { percent: '50' });
  const id = await account();
  const key = await newKey(['manage'], id);
  const body = { coupon_code: 'SAVE50' };
  const answer = await call('POST', '/v1/billing/coupons/apply', body, key);
  t.equal(answer.status, 201);
  t.strictSame(answer.body, {
    message: 'coupon applied successfully',
    coupon: { code: 'SAVE50', type: 'percentage', value: 50 },
    discount: { type: 'percentage', value: 50, description: 'Save 50%' },
  });
  const again = await apply(id, 'save50');
  t.equal(again.status, 200);
  t.strictSame(again.body, answer.body);
  t.match((await call('GET', `/v1/accounts/${id}/coupons`)).body.data, [{ code: 'SAVE50', status: 'saved' }]);
});

t.test(
  'coupons of a fixed sum and of credits are told too, in their own words where they have some',
  async (t) => {
    const id = await account();
    await call('PUT', '/v1/coupons/TEN', { fixed: { amount: '10.50', currency: 'USD' } });
    const { body: fixed } = await apply(id, 'ten');
    t.match(fixed.coupon, { code: 'TEN', type: 'fixed', value: 10.5 });
    t.match(fixed.discount, { type: 'fixed', value: 10.5, description: 'Save 10.5 USD' });
    await call('PUT', '/v1/coupons/GIFT', { credits: '25', description: 'A gift' });
    const { body: gift } = await apply(id, 'GIFT');
    t.match(gift.coupon, { code: 'GIFT', type: 'credits', value: 25 });
    t.match(gift.discount, { type: 'credits', value: 25, description: 'A gift' });
    t.match((await call('GET', `/v1/accounts/${id}/balance`)).body, { available: '1025' });
    t.strictSame((await apply(id, 'GIFT')).body, gift);
    t.match((await call('GET', `/v1/accounts/${id}/balance`)).body, { available: '1025' }, 'once');
  },
);

t.test(
  'a code that is no coupon is refused, and guesses are counted with those of the other path',
  async (t) => {
    const id = await account();
    for (let n = 0; n < 5; n++) {
      t.match(await apply(id, `GUESS${n}`), { status: 404, body: { code: 'coupon_not_found' } });
      await call('POST', `/v1/accounts/${id}/coupons`, { code: `OTHER${n}` });
    }
    t.match(await apply(id, 'GUESS'), { status: 429, body: { code: 'too_many_attempts' } });
  },
);

t.test("a user's key names the account; any other key must", async (t) => {
  const [id, other] = [await account(), await account()];
  const owner = await newKey(['manage'], id);
  const service = await newKey(['read', 'usage']);
  const paths = ['stats', 'quota-warning', 'settings'].map((path) => `/v1/billing/${path}`);
  for (const path of paths) {
    t.equal((await call('GET', path, undefined, owner)).status, 200, path);
    t.equal((await call('GET', `${path}?account=${id}`, undefined, owner)).status, 200);
    for (const foreign of [other, 'nobody'])
      t.match(await call('GET', `${path}?account=${foreign}`, undefined, owner), { status: 403 });
    t.match(await call('GET', path, undefined, service), {
      status: 422,
      body: { errors: [{ field: 'account' }] },
    });
    t.equal((await call('GET', `${path}?account=${id}`, undefined, service)).status, 200);
    t.match(await call('GET', `${path}?account=nobody`, undefined, service), {
      status: 404,
      body: { code: 'account_not_found' },
    });
    t.equal((await call('GET', path, undefined, null)).status, 401);
  }
  t.equal((await call('PUT', `/v1/billing/settings?account=${other}`, SETTINGS, owner)).status, 403);
  t.equal((await call('PUT', '/v1/billing/settings', SETTINGS, service)).status, 422);
  t.strictSame(await get('settings', other), UNSET);
  const reader = await newKey(['read'], id);
  t.equal((await call('PUT', '/v1/billing/settings', SETTINGS, reader)).status, 403);
  const body = { coupon_code: 'SAVE50' };
  t.equal((await call('POST', '/v1/billing/coupons/apply', body, reader)).status, 403);
  t.equal((await call('POST', '/v1/billing/coupons/apply', body, service)).status, 422);
  t.equal((await call('POST', '/v1/billing/coupons/apply?account=nobody', body, service)).status, 404);
  t.equal((await call('GET', '/v1/billing/plans', undefined, reader)).status, 200);
  t.equal((await call('GET', '/v1/billing/plans', undefined, null)).status, 401);
  const named = await call('GET', `/v1/billing/plans?account=${id}`, undefined, reader);
  t.same(named.body, (await call('GET', '/v1/billing/plans')).body, 'the account may be named, as elsewhere');
  t.equal((await call('GET', '/v1/billing/plans?account=nobody', undefined, owner)).status, 403);
});

t.test(
  'of every account here what its entries say was spent is what its balance says was consumed',
  async (t) => {
    await ledger.projector.caughtUp();
    for (let n = 1; n <= made; n++) {
      const { since, ever } = await readSpent(reads, `user-${n}`, 0);
      t.equal(since, ever, `user-${n}`);
    }
  },
);

t.test('numbers at the edge are the nearest there are, and come back as they were written', async (t) => {
  t.equal(asNumber('0.1'), 0.1);
  t.equal(asNumber('999999999.999999'), 999999999.999999);
  t.equal(asNumber(9007199254740993n), 9007199254740992, 'ties to even');
  t.equal(fractionAsNumber({ n: 1n, d: 3n }), 1 / 3);
  t.equal(fractionAsNumber({ n: 2n, d: 100_000n }), 0.00002);
  const written: [number, string][] = [
    [100.0, '100'],
    [1e-7, '0.0000001'],
    [-1.5e-9, '-0.0000000015'],
    [1e21, '1000000000000000000000'],
    [1.25e25, '12500000000000000000000000'],
    [-0, '0'],
  ];
  for (const [value, text] of written) t.equal(decimalOf(value), text);
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = decimalOf(value);
      return /^-?\d+(\.\d+)?$/.test(text) && Number(text) === (value === 0 ? 0 : value);
    }),
  );
  // Credits of up to 15 digits survive both ways.
  fc.assert(
    fc.property(fc.bigInt(0n, 999_999_999_999_999n), (steps) => {
      const text = `${steps / 1_000_000n}.${(steps % 1_000_000n).toString().padStart(6, '0')}`;
      return decimalOf(asNumber(text)) === text.replace(/\.?0+$/, '');
    }),
  );
});
