/** Subscriptions and quotas through the client, against a real ledger: bought, used, changed, paid outside, ended. */
import t from 'tap';
import { MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
const client = served.client();
const { accounts, apiKeys, authorize, credits, quotas, subscriptions, usage } = client;
const { call } = served.ledger;

const included = (amount: string) => [{ unit: 'tokens', model: MODEL, amount, per: 'period' }];
const plan = { name: 'A plan', interval: 'month', overage: 'credits' };
const outside = { amount: '9', currency: 'EUR' };
await call('PUT', '/v1/plans/small', { ...plan, price: { credits: '10' }, included: included('100') });
await call('PUT', '/v1/plans/large', {
  ...plan,
  price: { credits: '30' },
  included: included('500'),
  rate_limit_per_minute: 2,
  max_concurrent_requests: 5,
  priority: 'high',
});
await call('PUT', '/v1/plans/outside', {
  ...plan,
  price: outside,
  included: [],
  grace: { days: 3, quota: 'none' },
});

async function funded(id: string): Promise<string> {
  await accounts.open({ id });
  await credits.topUp(id, { credits: '1000', source: 'test', reference: 'first' });
  return id;
}

t.test('a subscription is bought, used, changed and ended', async (t) => {
  const id = await funded('beta');
  t.equal(await subscriptions.get(id), null);
  const order = { plan: 'small', pay: 'credits', reference: 's1' } as const;
  const started = await subscriptions.start(id, order);
  t.match(started, { plan: 'small', status: 'active', next_charge: { credits: '10' } });
  t.strictSame(await subscriptions.start(id, order), started);
  t.strictSame(await subscriptions.get(id), started);
  const charged = await usage.post({ account: id, model: MODEL, usage: { input_tokens: 120 } });
  t.match(charged, { credits: '20', quota: [{ unit: 'tokens', model: MODEL, amount: '100' }] });
  t.match(await quotas.now(id), [{ granted: '100', used: '100', remaining: '0', source: 'plan' }]);
  const change = { plan: 'large', when: 'now' } as const;
  const preview = await subscriptions.preview(id, change);
  const changed = await subscriptions.change(id, { ...change, reference: 'c1' });
  t.match(changed, { credited: '0', subscription: { plan: 'large' } });
  t.equal(changed.charged, preview.charged);
  t.strictSame(await subscriptions.change(id, { ...change, reference: 'c1' }), changed);
  const ended = await subscriptions.cancel(id, { when: 'period_end', reference: 'e1' });
  t.equal(ended.subscription.cancel_at, started.current_period_end);
  t.match(await subscriptions.resume(id), { subscription: { cancel_at: null } });
  t.match(await subscriptions.cancel(id, { when: 'now', reference: 'e2' }), {
    subscription: { status: 'canceled' },
  });
  t.match((await subscriptions.list(id)).data, [{ plan: 'large', status: 'canceled' }]);
});

t.test('authorize tells of quotas, limits and priority', async (t) => {
  const id = await funded('gamma');
  await subscriptions.start(id, { plan: 'large', pay: 'credits', reference: 's1' });
  const asked = { account: id, model: MODEL, estimate: { input_tokens: 10 } };
  t.match(await authorize({ ...asked, hold: { id: 'h1', expires_in: 60 } }), {
    decidedBy: 'ledger',
    allowed: true,
    credits: '0',
    quota: [{ unit: 'tokens', model: MODEL, amount: '10' }],
    limits: { requests_per_minute: { limit: 2, remaining: 1 }, concurrent: { limit: 5, open: 1 } },
    priority: 'high',
  });
  t.match(await client.holds.extend(id, 'h1', { estimate: { input_tokens: 30 } }), {
    quota: [{ amount: '30' }],
  });
  await authorize(asked);
  const refused = await authorize(asked);
  t.match(refused, { decidedBy: 'ledger', allowed: false, reasons: ['rate_limited'] });
  t.ok('retry_after' in refused && (refused.retry_after ?? 0) > 0);
});

t.test('finance gives more for a time, and confirms what was paid outside', async (t) => {
  const id = await funded('delta');
  const expansion = {
    unit: 'calls',
    model: '*',
    amount: '5',
    expires_at: '2099-01-01T00:00:00Z',
    reason: 'a gift',
    reference: 'q1',
  } as const;
  const expanded = await quotas.expand(id, expansion);
  t.match(expanded, { quota: { granted: '5', source: 'expansion' } });
  t.strictSame(await quotas.expand(id, expansion), expanded);
  t.match((await quotas.list(id, { min_position: expanded.position })).data, [{ granted: '5' }]);
  const started = await subscriptions.start(id, { plan: 'outside', pay: 'external', reference: 's1' });
  t.match(started, { status: 'past_due', next_charge: null });
  const paid = await subscriptions.recordPayment(id, {
    period_start: started.current_period_start,
    result: 'paid',
    paid: outside,
    reference: 'p1',
  });
  t.match(paid, { applied: true, subscription: { status: 'active' } });
});

t.test('a key of the account itself manages it, and nothing else', async (t) => {
  const id = await funded('epsilon');
  const { key } = await apiKeys.create({ name: 'own', scopes: ['manage'], account: id });
  const own = served.client({ key });
  const order = { plan: 'small', pay: 'credits', reference: 's1' } as const;
  t.match(await own.subscriptions.start(id, order), { status: 'active' });
  await t.rejects(own.subscriptions.start('gamma', order), { code: 'forbidden' });
  await t.rejects(own.usage.post({ account: id, model: MODEL, usage: { input_tokens: 1 } }), {
    code: 'forbidden',
  });
});
