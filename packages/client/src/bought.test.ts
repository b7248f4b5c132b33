/** What is bought, warned of and told to others, through the client, against a real ledger; with answers lost on the way. */
import t from 'tap';
import { MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
const { between } = served;
const client = served.client();
const { accounts, alerts, autoTopUp, coupons, credits, packages, purchases, referrals } = client;
const { testClock, usage, webhookDeliveries, webhookEndpoints } = client;
const usd = (amount: string) => ({ amount, currency: 'USD' });

await packages.publish('starter', { credits: '100', bonus: '10', price: usd('10') });
await packages.publish('free-amount', { rate: { credits: '10', currency: 'USD' } });
await coupons.publish('HALF', { percent: '50' });
await coupons.publish('GIFT', { credits: '7' });

let count = 0;
async function account(): Promise<string> {
  const id = `customer-${++count}`;
  await accounts.open({ id });
  return id;
}
const available = async (id: string): Promise<string> => (await accounts.balance(id)).available;

t.beforeEach(() => {
  between.requests.length = 0;
  between.mishaps.length = 0;
});

t.test('a purchase whose answers are lost is made, paid and credited once', async (t) => {
  const id = await account();
  between.mishaps.push('lose_answer', 'cut_answer');
  const order = { package: 'starter', reference: 'p-1' };
  const opened = await purchases.open(id, order);
  t.match(opened, { id: 'p-1', status: 'pending', credits: '100', bonus: '10', total: usd('10'), lots: [] });
  const tries = between.requests.filter(({ path }) => path.endsWith('/purchases'));
  t.equal(tries.length, 3, 'the third was answered');
  between.mishaps.push('lose_answer');
  const paid = await purchases.recordPayment(id, 'p-1', { paid: usd('10'), reference: 'charge-1' });
  t.match(paid, { applied: true, status: 'paid' });
  t.equal(await available(id), '110');
  t.same((await purchases.get(id, 'p-1')).lots, paid.lots);
  t.match((await purchases.list(id, { min_position: paid.position })).data, [{ id: 'p-1', status: 'paid' }]);
  await t.rejects(purchases.cancel(id, 'p-1'), { name: 'LedgerRefused', status: 409 });
  const other = await purchases.open(id, { amount: usd('5'), reference: 'p-2' });
  t.match(other, { credits: '50', bonus: '0', total: usd('5') });
  t.match(await purchases.cancel(id, 'p-2'), { id: 'p-2', status: 'canceled' });
});

t.test('a coupon is applied once, whatever its case, and forgotten where it waits', async (t) => {
  const id = await account();
  between.mishaps.push('lose_answer');
  t.match(await coupons.apply(id, 'gift'), { code: 'GIFT', status: 'granted', credits: '7' });
  t.equal(await available(id), '7');
  t.match(await coupons.apply(id, 'half'), { code: 'HALF', status: 'saved', percent: '50' });
  t.equal(await coupons.forget(id, 'HALF'), undefined);
  const { total } = await purchases.open(id, { package: 'starter', reference: 'p' });
  t.same(total, usd('10'), 'nothing is taken off');
  t.match((await coupons.ofAccount(id)).data, [{ code: 'GIFT', status: 'used' }]);
});

t.test('an account asks for its own top-up, and what came of it is told once', async (t) => {
  const id = await account();
  await t.rejects(autoTopUp.get(id), { code: 'not_found' });
  await credits.grant(id, { credits: '20', kind: 'promotion', reference: 'g' });
  const terms = { enabled: true, threshold: '15', amount: usd('3') };
  t.match(await autoTopUp.set(id, terms), { ...terms, cool_off_seconds: 3_600, daily_cap: 3, open: null });
  await usage.post({ account: id, model: MODEL, usage: { input_tokens: 10 } });
  const request = (await autoTopUp.get(id)).open?.id ?? '';
  between.mishaps.push('lose_answer');
  const result = { result: 'paid', paid: usd('3'), reference: 'charge-auto' } as const;
  t.match(await autoTopUp.recordResult(id, request, result), {
    id: request,
    result: 'paid',
    purchase: { credits: '30' },
  });
  t.equal(await available(id), '40');
});

t.test('the documented paths answer with numbers, of the account that the key names', async (t) => {
  const id = await account();
  await credits.grant(id, { credits: '20', kind: 'promotion', reference: 'g' });
  await usage.post({ account: id, model: MODEL, usage: { input_tokens: 3 } });
  const { key } = await client.apiKeys.create({ name: 'owner', scopes: ['manage'], account: id });
  const { billing } = served.client({ key });
  t.match(await billing.stats(), { current_month_cost: 3, current_month_tokens: 3, subscription_plan: null });
  t.same(await billing.plans(), [], 'none is sold here');
  t.match(await billing.quotaWarning(), { quota_warning: false });
  const change = { auto_topup: true, auto_topup_threshold: 2.5, auto_topup_amount: 4 };
  t.match(await billing.changeSettings(change), change);
  t.match(await billing.settings(), change);
  t.match(await billing.applyCoupon('gift'), { coupon: { code: 'GIFT', type: 'credits', value: 7 } });
  await t.rejects(billing.stats({ account: 'acme' }), { code: 'forbidden' });
  t.equal(await available(id), '24');
});

t.test('a referrer is named, and warnings are set and read', async (t) => {
  const [id, friend] = [await account(), await account()];
  t.same(await referrals.link(friend, id), { account: friend, referred_by: id });
  t.same((await referrals.list(id)).data, []);
  const thresholds = [{ on: 'balance', credits: '5' }] as const;
  const set = await alerts.set(id, { thresholds, email: 'owner@example.com' });
  t.match(set, { enabled: true, by_default: false, thresholds, email: 'owner@example.com' });
  await credits.grant(id, { credits: '6', kind: 'promotion', reference: 'g' });
  const item = { account: id, model: MODEL, usage: { input_tokens: 4 } };
  const { position } = await usage.post(item);
  const { data } = await alerts.raised(id, { min_position: position });
  t.match(data, [{ alert: 'balance', available: '2' }]);
  t.same((await alerts.get(id)).raised, data);
});

t.test(
  'what makes something new each time is tried once; everything else of webhooks is repeated',
  async (t) => {
    const endpoint = { url: 'http://127.0.0.1:1/hooks', events: ['*'], scope: 'owner' } as const;
    between.mishaps.push('lose_answer');
    await t.rejects(webhookEndpoints.create(endpoint), { name: 'LedgerUnreachable' });
    t.equal((await webhookEndpoints.list()).data.length, 1, 'one that nobody knows the secret of');
    const { id, secret } = await webhookEndpoints.create(endpoint);
    t.match(secret, /^whsec_/);
    t.match(await webhookEndpoints.change(id, { events: ['TopUp'] }), { id, events: ['TopUp'] });
    between.mishaps.push('lose_answer');
    await t.rejects(webhookEndpoints.rotateSecret(id), { name: 'LedgerUnreachable' });
    t.not((await webhookEndpoints.rotateSecret(id)).secret, secret);
    const { delivery, delivered } = await webhookEndpoints.test(id);
    t.equal(delivered, false, 'nobody listens there');
    t.match(await webhookDeliveries.get(delivery), { endpoint: id, type: 'test' });
    between.mishaps.push('lose_answer');
    t.match(await webhookDeliveries.replay(delivery), { id: delivery });
    t.match(await webhookEndpoints.replay(id, '0'), { endpoint: id, from: '0' });
    t.equal((await webhookDeliveries.list({ endpoint: id })).data.length, 1);
    between.mishaps.push('lose_answer');
    t.equal(await webhookEndpoints.delete(id), undefined);
    await t.rejects(webhookEndpoints.get(id), { code: 'webhook_endpoint_not_found' });
  },
);

t.test(
  'a clock that cannot be moved says so; by seconds it is asked once, to an instant until it answers',
  async (t) => {
    await t.rejects(testClock.get(), { code: 'test_clock_off' });
    between.requests.length = 0;
    between.mishaps.push('lose_request');
    await t.rejects(testClock.advance({ by_seconds: 60 }), { name: 'LedgerUnreachable' });
    t.equal(between.requests.length, 1);
    between.mishaps.push('lose_request');
    await t.rejects(testClock.advance({ to: '2099-01-01T00:00:00Z' }), { code: 'test_clock_off' });
    t.equal(between.requests.length, 3);
  },
);
