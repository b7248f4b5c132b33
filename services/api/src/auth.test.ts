import { followCatalogue } from '@tallystick/connect';
import { SCOPES, type Scope } from '@tallystick/domain';
import { StoreUnavailable } from '@tallystick/event-store';
import t from 'tap';
import { ensureAdminKey } from './admin-key.ts';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;
await call('POST', '/v1/accounts', { id: 'acme' });
await call('POST', '/v1/accounts', { id: 'other' });
await call('POST', '/v1/accounts', { id: 'friend' });

type Method = Parameters<typeof call>[0];
const PLAN = { name: 'Basic', price: { credits: '0' }, interval: 'month', included: [], overage: 'credits' };
/** One call of each kind, and the scopes that suffice for it. Admin suffices always. */
const CALLS: readonly [method: Method, url: string, body: unknown, scopes: readonly Scope[]][] = [
  ['POST', '/v1/accounts', { id: 'x' }, ['finance']],
  ['PATCH', '/v1/accounts/acme', { name: 'A' }, ['finance']],
  ['POST', '/v1/accounts/acme/freeze', { reason: 'r', reference: 'f' }, ['finance']],
  ['POST', '/v1/accounts/acme/unfreeze', { reference: 'f' }, ['finance']],
  ['GET', '/v1/accounts', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/balance', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/lots', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/explain', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/balance?as_of=1', undefined, ['read', 'finance']],
  ['GET', '/v1/trial-balance?as_of=1', undefined, ['finance']],
  ['GET', '/v1/accounts/acme/holds', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/holds/h', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/statement', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/usage', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/usage/u', undefined, ['read', 'finance']],
  ['GET', '/v1/usage?status=unpriced', undefined, ['read', 'finance']],
  [
    'PUT',
    '/v1/price-books/default',
    { models: { m: { prices: { calls: { credits: '1', per: 1 } } } } },
    ['finance'],
  ],
  ['GET', '/v1/price-books/default', undefined, ['finance']],
  ['PUT', '/v1/plans/basic', PLAN, []],
  ['GET', '/v1/plans', undefined, ['usage', 'read', 'finance']],
  ['GET', '/v1/plans/basic', undefined, ['usage', 'read', 'finance']],
  ['PUT', '/v1/packages/starter', { credits: '1', price: { amount: '1', currency: 'USD' } }, []],
  ['GET', '/v1/packages', undefined, ['usage', 'read', 'finance']],
  ['GET', '/v1/packages/starter', undefined, ['usage', 'read', 'finance']],
  ['PUT', '/v1/coupons/SAVE10', { percent: '10' }, []],
  ['GET', '/v1/coupons', undefined, []],
  ['GET', '/v1/coupons/SAVE10', undefined, []],
  ['POST', '/v1/accounts/acme/coupons', { code: 'SAVE10' }, ['usage', 'manage']],
  ['GET', '/v1/accounts/acme/coupons', undefined, ['read', 'finance']],
  ['DELETE', '/v1/accounts/acme/coupons/SAVE10', undefined, ['usage', 'manage']],
  [
    'POST',
    '/v1/accounts/acme/purchases',
    { package: 'starter', reference: 'b' },
    ['usage', 'manage', 'finance'],
  ],
  ['POST', '/v1/accounts/acme/purchases', { package: 'starter', reference: 'paid', paid: true }, ['finance']],
  ['GET', '/v1/accounts/acme/purchases', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/purchases/b', undefined, ['read', 'finance']],
  [
    'POST',
    '/v1/accounts/acme/purchases/b/paid',
    { paid: { amount: '1', currency: 'USD' }, reference: 'x' },
    ['finance'],
  ],
  ['POST', '/v1/accounts/acme/purchases/b/cancel', undefined, ['usage', 'manage', 'finance']],
  ['POST', '/v1/accounts/acme/referral', { referred_by: 'friend' }, ['usage', 'manage']],
  ['GET', '/v1/accounts/acme/referrals', undefined, ['read', 'finance']],
  [
    'PUT',
    '/v1/accounts/acme/auto-top-up',
    { enabled: true, threshold: '1', amount: { amount: '1', currency: 'USD' } },
    ['usage', 'manage'],
  ],
  ['GET', '/v1/accounts/acme/auto-top-up', undefined, ['read', 'finance']],
  [
    'POST',
    '/v1/accounts/acme/auto-top-ups/a/result',
    { result: 'paid', paid: { amount: '1', currency: 'USD' }, reference: 'y' },
    ['finance'],
  ],
  ['PUT', '/v1/accounts/acme/alerts', { thresholds: [] }, ['usage', 'manage']],
  ['GET', '/v1/accounts/acme/alerts', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/alerts/raised', undefined, ['read', 'finance']],
  ['POST', '/v1/accounts/acme/top-ups', { credits: '1', source: 's', reference: 'r' }, ['finance']],
  ['POST', '/v1/accounts/acme/grants', { credits: '1', kind: 'k', reference: 'r' }, ['finance']],
  ['POST', '/v1/accounts/acme/adjustments', { credits: '1', reason: 'x', reference: 'r' }, ['finance']],
  ['POST', '/v1/accounts/acme/entries/wallet-acme:1/reversal', { reason: 'x' }, ['finance']],
  ['POST', '/v1/accounts/acme/usage/u/reprice', undefined, ['finance']],
  ['POST', '/v1/usage', { id: 'u', account: 'acme', model: 'm', usage: { calls: 1 } }, ['usage']],
  ['POST', '/v1/authorize', { account: 'acme', model: 'm', estimate: { calls: 1 } }, ['usage']],
  ['POST', '/v1/accounts/acme/holds/h/settle', { usage: { calls: 1 } }, ['usage']],
  ['POST', '/v1/accounts/acme/holds/h/void', undefined, ['usage']],
  ['POST', '/v1/accounts/acme/holds/h/extend', { expires_in: 1 }, ['usage']],
  ['POST', '/v1/quotes', { model: 'm', usage: { calls: 1 } }, ['usage', 'read', 'finance']],
  [
    'POST',
    '/v1/accounts/acme/subscription',
    { plan: 'basic', pay: 'credits', reference: 's' },
    ['usage', 'manage'],
  ],
  ['GET', '/v1/accounts/acme/subscription', undefined, ['read', 'finance']],
  ['GET', '/v1/accounts/acme/subscriptions', undefined, ['read', 'finance']],
  [
    'POST',
    '/v1/accounts/acme/subscription/preview',
    { plan: 'basic', when: 'period_end' },
    ['usage', 'manage'],
  ],
  [
    'POST',
    '/v1/accounts/acme/subscription/change',
    { plan: 'basic', when: 'period_end', reference: 'c' },
    ['usage', 'manage'],
  ],
  ['POST', '/v1/accounts/acme/subscription/resume', undefined, ['usage', 'manage']],
  [
    'POST',
    '/v1/accounts/acme/subscription/cancel',
    { when: 'period_end', reference: 'e' },
    ['usage', 'manage'],
  ],
  [
    'POST',
    '/v1/accounts/acme/subscription/payments',
    { period_start: '2026-01-01T00:00:00Z', result: 'failed', reference: 'p' },
    ['finance'],
  ],
  ['GET', '/v1/accounts/acme/quotas', undefined, ['read', 'finance']],
  [
    'POST',
    '/v1/accounts/acme/quotas',
    {
      unit: 'calls',
      model: '*',
      amount: '1',
      expires_at: '2099-01-01T00:00:00Z',
      reason: 'x',
      reference: 'q',
    },
    ['finance'],
  ],
  ['GET', '/v1/billing/stats?account=acme', undefined, ['read', 'finance']],
  ['GET', '/v1/billing/plans', undefined, ['usage', 'read', 'finance']],
  ['GET', '/v1/billing/quota-warning?account=acme', undefined, ['read', 'finance']],
  ['GET', '/v1/billing/settings?account=acme', undefined, ['read', 'finance']],
  ['PUT', '/v1/billing/settings?account=acme', { alert_threshold: 1 }, ['usage', 'manage']],
  ['POST', '/v1/billing/coupons/apply?account=acme', { coupon_code: 'SAVE10' }, ['usage', 'manage']],
  ['GET', '/v1/entries/wallet-acme:1', undefined, ['finance']],
  ['GET', '/v1/trial-balance', undefined, ['finance']],
  ['GET', '/v1/receipts/wallet-acme:1', undefined, ['read', 'finance']],
  ['GET', '/v1/seals', undefined, ['read', 'finance']],
  ['GET', '/v1/test-clock', undefined, ['read', 'finance']],
  ['POST', '/v1/test-clock/advance', { by_seconds: 1 }, []],
  ['POST', '/v1/api-keys', { name: 'k', scopes: ['read'] }, []],
  ['GET', '/v1/api-keys', undefined, []],
  ['DELETE', '/v1/api-keys/none', undefined, []],
  ['POST', '/v1/webhook-endpoints', { url: 'https://example.com/', events: ['*'], scope: 'owner' }, []],
  ['GET', '/v1/webhook-endpoints', undefined, []],
  ['GET', '/v1/webhook-endpoints/e', undefined, []],
  ['PATCH', '/v1/webhook-endpoints/e', {}, []],
  ['DELETE', '/v1/webhook-endpoints/e', undefined, []],
  ['POST', '/v1/webhook-endpoints/e/rotate-secret', undefined, []],
  ['POST', '/v1/webhook-endpoints/e/test', undefined, []],
  ['POST', '/v1/webhook-endpoints/e/replay', { from: '0' }, []],
  ['GET', '/v1/webhook-deliveries', undefined, []],
  ['GET', '/v1/webhook-deliveries/d', undefined, []],
  ['POST', '/v1/webhook-deliveries/d/replay', undefined, []],
  ['GET', '/metrics', undefined, ['read', 'finance']],
];

const pathOf = (url: string): string => url.split('?', 1)[0] ?? '';
const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);

t.test('every route of the document is in the table above', async (t) => {
  const { paths } = ledger.app.swagger() as { paths: Record<string, object> };
  const told = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((name) => [name, path]),
  );
  for (const [method, path] of told) {
    if (path?.startsWith('/health/')) continue;
    const pattern = patternOf(path ?? '');
    const found = CALLS.some(([name, url]) => name.toLowerCase() === method && pattern.test(pathOf(url)));
    t.ok(found, `${method} ${path}`);
  }
});

t.test('each scope allows what it says and nothing else', async (t) => {
  for (const scope of SCOPES) {
    const key = await newKey([scope]);
    for (const [method, url, body, scopes] of CALLS) {
      const { status } = await call(method, url, body, key);
      // Whoever manages an account reads it, too.
      const may = scopes.includes(scope) || (scope === 'manage' && scopes.includes('read'));
      if (scope === 'admin' || may) t.not(status, 403, `${scope} may ${method} ${url}`);
      else t.equal(status, 403, `${scope} may not ${method} ${url}`);
      t.not(status, 401);
      t.not(status, 500);
    }
  }
});

t.test('without a key, with a wrong one or a torn one, everything is 401', async (t) => {
  const torn = ledger.adminKey.slice(0, -1);
  const swapped = ledger.adminKey.replace('tally_admin_', 'tally_admin_x');
  for (const key of [null, 'nonsense', torn, swapped, 'tally_none_AAAA']) {
    for (const [method, url, body] of CALLS) {
      const answer = await call(method, url, body, key);
      t.equal(answer.status, 401, `${method} ${url}`);
      t.equal(answer.body.code, 'unauthorized');
    }
  }
});

t.test('what tells how to call needs no key', async (t) => {
  for (const url of ['/health/live', '/health/ready', '/openapi.json', '/docs', '/docs/']) {
    const { status } = await call('GET', url, undefined, null);
    t.ok(status < 400, `${url} ${status}`);
  }
});

/** What is everybody's: it names nobody, or no account in its path. */
const EVERYBODYS: readonly (readonly [Method, RegExp])[] = [
  ['GET', /^\/v1\/(seals|plans|packages|billing\/plans)/],
  ['POST', /^\/v1\/quotes$/],
];
/** Where an account is named, and a key of that account may be let in. */
const OWN = /^\/v1\/(accounts\/acme\b|receipts\/wallet-acme:|billing\/.*\?account=acme$)/;

/** Said here once more, by the table alone: a key of `acme` with these scopes may make this call for `account`. */
function boundKeyMay(keyScopes: readonly Scope[], call: (typeof CALLS)[number], account: string): boolean {
  const [method, url, , scopes] = call;
  if (EVERYBODYS.some(([name, pattern]) => name === method && pattern.test(pathOf(url)))) return true;
  const held = keyScopes.includes('manage') ? [...keyScopes, 'read'] : keyScopes;
  return OWN.test(url) && account === 'acme' && scopes.some((scope) => held.includes(scope));
}

const BOUND: readonly (readonly Scope[])[] = [['read'], ['manage'], ['read', 'manage']];

t.test('a key of an account acts on that account alone, whether another exists or not', async (t) => {
  const before = await ledger.store.head('wallet-other');
  for (const scopes of BOUND) {
    const key = await newKey(scopes, 'acme');
    for (const row of CALLS) {
      const [method, url, body] = row;
      for (const account of ['acme', 'other', 'nobody']) {
        const target = url.replace('acme', account);
        const { status } = await call(method, target, body, key);
        const may = boundKeyMay(scopes, row, account);
        if (may) t.not(status, 403, `${scopes} of acme may ${method} ${target}`);
        else t.equal(status, 403, `${scopes} of acme may not ${method} ${target}`);
      }
    }
  }
  t.same(await ledger.store.head('wallet-other'), before, 'nothing has happened to the other account');
});

t.test('a key of an account does not reach what merely has the same name', async (t) => {
  const key = await newKey(['read', 'manage'], 'acme');
  const { paths } = ledger.app.swagger() as { paths: Record<string, object> };
  let tried = 0;
  for (const [path, methods] of Object.entries(paths)) {
    if (!path.includes('{') || path.startsWith('/v1/accounts/{id}')) continue;
    const url = path.replaceAll(/\{[^}]+\}/g, 'acme');
    for (const name of Object.keys(methods)) {
      const method = name.toUpperCase() as Method;
      if (EVERYBODYS.some(([open, pattern]) => open === method && pattern.test(url))) continue;
      const body = CALLS.find(([one, other]) => one === method && patternOf(path).test(pathOf(other)))?.[2];
      t.equal((await call(method, url, body, key)).status, 403, `${method} ${url}`);
      tried += 1;
    }
  }
  t.ok(tried >= 15, `${tried} were tried`);
});

t.test('however the other account is written, a key of an account does not get there', async (t) => {
  const headers = { authorization: `Bearer ${await newKey(['read', 'manage'], 'acme')}` };
  for (const written of [
    '%6fther',
    'other%00',
    'acme/../other',
    'acme%2F..%2Fother',
    '/other',
    'ACME',
    './other',
  ])
    for (const rest of ['', '/balance', '/subscription', '/purchases']) {
      const url = `/v1/accounts/${written}${rest}`;
      const { statusCode, payload } = await ledger.app.inject({ url, headers });
      t.ok(statusCode >= 400 && statusCode < 500, `${statusCode} ${url}`);
      t.notMatch(payload, '"other"', url);
    }
  const query = await ledger.app.inject({ url: '/v1/accounts/acme?id=other&account=other', headers });
  t.notMatch(query.payload, '"other"');
});

t.test('a HEAD asks for what its GET does', async (t) => {
  const key = await newKey(['read'], 'acme');
  for (const [method, url] of CALLS) {
    if (method !== 'GET') continue;
    const head = (authorization: string | null) =>
      ledger.app.inject({ method: 'HEAD', url, headers: authorization === null ? {} : { authorization } });
    t.equal((await head(null)).statusCode, 401, url);
    const [theirs, got] = [await head(`Bearer ${key}`), await call('GET', url, undefined, key)];
    t.equal(theirs.statusCode === 403, got.status === 403, url);
  }
});

t.test('what is for every account is not given to a key of one', async (t) => {
  for (const scope of ['usage', 'finance', 'admin'] as const)
    for (const scopes of [[scope], ['read', scope], ['manage', scope]]) {
      const made = await call('POST', '/v1/api-keys', { name: 'k', scopes, account: 'acme' });
      t.equal(made.status, 422, `${scopes} is for every account`);
    }
});

t.test('an owner who makes every call comes by no credit, no quota and no paid purchase', async (t) => {
  for (const id of ['poor', 'rich']) await call('POST', '/v1/accounts', { id });
  await call('PUT', '/v1/plans/dear', {
    ...PLAN,
    price: { credits: '100' },
    included: [{ unit: 'calls', model: '*', amount: '9', per: 'period' }],
  });
  const key = await newKey(['read', 'manage'], 'poor');
  for (const [method, url, body] of CALLS)
    await call(
      method,
      url.replace('acme', 'poor'),
      JSON.parse(JSON.stringify(body ?? null).replaceAll('"basic"', '"dear"')) ?? undefined,
      key,
    );
  const own = (list: string) => call('GET', `/v1/accounts/poor/${list}`);
  t.match((await own('balance')).body, { available: '0', held: '0', granted: '0', adjusted: '0' });
  t.same((await own('lots')).body.data, []);
  t.same((await own('quotas')).body.data, []);
  const bought = (await own('purchases')).body.data;
  t.ok(bought.length > 0, 'buying is theirs');
  t.notOk(
    bought.some(({ status }: { status: string }) => status === 'paid'),
    'that money has come is not theirs to say',
  );
});

t.test('a route that is not for keys of one account says so, whatever their scopes', async (t) => {
  const own = await newKey(['manage'], 'acme');
  const detail = 'Not with a key of one account.';
  for (const [method, url, body] of [
    ['GET', '/v1/accounts', undefined],
    ['GET', '/v1/trial-balance', undefined],
    ['POST', '/v1/accounts/acme/top-ups', { credits: '1', source: 's', reference: 'r' }],
    ['POST', '/v1/accounts/acme/purchases', { package: 'p', reference: 'r', paid: true }],
  ] as const) {
    const answer = await call(method, url, body, own);
    t.match(answer, { status: 403, body: { code: 'forbidden', detail } }, `${method} ${url}`);
  }
  const other = await call('GET', '/v1/accounts/globex', undefined, own);
  t.notOk('detail' in other.body, 'of other accounts nothing is told');
  const wrong = await call('GET', '/v1/trial-balance', undefined, await newKey(['read']));
  t.match(wrong.body, { code: 'forbidden', required_scopes: ['finance'], detail: undefined });
});

t.test('that money has come only finance says, with a key of no account', async (t) => {
  const paid = { package: 'starter', paid: true };
  for (const scopes of [['usage'], ['manage'], ['usage', 'manage'], ['read']] as const) {
    const key = await newKey(scopes);
    const reference = `by-${scopes.join('-')}`;
    const { status } = await call('POST', '/v1/accounts/acme/purchases', { ...paid, reference }, key);
    t.equal(status, 403, `${scopes}`);
    t.equal((await call('GET', `/v1/accounts/acme/purchases/${reference}`)).status, 404);
  }
  const finance = await newKey(['finance']);
  const made = await call(
    'POST',
    '/v1/accounts/acme/purchases',
    { ...paid, reference: 'by-finance' },
    finance,
  );
  t.match(made, { status: 201, body: { status: 'paid' } });
  const owner = await newKey(['manage'], 'acme');
  const again = await call(
    'POST',
    '/v1/accounts/acme/purchases',
    { ...paid, reference: 'by-finance' },
    owner,
  );
  t.equal(again.status, 403, 'nor is it said again to an owner');
});

t.test('where no account is named it is that of the key, and a key of none must name one', async (t) => {
  const [owner, service] = [await newKey(['manage'], 'acme'), await newKey(['usage', 'read'])];
  const rows = CALLS.filter(([, url]) => url.includes('?account='));
  t.ok(rows.length >= 5);
  for (const [method, url, body] of rows) {
    const { status } = await call(method, pathOf(url), body, owner);
    t.ok(status < 300 || status === 409, `${status} ${method} ${url}`);
    t.equal((await call(method, pathOf(url), body, service)).status, 422, `${method} ${url}`);
  }
});

t.test('a key of an account has a price quoted for no other', async (t) => {
  const key = await newKey(['read'], 'acme');
  const quote = { model: 'm', usage: { calls: 1 } };
  t.equal((await call('POST', '/v1/quotes', { ...quote, account: 'other' }, key)).status, 403);
  t.equal((await call('POST', '/v1/quotes', { ...quote, account: 'nobody' }, key)).status, 403);
  t.not((await call('POST', '/v1/quotes', { ...quote, account: 'acme' }, key)).status, 403);
});

t.test('a revoked key is refused at once here and within the second elsewhere', async (t) => {
  const elsewhere = followCatalogue({ store: ledger.store });
  t.teardown(() => elsewhere.close());
  const { body } = await call('POST', '/v1/api-keys', { name: 'short', scopes: ['read'] });
  t.match(body.key, /^tally_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  t.equal((await call('GET', '/v1/accounts', undefined, body.key)).status, 200);
  const revoked = await call('DELETE', `/v1/api-keys/${body.id}`);
  t.equal(revoked.status, 204);
  t.equal((await call('GET', '/v1/accounts', undefined, body.key)).status, 401);
  await elsewhere.fresh();
  t.ok(elsewhere.keys.get(body.id)?.revokedAt);
  t.equal((await call('DELETE', `/v1/api-keys/${body.id}`)).status, 204, 'twice is once');
});

t.test('keys are listed without anything of their secrets, which are stored nowhere', async (t) => {
  const { body } = await call('POST', '/v1/api-keys', { name: 'secretive', scopes: ['usage'] });
  const listed = await call('GET', `/v1/api-keys?page_size=500`);
  const ahead = await call('GET', `/v1/api-keys?min_position=9${'0'.repeat(17)}`);
  t.equal(ahead.body.code, 'projection_behind', 'the list can wait for a position as other lists do');
  t.equal(listed.status, 200);
  t.notOk(listed.text.includes(body.key), 'not here');
  t.ok(listed.body.data.length > 0);
  const secret = body.key.slice(`tally_${body.id}_`.length);
  t.equal(secret.length, 43);
  const { events } = await ledger.store.readAll({ after: null, limit: 10_000 });
  t.notOk(events.some(({ data, meta }) => data.includes(secret) || meta.includes(secret)));
});

t.test('two first starts make one admin key', async (t) => {
  const keys = await Promise.all([ensureAdminKey(ledger.runner, null), ensureAdminKey(ledger.runner, null)]);
  t.same(keys, [null, null], 'the fixture had made it');
  await ensureAdminKey(ledger.runner, 'a-key-of-my-own');
  await ensureAdminKey(ledger.runner, 'a-key-of-my-own');
  t.equal((await call('GET', '/v1/api-keys', undefined, 'a-key-of-my-own')).status, 200);
});

t.test('a feed of keys that is older than ten seconds lets nobody in, and goes on by itself', async (t) => {
  let away = false;
  let elapsed = 0;
  const stale = await startTestLedger({
    elapsed: () => elapsed,
    wrap: (store) => ({
      ...store,
      readAll: (options) =>
        away ? Promise.reject(new StoreUnavailable('unwritten', 'away')) : store.readAll(options),
    }),
  });
  t.teardown(() => stale.stop());
  t.equal((await stale.call('GET', '/v1/accounts')).status, 200);
  away = true;
  elapsed += 9_000;
  t.equal((await stale.call('GET', '/v1/accounts')).status, 200, 'a short outage is borne');
  elapsed += 2_000;
  const refused = await stale.call('GET', '/v1/accounts');
  t.equal(refused.status, 503);
  t.equal(refused.body.code, 'catalogue_stale');
  t.ok(refused.headers['retry-after']);
  t.equal((await stale.call('GET', '/health/ready', undefined, null)).status, 503);
  t.equal((await stale.call('GET', '/health/live', undefined, null)).status, 200);
  away = false;
  await stale.catalogue.fresh();
  t.equal((await stale.call('GET', '/v1/accounts')).status, 200);
});
