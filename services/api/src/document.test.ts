import t from 'tap';
import { type Document, faultOf } from './testing/document.ts';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call } = ledger;
const document = ledger.app.swagger() as unknown as Document;

t.test('the document is OpenAPI 3.1 and tells of every route of the API', async (t) => {
  const { body } = await call('GET', '/openapi.json', undefined, null);
  t.equal(body.openapi, '3.1.0');
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.same(told.sort(), [
    'DELETE /v1/accounts/{id}/coupons/{code}',
    'DELETE /v1/api-keys/{id}',
    'DELETE /v1/webhook-endpoints/{id}',
    'GET /health/live',
    'GET /health/ready',
    'GET /v1/accounts',
    'GET /v1/accounts/{id}',
    'GET /v1/accounts/{id}/alerts',
    'GET /v1/accounts/{id}/alerts/raised',
    'GET /v1/accounts/{id}/auto-top-up',
    'GET /v1/accounts/{id}/balance',
    'GET /v1/accounts/{id}/coupons',
    'GET /v1/accounts/{id}/explain',
    'GET /v1/accounts/{id}/holds',
    'GET /v1/accounts/{id}/holds/{hold}',
    'GET /v1/accounts/{id}/lots',
    'GET /v1/accounts/{id}/purchases',
    'GET /v1/accounts/{id}/purchases/{purchase}',
    'GET /v1/accounts/{id}/quotas',
    'GET /v1/accounts/{id}/referrals',
    'GET /v1/accounts/{id}/statement',
    'GET /v1/accounts/{id}/subscription',
    'GET /v1/accounts/{id}/subscriptions',
    'GET /v1/accounts/{id}/usage',
    'GET /v1/accounts/{id}/usage/{usage_id}',
    'GET /v1/api-keys',
    'GET /v1/billing/plans',
    'GET /v1/billing/quota-warning',
    'GET /v1/billing/settings',
    'GET /v1/billing/stats',
    'GET /v1/coupons',
    'GET /v1/coupons/{code}',
    'GET /v1/entries/{entry_id}',
    'GET /v1/packages',
    'GET /v1/packages/{id}',
    'GET /v1/plans',
    'GET /v1/plans/{id}',
    'GET /v1/price-books/{name}',
    'GET /v1/receipts/{entry_id}',
    'GET /v1/seals',
    'GET /v1/test-clock',
    'GET /v1/trial-balance',
    'GET /v1/usage',
    'GET /v1/webhook-deliveries',
    'GET /v1/webhook-deliveries/{id}',
    'GET /v1/webhook-endpoints',
    'GET /v1/webhook-endpoints/{id}',
    'PATCH /v1/accounts/{id}',
    'PATCH /v1/webhook-endpoints/{id}',
    'POST /v1/accounts',
    'POST /v1/accounts/{id}/adjustments',
    'POST /v1/accounts/{id}/auto-top-ups/{request}/result',
    'POST /v1/accounts/{id}/coupons',
    'POST /v1/accounts/{id}/entries/{entry_id}/reversal',
    'POST /v1/accounts/{id}/freeze',
    'POST /v1/accounts/{id}/grants',
    'POST /v1/accounts/{id}/holds/{hold}/extend',
    'POST /v1/accounts/{id}/holds/{hold}/settle',
    'POST /v1/accounts/{id}/holds/{hold}/void',
    'POST /v1/accounts/{id}/purchases',
    'POST /v1/accounts/{id}/purchases/{purchase}/cancel',
    'POST /v1/accounts/{id}/purchases/{purchase}/paid',
    'POST /v1/accounts/{id}/quotas',
    'POST /v1/accounts/{id}/referral',
    'POST /v1/accounts/{id}/subscription',
    'POST /v1/accounts/{id}/subscription/cancel',
    'POST /v1/accounts/{id}/subscription/change',
    'POST /v1/accounts/{id}/subscription/payments',
    'POST /v1/accounts/{id}/subscription/preview',
    'POST /v1/accounts/{id}/subscription/resume',
    'POST /v1/accounts/{id}/top-ups',
    'POST /v1/accounts/{id}/unfreeze',
    'POST /v1/accounts/{id}/usage/{usage_id}/reprice',
    'POST /v1/api-keys',
    'POST /v1/authorize',
    'POST /v1/billing/coupons/apply',
    'POST /v1/quotes',
    'POST /v1/test-clock/advance',
    'POST /v1/usage',
    'POST /v1/webhook-deliveries/{id}/replay',
    'POST /v1/webhook-endpoints',
    'POST /v1/webhook-endpoints/{id}/replay',
    'POST /v1/webhook-endpoints/{id}/rotate-secret',
    'POST /v1/webhook-endpoints/{id}/test',
    'PUT /v1/accounts/{id}/alerts',
    'PUT /v1/accounts/{id}/auto-top-up',
    'PUT /v1/billing/settings',
    'PUT /v1/coupons/{code}',
    'PUT /v1/packages/{id}',
    'PUT /v1/plans/{id}',
    'PUT /v1/price-books/{name}',
  ]);
});

t.test('every route tells of its success and of its problems', async (t) => {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { responses, summary }] of Object.entries(methods)) {
      t.ok(summary, `${method} ${path} has a summary`);
      for (const { description } of Object.values(responses)) {
        t.ok(description && description !== 'Default Response', `${method} ${path} ${description}`);
      }
      t.ok(
        Object.keys(responses).some((status) => status.startsWith('2')),
        `${method} ${path}`,
      );
      if (path.startsWith('/v1/')) {
        t.ok(responses['4XX']?.content?.['application/problem+json'], `${method} ${path} 4XX`);
        t.ok(responses['5XX']?.content?.['application/problem+json'], `${method} ${path} 5XX`);
      }
    }
  }
});

t.test('an answer with a member that its schema does not name is noticed', async (t) => {
  const seen = {
    method: 'GET',
    path: '/health/live',
    status: 200,
    type: 'application/json',
    body: { status: 'live' },
  };
  t.equal(faultOf(document, seen), null);
  t.ok(faultOf(document, { ...seen, body: { status: 'live', cost: '1' } }));
  t.ok(faultOf(document, { ...seen, body: { status: 'dead' } }));
  t.ok(faultOf(document, { ...seen, status: 418 }));
  const charged = { ...seen, method: 'POST', path: '/v1/usage', status: 201 };
  t.ok(faultOf(document, { ...charged, body: { id: 'u' } }));
});

t.test('the reference page loads nothing from anywhere else', async (t) => {
  const page = await call('GET', '/docs/', undefined, null);
  t.equal(page.status, 200);
  t.match(page.text, '<title>Tallystick</title>');
  t.notMatch(page.text, /(src|href)="(https?:)?\/\//);
});

t.test('metrics tell of every route by its pattern', async (t) => {
  await call('POST', '/v1/accounts', { id: 'acme' });
  await call('GET', '/v1/accounts/acme/balance');
  const { text, status } = await call('GET', '/metrics');
  t.equal(status, 200);
  t.match(
    text,
    /tallystick_http_request_seconds_count\{method="GET",route="\/v1\/accounts\/:id\/balance",status="200"\} 1/,
  );
  t.match(text, /tallystick_runner_appends_total [1-9]/);
});
