/** P8: whoever is not finance sees credits only. Every route that they may call is walked, on an account full of money. */
import { walletDecider } from '@tallystick/domain';
import t from 'tap';
import { sealAfter } from './sealing.ts';
import type { Document } from './testing/document.ts';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;

const price = { cost: { amount: '0.000777', currency: 'USD' }, per: 1, markup: '0.25', demand_factor: '1.1' };
await call('PUT', '/v1/price-books/default', {
  credit_value: { amount: '0.0123', currency: 'USD' },
  models: { m: { supplier: 'openai', round_to: '0.01', prices: { input_tokens: price } } },
});
const metadata = { cost: '12.34', note: 'internal' };
await call('POST', '/v1/accounts', { id: 'acme', name: 'Acme', currency: 'USD', metadata });
const paid = { amount: '98.76', currency: 'USD' };
await call('POST', '/v1/accounts/acme/top-ups', { credits: '100', paid, source: 'stripe', reference: 'r1' });
// A plan that is paid in credits with money behind them: that money lies behind its quotas, too.
await call('PUT', '/v1/plans/basic', {
  name: 'Basic',
  price: { credits: '10' },
  interval: 'month',
  included: [{ unit: 'tokens', model: 'm', amount: '45', per: 'period' }],
  overage: 'credits',
});
await call('POST', '/v1/accounts/acme/subscription', { plan: 'basic', pay: 'credits', reference: 's' });
const usage = { account: 'acme', model: 'm', usage: { input_tokens: 50 }, metadata };
const cost = { amount: '45.67', currency: 'USD' };
const charged = await call('POST', '/v1/usage', { ...usage, id: 'u1', cost });
await call('POST', '/v1/usage', { ...usage, id: 'u2', model: 'unknown', cost });
const hold = {
  account: 'acme',
  model: 'm',
  estimate: { input_tokens: 10 },
  hold: { id: 'h1', expires_in: 600 },
};
await call('POST', '/v1/authorize', hold);
const usd = (amount: string) => ({ amount, currency: 'USD' });
await call('PUT', '/v1/packages/starter', { credits: '5', prices: [usd('1')] });
await call('PUT', '/v1/packages/free-amount', { rate: { credits: '100', currency: 'USD' } });
await call('PUT', '/v1/coupons/save', { percent: '10' });
await call('POST', '/v1/accounts/acme/coupons', { code: 'save' });
await call('POST', '/v1/accounts', { id: 'buyer' });
await call('POST', '/v1/accounts/buyer/purchases', { package: 'starter', reference: 'p1', paid: true });
await call('PUT', '/v1/accounts/buyer/auto-top-up', { enabled: true, threshold: '1', amount: usd('1') });
const accrual = {
  type: 'AccrueReferral',
  key: 'referral:tom:3',
  fingerprint: 'f',
  from: 'tom',
  revision: 3,
  reason: 'purchase',
  ofCredits: 10_000_000n,
  percent: '10',
  availableAt: Date.now() + 86_400_000,
} as const;
const worker = { actor: 'worker', request: '' };
await ledger.runner.execute(
  walletDecider,
  [{ id: 'acme', command: accrual, cause: worker }],
  Date.now() + 10_000,
);
await sealAfter(ledger, null);
await ledger.projector.caughtUp();

const FORBIDDEN = /^(cost|paid|metadata|currency|supplier|revenue|markup|credit_value|postings)$/;
const AMOUNTS = /98\.76|45\.67|12\.34|0\.000777|0\.0123|USD|openai|stripe.*usd/;

function faultsIn(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return AMOUNTS.test(value) ? [`${path}: ${value}`] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) => [
    ...(FORBIDDEN.test(name) ? [`${path}.${name}`] : []),
    ...faultsIn(member, `${path}.${name}`),
  ]);
}

const OWN = [
  '/v1/accounts/acme',
  '/v1/accounts/acme/balance',
  '/v1/accounts/acme/lots',
  '/v1/accounts/acme/holds',
  '/v1/accounts/acme/holds/h1',
  '/v1/accounts/acme/statement',
  '/v1/accounts/acme/explain',
  '/v1/accounts/acme/subscription',
  '/v1/accounts/acme/subscriptions',
  '/v1/accounts/acme/quotas',
  '/v1/accounts/acme/alerts',
  '/v1/accounts/acme/alerts/raised',
  '/v1/accounts/acme/coupons',
  '/v1/accounts/acme/referrals',
  '/v1/accounts/acme/usage',
  '/v1/accounts/acme/usage/u1',
  '/v1/accounts/acme/usage/u2',
  '/v1/billing/stats',
  '/v1/billing/quota-warning',
  '/v1/billing/settings',
  `/v1/receipts/${charged.body.entry_id}`,
  '/v1/seals',
];

/** What a customer pays for what he buys is his own affair: these show it, and nothing else in a currency. */
const OWN_PURCHASES = [
  '/v1/accounts/buyer/purchases',
  '/v1/accounts/buyer/purchases/p1',
  '/v1/accounts/buyer/auto-top-up',
];

t.test('of money an owner sees what the own purchases cost the owner, and no more', async (t) => {
  const key = await newKey(['read'], 'buyer');
  for (const url of OWN_PURCHASES) {
    const answer = await call('GET', url, undefined, key);
    t.equal(answer.status, 200, url);
    const rest = JSON.stringify(answer.body, (name, value) =>
      ['price', 'discount', 'total', 'amount'].includes(name) ? undefined : value,
    );
    t.same(faultsIn(JSON.parse(rest)), [], url);
    t.match(answer.text, 'USD');
  }
});

t.test('an account key sees nothing in a currency on any route that it may call', async (t) => {
  const key = await newKey(['read'], 'acme');
  const position = charged.body.position;
  for (const url of OWN) {
    const answer = await call('GET', `${url}?min_position=${position}`, undefined, key);
    t.equal(answer.status, 200, `${url} ${answer.text}`);
    t.same(faultsIn(answer.body), [], url);
    t.not(answer.body.data?.length, 0, `${url} has something to show`);
  }
  const quote = await call('POST', '/v1/quotes', { model: 'm', usage: { input_tokens: 50 } }, key);
  t.equal(quote.status, 200);
  t.same(faultsIn(quote.body), []);
  t.match(quote.body.lines, [{ dimension: 'input_tokens', price: { per: 1 } }]);
});

t.test('the walk above walks every route that an account key may call', async (t) => {
  const key = await newKey(['read'], 'acme');
  const { paths } = ledger.app.swagger() as unknown as Document;
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const url = path.replace('/accounts/{id}', '/accounts/acme').replaceAll(/\{[^}]+\}/g, 'u1');
      if (path.startsWith('/health/')) continue;
      const { status } = await call(
        method.toUpperCase() as 'GET',
        url,
        method === 'get' ? undefined : {},
        key,
      );
      const walked = [...OWN, ...OWN_PURCHASES].some(
        (own) =>
          own.split('/').length === url.split('/').length &&
          new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(own),
      );
      if (status !== 403)
        t.ok(
          walked || /^\/v1\/(quotes|plans|packages|billing\/plans)/.test(path),
          `${method} ${path} answers ${status} to an account key`,
        );
    }
  }
});

/** Whose it is: for a key that names no account. */
const named = (url: string): string => (url.startsWith('/v1/billing/') ? `${url}?account=acme` : url);

t.test('service keys that report usage or read see nothing in a currency either', async (t) => {
  const usageKey = await newKey(['usage']);
  const readKey = await newKey(['read']);
  const answers = [
    await call('POST', '/v1/usage', { ...usage, id: 'u1', cost }, usageKey),
    await call(
      'POST',
      '/v1/usage',
      [
        { ...usage, id: 'u3', cost },
        { ...usage, id: 'u4', model: 'unknown', cost },
      ],
      usageKey,
    ),
    await call('POST', '/v1/authorize', hold, usageKey),
    await call('POST', '/v1/accounts/acme/holds/h1/extend', { expires_in: 900 }, usageKey),
    await call('POST', '/v1/accounts/acme/holds/h1/settle', { usage: { input_tokens: 10 }, cost }, usageKey),
    ...(await Promise.all(OWN.map((url) => call('GET', named(url), undefined, readKey)))),
    await call('GET', '/v1/accounts', undefined, readKey),
    await call('GET', '/v1/usage?status=unpriced', undefined, readKey),
  ];
  for (const { status, body, text } of answers) {
    t.ok(status < 300, text);
    t.same(faultsIn(body), [], text);
  }
});

t.test('finance does see them', async (t) => {
  const key = await newKey(['finance']);
  const account = await call('GET', '/v1/accounts/acme', undefined, key);
  t.match(account.body, { currency: 'USD', metadata });
  const entry = await call('GET', `/v1/entries/${charged.body.entry_id}`, undefined, key);
  t.match(entry.text, /45\.67/);
  const books = await call('GET', '/v1/trial-balance', undefined, key);
  t.same(
    books.body.units.map(({ unit, total }: { unit: string; total: string }) => [unit, total]),
    [
      ['credits', '0'],
      ['USD', '0'],
      ['tokens', '0'],
    ],
  );
});
