/**
 * The examples of the documents that the product was asked for in, step by step and to the credit, on the plans and
 * packages that a new ledger starts with.
 */
import t, { type Test } from 'tap';
import { booksAgree, DAY, startStory, until } from './ledger.ts';

const story = await startStory(t);
const { call, get, put, post, moveTo, now, open, available, list } = story;

const money = (amount: string, currency: string) => ({ amount, currency });
const usd = (amount: string) => money(amount, 'USD');

/** A period that is paid outside, as finance says. */
async function subscribe(t: Test, url: string, plan: string, paid: { amount: string; currency: string }) {
  const bought = await post(`${url}/subscription`, { plan, pay: 'external', reference: 'bought' });
  const { current_period_start: period_start } = bought.subscription;
  const payment = { period_start, result: 'paid', paid, reference: 'payment-1' };
  t.match(await post(`${url}/subscription/payments`, payment), {
    applied: true,
    subscription: { plan, status: 'active' },
  });
}

const videos = (account: string, id: string, calls: number) =>
  call('POST', '/v1/usage', { id, account, model: 'sora-2', usage: { calls } });
const tokens = (account: string, id: string, input_tokens: number, output_tokens: number) =>
  call('POST', '/v1/usage', { id, account, model: 'gpt-4', usage: { input_tokens, output_tokens } });

t.test('the mixed example: of 10 videos 8 are used, then 5 more, so 3 at 15 are 45', async (t) => {
  // Given a basic subscription for 99 a month, and 100 credits at one for each CNY
  const tom = await open('tom', '100');
  await subscribe(t, tom, 'video-basic', money('99', 'CNY'));
  // When he makes 8 videos
  for (let n = 1; n <= 8; n += 1) t.match((await videos('tom', `video-${n}`, 1)).body, { credits: '0' });
  t.match(await list(`${tom}/quotas`), [{ granted: '10', used: '8', remaining: '2' }]);
  t.equal(await available(tom), '100');
  // And then 5 more, which he may know of before
  const ahead = await post('/v1/authorize', { account: 'tom', model: 'sora-2', estimate: { calls: 5 } });
  t.match(ahead, { allowed: true, credits: '45', quota: [{ unit: 'calls', model: '*', amount: '2' }] });
  const more = [];
  for (let n = 9; n <= 13; n += 1) more.push((await videos('tom', `video-${n}`, 1)).body.credits);
  // Then 2 are in the plan, and 3 are paid for one by one
  t.same(more, ['0', '0', '15', '15', '15']);
  t.equal(await available(tom), '55');
  t.match(await list(`${tom}/quotas`), [{ used: '10', remaining: '0' }]);
});

t.test(
  'the same at once is the same; 10 a video beyond 50 of the larger plan; the largest has no end',
  async (t) => {
    const jerry = await open('jerry', '100');
    await subscribe(t, jerry, 'video-basic', money('99', 'CNY'));
    await videos('jerry', 'eight', 8);
    t.match((await videos('jerry', 'five', 5)).body, {
      credits: '45',
      quota: [{ unit: 'calls', model: '*', amount: '2' }],
    });
    const pro = await open('studio', '100');
    await subscribe(t, pro, 'video-pro', money('299', 'CNY'));
    t.match((await videos('studio', 'all', 53)).body, { credits: '30' });
    const company = await open('company');
    await subscribe(t, company, 'video-enterprise', money('999', 'CNY'));
    t.match((await videos('company', 'a-lot', 1_000_000)).body, { credits: '0' });
  },
);

t.test('free is 100 calls a month, from the first on again; 5,000 for $29; no end for $99', async (t) => {
  const firstOfMonth = (year: number, month: number): string => new Date(Date.UTC(year, month)).toISOString();
  const today = new Date(await now());
  const [year, month] = [today.getUTCFullYear(), today.getUTCMonth()];
  const free = await open('free');
  await post(`${free}/subscription`, { plan: 'free', pay: 'credits', reference: 'bought' });
  // Of this month there is the part that is left.
  await moveTo(firstOfMonth(year, month + 1));
  for (const next of [2, 3]) {
    t.match(await list(`${free}/quotas`), [{ granted: '100', remaining: '100' }]);
    t.equal((await videos('free', `all-${next}`, 100)).status, 201);
    const refused = await videos('free', `one-more-${next}`, 1);
    const resets_at = firstOfMonth(year, month + next);
    t.match(refused, { status: 402, body: { code: 'quota_exhausted', resets_at } });
    await moveTo(resets_at);
  }
  const pro = await open('pro');
  await subscribe(t, pro, 'pro', usd('29'));
  const enterprise = await open('enterprise');
  await subscribe(t, enterprise, 'enterprise', usd('99'));
  t.match(await list(`${enterprise}/quotas`), [{ granted: 'unlimited' }]);
  t.match(await list(`${pro}/quotas`), [{ unit: 'calls', model: '*' }]);
  t.match(await get('/v1/plans/pro'), { included: [{ unit: 'calls', amount: '5000', per: 'month' }] });
});

t.test('100 thousand, a million, ten million tokens a month, and their prices for more', async (t) => {
  for (const [plan, price, included, thousandMore] of [
    ['plan-basic', '9.99', 100_000, '2'],
    ['plan-pro', '99.99', 1_000_000, '15'],
    ['plan-enterprise', '999.99', 10_000_000, '10'],
  ] as const) {
    t.match(await get(`/v1/plans/${plan}`), { price: usd(price) });
    const url = await open(`of-${plan}`, '100');
    await subscribe(t, url, plan, usd(price));
    t.match(await list(`${url}/quotas`), [{ unit: 'tokens', granted: `${included}` }], plan);
    t.match((await tokens(`of-${plan}`, 'most', included - 1_000, 500)).body, { credits: '0' }, plan);
    // Half of what is left, and a thousand beyond it.
    t.match((await tokens(`of-${plan}`, 'rest', 500, 1_000)).body, { credits: thousandMore }, plan);
    t.equal(await available(url), `${100 - Number(thousandMore)}`, plan);
  }
});

t.test('the basic plan has 5 requests at a time, and 60 a minute', async (t) => {
  const url = await open('busy', '100');
  await subscribe(t, url, 'plan-basic', usd('9.99'));
  const authorize = (id: string) =>
    post('/v1/authorize', {
      account: 'busy',
      model: 'gpt-4',
      estimate: { input_tokens: 10 },
      hold: { id, expires_in: 600 },
    });
  for (let n = 1; n <= 5; n += 1) t.match(await authorize(`h${n}`), { allowed: true });
  const sixth = await authorize('h6');
  t.match(sixth, {
    allowed: false,
    reasons: ['too_many_concurrent'],
    limits: { concurrent: { limit: 5, open: 5 } },
  });
  await post(`${url}/holds/h1/void`);
  const allowed = [];
  for (let n = 7; n <= 65; n += 1) {
    const answer = await authorize(`h${n}`);
    allowed.push(answer.allowed);
    if (answer.allowed) await post(`${url}/holds/h${n}/void`);
    else t.match(answer.reasons, ['rate_limited']);
  }
  t.equal(allowed.filter(Boolean).length, 55, 'sixty with the first five; what was refused costs none');
});

t.test('a thousand tokens of GPT-4 are 5 credits, so fifteen hundred are 8', async (t) => {
  const prices = { input_tokens: { credits: '5', per: 1_000 }, output_tokens: { credits: '5', per: 1_000 } };
  await put('/v1/price-books/default', { models: { 'gpt-4': { prices } } });
  const alice = await open('alice', '12450');
  t.match((await tokens('alice', 'call', 1_000, 500)).body, { credits: '8' });
  t.equal(await available(alice), '12442');
});

t.test('packages: 1,000 for $10, 10,000 for $90, 100,000 for $800, and $100 give 11,000', async (t) => {
  const buyer = await open('buyer');
  for (const [reference, what, credits, total] of [
    ['p1', { package: 'starter' }, '1000', '10'],
    ['p2', { package: 'pro' }, '10000', '90'],
    ['p3', { package: 'enterprise' }, '100000', '800'],
    ['p4', { amount: usd('1') }, '100', '1'],
    ['p5', { amount: usd('100') }, '11000', '100'],
  ] as const) {
    const before = Number(await available(buyer));
    const pending = await post(`${buyer}/purchases`, { ...what, reference });
    t.match(pending, { status: 'pending', total: usd(total) });
    t.equal(Number(await available(buyer)), before, 'nothing before it is paid');
    await post(`${buyer}/purchases/${reference}/paid`, {
      paid: usd(total),
      reference: `charge-${reference}`,
    });
    t.equal(Number(await available(buyer)) - before, Number(credits), reference);
  }
  t.equal(await available(buyer), `${1_000 + 10_000 + 100_000 + 100 + 11_000}`);
});

t.test('SAVE50 takes half off, once, and is applied in the words of the document', async (t) => {
  await put('/v1/coupons/SAVE50', { percent: '50', description: 'Save 50%' });
  const url = await open('thrifty');
  const own = { name: 'of the user', scopes: ['read', 'manage'], account: 'thrifty' };
  const { key } = await post('/v1/api-keys', own);
  const applied = await call('POST', '/v1/billing/coupons/apply', { coupon_code: 'SAVE50' }, key);
  t.same(applied.body, {
    message: 'coupon applied successfully',
    coupon: { code: 'SAVE50', type: 'percentage', value: 50 },
    discount: { type: 'percentage', value: 50, description: 'Save 50%' },
  });
  const half = await post(`${url}/purchases`, { package: 'pro', reference: 'p1', paid: true });
  t.match(half, { status: 'paid', credits: '10000', discount: usd('45'), total: usd('45') });
  t.equal(await available(url), '10000');
  const again = await call('POST', `${url}/purchases`, { package: 'pro', reference: 'p2', coupon: 'SAVE50' });
  t.match(again, { status: 409, body: { code: 'coupon_already_used' } });
  t.match(await get('/v1/coupons/SAVE50'), { uses: 1 });
});

t.test('on the billing paths plans and figures have the numbers of the document', async (t) => {
  const { plans } = await get('/v1/billing/plans');
  const numbers = plans
    .filter(({ id }: { id: string }) => id.startsWith('plan-'))
    .map((plan: Record<string, unknown>) => [
      plan.id,
      plan.monthly_quota,
      plan.monthly_price,
      plan.extra_token_price,
    ]);
  t.same(numbers, [
    ['plan-basic', 100_000, 9.99, 0.00002],
    ['plan-pro', 1_000_000, 99.99, 0.00015],
    ['plan-enterprise', 10_000_000, 999.99, 0.0001],
  ]);
  const url = await open('user-123');
  await subscribe(t, url, 'plan-pro', usd('99.99'));
  const { key } = await post('/v1/api-keys', { name: 'own', scopes: ['read'], account: 'user-123' });
  const read = async (what: string) => (await call('GET', `/v1/billing/${what}`, undefined, key)).body;
  await tokens('user-123', 'some', 500_000, 250_000);
  t.match(await read('stats'), { tokens_quota: 1_000_000, tokens_used: 750_000, tokens_remaining: 250_000 });
  t.same(await read('quota-warning'), { quota_warning: false, message: 'Your quota is sufficient.' });
  await tokens('user-123', 'more', 25_000, 25_000);
  t.match(await read('quota-warning'), { quota_warning: true }, 'at 80 %');
});

t.test('whoever brings a friend gets a tenth of what the friend buys', async (t) => {
  const bob = await open('bob');
  const friend = await open('friend');
  await post(`${friend}/referral`, { referred_by: 'bob' });
  await post(`${friend}/purchases`, { amount: usd('100'), reference: 'p1', paid: true });
  t.equal(await available(friend), '11000');
  await until('it has accrued', async () => (await list(`${bob}/referrals`)).length > 0);
  // Of what was bought, not of the bonus; and not before a week is over.
  t.match(await list(`${bob}/referrals`), [{ from: 'friend', credits: '1000', status: 'pending' }]);
  t.equal(await available(bob), '0');
  await moveTo((await now()) + 8 * DAY);
  t.match(await list(`${bob}/referrals`), [{ from: 'friend', credits: '1000', status: 'granted' }]);
  t.equal(await available(bob), '1000');
});

t.test('the books agree', async (t) => booksAgree(t, story));
