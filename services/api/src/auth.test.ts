import { followCatalogue } from '@tallystick/connect';
import type { Scope } from '@tallystick/domain';
import { StoreUnavailable } from '@tallystick/event-store';
import t from 'tap';
import { ensureAdminKey } from './admin-key.ts';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;
await call('POST', '/v1/accounts', { id: 'acme' });
await call('POST', '/v1/accounts', { id: 'other' });

type Method = Parameters<typeof call>[0];
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
  ['GET', '/v1/entries/wallet-acme:1', undefined, ['finance']],
  ['GET', '/v1/trial-balance', undefined, ['finance']],
  ['GET', '/v1/receipts/wallet-acme:1', undefined, ['read', 'finance']],
  ['GET', '/v1/seals', undefined, ['read', 'finance']],
  ['POST', '/v1/api-keys', { name: 'k', scopes: ['read'] }, []],
  ['GET', '/v1/api-keys', undefined, []],
  ['DELETE', '/v1/api-keys/none', undefined, []],
  ['GET', '/metrics', undefined, ['read', 'finance']],
];

t.test('every route of the document is in the table above', async (t) => {
  const { paths } = ledger.app.swagger() as { paths: Record<string, object> };
  const told = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((name) => [name, path]),
  );
  for (const [method, path] of told) {
    if (path?.startsWith('/health/')) continue;
    const pattern = new RegExp(`^${path?.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);
    const found = CALLS.some(
      ([name, url]) => name.toLowerCase() === method && pattern.test(url.split('?')[0] ?? ''),
    );
    t.ok(found, `${method} ${path}`);
  }
});

t.test('each scope allows what it says and nothing else', async (t) => {
  for (const scope of ['usage', 'read', 'finance', 'admin'] as const) {
    const key = await newKey([scope]);
    for (const [method, url, body, scopes] of CALLS) {
      const { status } = await call(method, url, body, key);
      if (scope === 'admin' || scopes.includes(scope)) t.not(status, 403, `${scope} may ${method} ${url}`);
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

t.test('a key with an account reads that account only, whether another exists or not', async (t) => {
  const key = await newKey(['read'], 'acme');
  t.equal((await call('GET', '/v1/accounts/acme', undefined, key)).status, 200);
  for (const [method, url, body] of CALLS) {
    // Seals are everybody's: they name nobody.
    if (method !== 'GET' || url === '/v1/seals') continue;
    const { status } = await call(method, url.replace('acme', 'other'), body, key);
    t.equal(status, 403, url.replace('acme', 'other'));
    t.equal((await call(method, url.replace('acme', 'nobody'), body, key)).status, 403);
  }
  const quote = { model: 'm', usage: { calls: 1 } };
  t.equal((await call('POST', '/v1/quotes', { ...quote, account: 'other' }, key)).status, 403);
  t.not((await call('POST', '/v1/quotes', quote, key)).status, 403);
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
