import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call } = ledger;
await call('POST', '/v1/accounts', { id: 'acme' });

const usage = { id: 'u1', account: 'acme', model: 'm', usage: { input_tokens: 1 } };
const topUp = { credits: '1', source: 's', reference: 'r' };
const hold = { account: 'acme', model: 'm', estimate: { input_tokens: 1 } };
const ahead = new Date(Date.now() + 6 * 60_000).toISOString();
const book = (price: unknown, more: object = {}) => ({
  models: { m: { prices: { input_tokens: price } } },
  ...more,
});

const plan = (more: object) => ({ name: 'P', interval: 'month', included: [], overage: 'refuse', ...more });

type Row = [
  what: string,
  method: 'POST' | 'PUT' | 'PATCH' | 'GET',
  url: string,
  body: unknown,
  status: number,
  field: string,
];
const TOP_UPS = '/v1/accounts/acme/top-ups';
const ROWS: readonly Row[] = [
  ['a body that is not JSON', 'POST', '/v1/usage', '{"id":', 400, 'body'],
  ['NaN, which is not JSON', 'POST', '/v1/usage', '{"usage":{"input_tokens":NaN}}', 400, 'body'],
  ['a body that is neither object nor array', 'POST', '/v1/usage', '"usage"', 400, 'body'],
  ['a field that is missing', 'POST', '/v1/usage', { ...usage, id: undefined }, 400, 'id'],
  ['a field that is not known', 'POST', '/v1/usage', { ...usage, tokens: 5 }, 400, 'tokens'],
  ['a field of the wrong type', 'POST', '/v1/usage', { ...usage, model: 7 }, 400, 'model'],
  ['an id of other characters', 'POST', '/v1/usage', { ...usage, id: 'a b' }, 400, 'id'],
  ['an id that is too long', 'POST', '/v1/usage', { ...usage, id: 'a'.repeat(129) }, 400, 'id'],
  ['an empty usage', 'POST', '/v1/usage', { ...usage, usage: {} }, 400, 'usage'],
  ['a dimension that is none', 'POST', '/v1/usage', { ...usage, usage: { tokens: 1 } }, 400, 'usage.tokens'],
  [
    'a quantity as text',
    'POST',
    '/v1/usage',
    { ...usage, usage: { input_tokens: '1' } },
    400,
    'usage.input_tokens',
  ],
  ['a mode that is none', 'POST', '/v1/usage', { ...usage, mode: 'maybe' }, 400, 'mode'],
  [
    'a negative quantity',
    'POST',
    '/v1/usage',
    { ...usage, usage: { input_tokens: -1 } },
    422,
    'usage.input_tokens',
  ],
  [
    'half a token',
    'POST',
    '/v1/usage',
    { ...usage, usage: { input_tokens: 0.5 } },
    422,
    'usage.input_tokens',
  ],
  [
    'more tokens than can be',
    'POST',
    '/v1/usage',
    { ...usage, usage: { input_tokens: 1e13 } },
    422,
    'usage.input_tokens',
  ],
  [
    'a number beyond all numbers',
    'POST',
    '/v1/usage',
    '{"id":"u","account":"acme","model":"m","usage":{"input_tokens":1e999}}',
    422,
    'usage.input_tokens',
  ],
  [
    'seconds with 4 decimals',
    'POST',
    '/v1/usage',
    { ...usage, usage: { audio_seconds: 1.0001 } },
    422,
    'usage.audio_seconds',
  ],
  [
    'a cost of too many decimals',
    'POST',
    '/v1/usage',
    { ...usage, cost: { amount: '0.0000000001', currency: 'USD' } },
    422,
    'cost.amount',
  ],
  [
    'a negative cost',
    'POST',
    '/v1/usage',
    { ...usage, cost: { amount: '-1', currency: 'USD' } },
    422,
    'cost.amount',
  ],
  [
    'a currency that is none',
    'POST',
    '/v1/usage',
    { ...usage, cost: { amount: '1', currency: 'usd' } },
    400,
    'cost.currency',
  ],
  ['usage of the future', 'POST', '/v1/usage', { ...usage, occurred_at: ahead }, 422, 'occurred_at'],
  [
    'a time without a zone',
    'POST',
    '/v1/usage',
    { ...usage, occurred_at: '2026-01-01T00:00:00' },
    422,
    'occurred_at',
  ],
  [
    'a day that is none',
    'POST',
    '/v1/usage',
    { ...usage, occurred_at: '2026-13-01T00:00:00Z' },
    422,
    'occurred_at',
  ],
  ['NUL in an id', 'POST', '/v1/usage', { ...usage, id: 'a\0b' }, 422, 'id'],
  ['NUL in a model', 'POST', '/v1/usage', { ...usage, model: 'a\0b' }, 422, 'model'],
  ['half of a surrogate pair in a model', 'POST', '/v1/usage', { ...usage, model: 'a\ud800' }, 422, 'model'],
  [
    'NUL deep in the metadata',
    'POST',
    '/v1/usage',
    { ...usage, metadata: { a: [{ b: 'x\0' }] } },
    422,
    'metadata',
  ],
  [
    'metadata over 1 KiB',
    'POST',
    '/v1/usage',
    { ...usage, metadata: { a: 'x'.repeat(1_024) } },
    422,
    'metadata',
  ],
  [
    'metadata that is nested without end',
    'POST',
    '/v1/usage',
    `{"id":"u","account":"acme","model":"m","usage":{"input_tokens":1},"metadata":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`,
    422,
    'metadata',
  ],
  ['credits as a number', 'POST', TOP_UPS, { ...topUp, credits: 1 }, 400, 'credits'],
  ['no credits', 'POST', TOP_UPS, { ...topUp, credits: '0' }, 422, 'credits'],
  ['negative credits', 'POST', TOP_UPS, { ...topUp, credits: '-1' }, 422, 'credits'],
  ['credits with an exponent', 'POST', TOP_UPS, { ...topUp, credits: '1e3' }, 422, 'credits'],
  ['credits that are no number', 'POST', TOP_UPS, { ...topUp, credits: 'NaN' }, 422, 'credits'],
  ['credits with 7 decimals', 'POST', TOP_UPS, { ...topUp, credits: '0.0000001' }, 422, 'credits'],
  ['more credits than can be', 'POST', TOP_UPS, { ...topUp, credits: '1000000001' }, 422, 'credits'],
  [
    'a payment of too many decimals',
    'POST',
    TOP_UPS,
    { ...topUp, paid: { amount: '1.0000000001', currency: 'EUR' } },
    422,
    'paid.amount',
  ],
  ['a reference that is empty', 'POST', TOP_UPS, { ...topUp, reference: '' }, 400, 'reference'],
  ['a priority that is a fraction', 'POST', TOP_UPS, { ...topUp, priority: 1.5 }, 422, 'priority'],
  ['a priority below zero', 'POST', TOP_UPS, { ...topUp, priority: -1 }, 422, 'priority'],
  [
    'an adjustment of nothing',
    'POST',
    '/v1/accounts/acme/adjustments',
    { credits: '0', reason: 'x', reference: 'r' },
    422,
    'credits',
  ],
  [
    'NUL in a reason',
    'POST',
    '/v1/accounts/acme/adjustments',
    { credits: '1', reason: 'x\0', reference: 'r' },
    422,
    'reason',
  ],
  [
    'an overdraft below zero',
    'PATCH',
    '/v1/accounts/acme',
    { overdraft_limit: '-1' },
    422,
    'overdraft_limit',
  ],
  [
    'a time zone that is none',
    'POST',
    '/v1/accounts',
    { id: 'b', time_zone: 'Mars/Olympus' },
    422,
    'time_zone',
  ],
  ['an account id of other characters', 'POST', '/v1/accounts', { id: 'a:b' }, 400, 'id'],
  ['a change of nothing', 'PATCH', '/v1/accounts/acme', {}, 400, 'body'],
  [
    'a hold without end',
    'POST',
    '/v1/authorize',
    { ...hold, hold: { id: 'h', expires_in: 1e9 } },
    422,
    'hold.expires_in',
  ],
  [
    'a hold that is over',
    'POST',
    '/v1/authorize',
    { ...hold, hold: { id: 'h', expires_in: 0 } },
    422,
    'hold.expires_in',
  ],
  ['a hold without a time', 'POST', '/v1/authorize', { ...hold, hold: { id: 'h' } }, 400, 'hold.expires_in'],
  [
    'a negative estimate',
    'POST',
    '/v1/authorize',
    { ...hold, estimate: { images: -1 } },
    422,
    'estimate.images',
  ],
  ['a page of no size', 'GET', '/v1/accounts?page_size=0', undefined, 422, 'page_size'],
  ['a page size that is no number', 'GET', '/v1/accounts?page_size=many', undefined, 400, 'page_size'],
  ['a cursor that is none', 'GET', '/v1/accounts?cursor=xyz', undefined, 400, 'cursor'],
  [
    'a position that is none',
    'GET',
    '/v1/accounts/acme/balance?min_position=x',
    undefined,
    400,
    'min_position',
  ],
  ['a parameter that is not known', 'GET', '/v1/accounts/acme/balance?as_at=1', undefined, 400, 'as_at'],
  [
    'a price below zero',
    'PUT',
    '/v1/price-books/b',
    book({ credits: '-1', per: 1 }),
    422,
    'models.m.prices.input_tokens.credits',
  ],
  [
    'a price for half a unit',
    'PUT',
    '/v1/price-books/b',
    book({ credits: '1', per: 0.5 }),
    422,
    'models.m.prices.input_tokens.per',
  ],
  [
    'a cost without a credit value',
    'PUT',
    '/v1/price-books/b',
    book({ cost: { amount: '1', currency: 'USD' }, per: 1, markup: '0' }),
    422,
    'credit_value',
  ],
  [
    'a cost in another currency',
    'PUT',
    '/v1/price-books/b',
    book(
      { cost: { amount: '1', currency: 'EUR' }, per: 1, markup: '0' },
      { credit_value: { amount: '1', currency: 'USD' } },
    ),
    422,
    'models.m.prices.input_tokens.cost.currency',
  ],
  ['a model without prices', 'PUT', '/v1/price-books/b', { models: { m: {} } }, 400, 'models.m.prices'],
  [
    'NUL in the name of a model',
    'PUT',
    '/v1/price-books/b',
    { models: { 'm\0': { prices: { calls: { credits: '1', per: 1 } } } } },
    422,
    'models',
  ],
  ['a price book of no models', 'PUT', '/v1/price-books/b', { models: {} }, 422, 'models'],
  [
    'a model of no prices',
    'PUT',
    '/v1/price-books/b',
    { models: { m: { prices: {} } } },
    422,
    'models.m.prices',
  ],
  ['a scope that is none', 'POST', '/v1/api-keys', { name: 'x', scopes: ['root'] }, 400, 'scopes.0'],
  [
    'an account key that may write',
    'POST',
    '/v1/api-keys',
    { name: 'x', scopes: ['usage'], account: 'acme' },
    422,
    'scopes',
  ],
];

for (const [what, method, url, body, status, field] of ROWS) {
  t.test(`${what} gets ${status} and the field named`, async (t) => {
    const before = ledger.runner.counts.events;
    const answer = await call(method, url, body);
    t.equal(answer.status, status, answer.text);
    t.equal(answer.headers['content-type'], 'application/problem+json');
    t.equal(answer.body.code, status === 400 ? 'malformed_request' : 'invalid_value');
    t.ok(
      answer.body.errors.some(
        (fault: { field: string; rule: string }) => fault.field === field && fault.rule !== '',
      ),
      `${field} in ${JSON.stringify(answer.body.errors)}`,
    );
    t.equal(ledger.runner.counts.events, before, 'and nothing is recorded');
  });
}

t.test('what does not exist is 404', async (t) => {
  const missing: readonly [Parameters<typeof call>[0], string, unknown, string][] = [
    ['GET', '/v1/accounts/nobody', undefined, 'account_not_found'],
    ['GET', '/v1/accounts/nobody/balance', undefined, 'account_not_found'],
    ['GET', '/v1/accounts/nobody/lots', undefined, 'account_not_found'],
    ['GET', '/v1/accounts/nobody/holds', undefined, 'account_not_found'],
    ['GET', '/v1/accounts/nobody/usage', undefined, 'account_not_found'],
    ['GET', '/v1/accounts/nobody/statement', undefined, 'account_not_found'],
    ['POST', '/v1/usage', { ...usage, account: 'nobody' }, 'account_not_found'],
    ['POST', '/v1/accounts/nobody/top-ups', topUp, 'account_not_found'],
    ['PATCH', '/v1/accounts/nobody', { name: 'x' }, 'account_not_found'],
    ['POST', '/v1/quotes', { model: 'm', usage: { calls: 1 }, account: 'nobody' }, 'account_not_found'],
    ['POST', '/v1/api-keys', { name: 'x', scopes: ['read'], account: 'nobody' }, 'account_not_found'],
    ['POST', '/v1/accounts/acme/holds/h/settle', { usage: { calls: 1 } }, 'hold_not_found'],
    ['GET', '/v1/accounts/acme/holds/h', undefined, 'hold_not_found'],
    ['GET', '/v1/accounts/acme/usage/u', undefined, 'usage_not_found'],
    ['POST', '/v1/accounts/acme/usage/u/reprice', undefined, 'usage_not_found'],
    ['GET', '/v1/entries/wallet-acme:99', undefined, 'entry_not_found'],
    ['GET', '/v1/entries/nonsense', undefined, 'entry_not_found'],
    ['GET', '/v1/price-books/none', undefined, 'price_book_not_found'],
    ['GET', '/v1/packages/none', undefined, 'package_not_found'],
    ['POST', '/v1/accounts/acme/purchases', { package: 'none', reference: 'p' }, 'package_not_found'],
    ['GET', '/v1/coupons/none', undefined, 'coupon_not_found'],
    ['POST', '/v1/accounts/acme/coupons', { code: 'none' }, 'coupon_not_found'],
    ['GET', '/v1/accounts/nobody/alerts', undefined, 'account_not_found'],
    ['GET', '/v1/accounts/nobody/explain', undefined, 'account_not_found'],
    ['DELETE', '/v1/api-keys/none', undefined, 'api_key_not_found'],
    ['GET', '/v2/usage', undefined, 'not_found'],
  ];
  for (const [method, url, body, code] of missing) {
    const answer = await call(method, url, body);
    t.equal(answer.status, 404, `${method} ${url} ${answer.text}`);
    t.equal(answer.body.code, code);
    if (code === 'account_not_found') t.equal(answer.body.account, 'nobody', `${method} ${url} names it`);
    if (code === 'package_not_found') t.equal(answer.body.package, 'none');
    if (code === 'coupon_not_found') t.equal(answer.body.coupon, 'NONE');
  }
});

t.test('lists of an account that has nothing are empty', async (t) => {
  for (const list of ['lots', 'holds', 'usage', 'statement?from=2999-01-01T00:00:00Z']) {
    const answer = await call('GET', `/v1/accounts/acme/${list}`);
    t.equal(answer.status, 200, answer.text);
    t.same(answer.body, { data: [], next_cursor: null });
  }
});

const PRICE = 'models.m.prices.input_tokens';
const RULES: readonly [
  what: string,
  method: Row[1],
  url: string,
  body: unknown,
  errors: readonly { field: string; rule: string }[],
][] = [
  [
    'a mode that is none',
    'POST',
    '/v1/usage',
    { ...usage, mode: 'x' },
    [{ field: 'mode', rule: 'must be one of charge, record' }],
  ],
  [
    'a scope that is none',
    'POST',
    '/v1/api-keys',
    { name: 'x', scopes: ['root'] },
    [{ field: 'scopes.0', rule: 'must be one of usage, read, manage, finance, admin' }],
  ],
  [
    'a sum where only yes can be said',
    'POST',
    '/v1/accounts/acme/purchases',
    { package: 'p', reference: 'r', paid: { amount: '1', currency: 'USD' } },
    [{ field: 'paid', rule: 'must be true' }],
  ],
  [
    'a number where it is one of two words',
    'POST',
    '/v1/accounts/acme/subscription',
    { plan: 'p', pay: 5, reference: 'r' },
    [{ field: 'pay', rule: 'must be one of credits, external' }],
  ],
  [
    'an order that is none',
    'GET',
    '/v1/accounts/acme/usage?order=x',
    undefined,
    [{ field: 'order', rule: 'must be one of newest, oldest' }],
  ],
  [
    'a status that is none',
    'GET',
    '/v1/usage?status=x',
    undefined,
    [{ field: 'status', rule: 'must be unpriced' }],
  ],
  [
    'a change of nothing',
    'PATCH',
    '/v1/accounts/acme',
    {},
    [{ field: 'body', rule: 'must have at least one member' }],
  ],
  [
    'an empty usage',
    'POST',
    '/v1/usage',
    { ...usage, usage: {} },
    [{ field: 'usage', rule: 'must have at least one member' }],
  ],
  [
    'a currency that is none',
    'PATCH',
    '/v1/accounts/acme',
    { currency: 'eur' },
    [{ field: 'currency', rule: 'must be three capital letters, as USD' }],
  ],
  [
    'a price without its per',
    'PUT',
    '/v1/price-books/b',
    book({ credits: '1' }),
    [{ field: `${PRICE}.per`, rule: 'is required' }],
  ],
  [
    'credits as a number',
    'PUT',
    '/v1/price-books/b',
    book({ credits: 1, per: 1 }),
    [{ field: `${PRICE}.credits`, rule: 'must be string' }],
  ],
  [
    'a cost without markup',
    'PUT',
    '/v1/price-books/b',
    book({ cost: { amount: '1', currency: 'USD' }, per: 1 }),
    [{ field: `${PRICE}.markup`, rule: 'is required' }],
  ],
  [
    'a cost that is no money',
    'PUT',
    '/v1/price-books/b',
    book({ cost: { amount: '1' }, markup: '1', per: 1 }),
    [{ field: `${PRICE}.cost.currency`, rule: 'is required' }],
  ],
  [
    'steps with one step wrong',
    'PUT',
    '/v1/price-books/b',
    book({
      steps: [
        { credits: '1', up_to: 1 },
        { credits: '1', up_to: '2' },
      ],
    }),
    [{ field: `${PRICE}.steps.1.up_to`, rule: 'must be number' }],
  ],
  [
    'a price of two kinds',
    'PUT',
    '/v1/price-books/b',
    book({ credits: '1', per: 1, steps: [] }),
    [{ field: PRICE, rule: 'must have either credits and per, or steps, not both' }],
  ],
  [
    'a price in credits and in money',
    'PUT',
    '/v1/plans/p',
    plan({ price: { credits: '1', amount: '1', currency: 'USD' } }),
    [{ field: 'price', rule: 'must have either credits, or amount and currency, not both' }],
  ],
  [
    'a price in no currency',
    'PUT',
    '/v1/plans/p',
    plan({ price: { amount: '1' } }),
    [{ field: 'price.currency', rule: 'is required' }],
  ],
  [
    'a price with a member of the other kind',
    'PUT',
    '/v1/plans/p',
    plan({ price: { credits: '1', currency: 'USD' } }),
    [{ field: 'price.currency', rule: 'is not a field of this request' }],
  ],
  [
    'a field that is not known',
    'POST',
    '/v1/usage',
    { ...usage, tokens: 5 },
    [{ field: 'tokens', rule: 'is not a field of this request' }],
  ],
  [
    'a parameter that is not known',
    'GET',
    '/v1/accounts/acme/balance?as_at=1',
    undefined,
    [{ field: 'as_at', rule: 'is not a parameter of this route' }],
  ],
  [
    'credits that are too fine',
    'POST',
    TOP_UPS,
    { ...topUp, credits: '0.0000001' },
    [{ field: 'credits', rule: 'has too many decimals: at most 6 are allowed' }],
  ],
  [
    'money that is too fine',
    'POST',
    TOP_UPS,
    { ...topUp, paid: { amount: '1.0000000001', currency: 'EUR' } },
    [{ field: 'paid.amount', rule: 'has too many decimals: at most 9 are allowed' }],
  ],
  [
    'a warning of something that is none',
    'PUT',
    '/v1/accounts/acme/alerts',
    { thresholds: [{ on: 'usage', percent: 80 }] },
    [{ field: 'thresholds.0.on', rule: 'must be one of quota, balance, daily_spend' }],
  ],
  [
    'a warning of a quota in credits',
    'PUT',
    '/v1/accounts/acme/alerts',
    { thresholds: [{ on: 'quota', credits: '80' }] },
    [
      { field: 'thresholds.0.percent', rule: 'is required' },
      { field: 'thresholds.0.credits', rule: 'is not a field of this request' },
    ],
  ],
  [
    'a price of no kind',
    'PUT',
    '/v1/price-books/b',
    book({}),
    [{ field: PRICE, rule: 'must have credits and per, or cost and markup and per, or steps' }],
  ],
  [
    'a price that is no object',
    'PUT',
    '/v1/price-books/b',
    book('1'),
    [{ field: PRICE, rule: 'must be object' }],
  ],
  [
    'no models',
    'PUT',
    '/v1/price-books/b',
    { models: {} },
    [{ field: 'models', rule: 'must name at least one model' }],
  ],
  [
    'no prices',
    'PUT',
    '/v1/price-books/b',
    { models: { m: { prices: {} } } },
    [{ field: 'models.m.prices', rule: 'must have at least one price' }],
  ],
];
t.test('a problem names the rule that was broken, each once, and nothing that was not', async (t) => {
  for (const [what, method, url, body, errors] of RULES) {
    t.same((await call(method, url, body)).body.errors, errors, what);
  }
  const many = Object.fromEntries(
    ['input_tokens', 'output_tokens', 'images', 'calls'].map((name) => [name, { credits: '1' }]),
  );
  const { body } = await call('PUT', '/v1/price-books/b', { models: { m: { prices: many } } });
  t.same(
    body.errors.map(({ field }: { field: string }) => field).sort(),
    Object.keys(many)
      .map((name) => `models.m.prices.${name}.per`)
      .sort(),
    'of several prices, each is told',
  );
});

t.test('credits that have expired already are refused by name', async (t) => {
  const expired = { credits: '1', reference: 'late', expires_at: '2001-01-01T00:00:00Z' };
  for (const [path, body] of [
    ['top-ups', { ...expired, source: 's' }],
    ['grants', { ...expired, kind: 'k' }],
  ] as const) {
    const answer = await call('POST', `/v1/accounts/acme/${path}`, body);
    t.match(answer, { status: 422, body: { code: 'expires_in_past' } }, path);
  }
});

t.test('a route that takes no body takes none: nothing that was meant is passed over', async (t) => {
  const { paths } = ledger.app.swagger() as {
    paths: Record<string, Record<string, { requestBody?: object }>>;
  };
  const bodiless = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) =>
      method === 'get' || requestBody !== undefined ? [] : [[method.toUpperCase(), path] as const],
    ),
  );
  t.ok(bodiless.length > 8, `${bodiless.length} routes`);
  for (const [method, pattern] of bodiless) {
    const url = pattern.replaceAll(/\{[^}]+\}/g, 'nothing');
    const none = [undefined, '', {}];
    for (const body of none)
      t.not(
        (await call(method as 'POST', url, body)).status,
        400,
        `${method} ${url} ${JSON.stringify(body)}`,
      );
    const member = await call(method as 'POST', url, { reference: 'r' });
    const errors = [{ field: 'reference', rule: 'is not a field of this request' }];
    t.match(member, { status: 400, body: { code: 'malformed_request', errors } }, `${method} ${url}`);
    for (const body of [[], 5, 'null'])
      t.equal((await call(method as 'POST', url, body)).status, 400, `${method} ${url} ${body}`);
  }
  t.equal((await call('POST', '/v1/nowhere', { reference: 'r' })).status, 404);
});

t.test('a wrong method is 405 and says which are right', async (t) => {
  const answer = await call('DELETE', '/v1/accounts/acme/balance');
  t.equal(answer.status, 405);
  t.match(answer.headers.allow, /GET/);
  t.equal(answer.headers['content-type'], 'application/problem+json');
});

t.test('a body that is not said to be JSON is 415', async (t) => {
  const authorization = `Bearer ${ledger.adminKey}`;
  const headers = { authorization, 'content-type': 'text/xml' };
  const answer = await ledger.app.inject({ method: 'POST', url: '/v1/usage', headers, payload: '<usage/>' });
  t.equal(answer.statusCode, 415);
  t.equal(answer.json().code, 'unsupported_media_type');
});

t.test('a body over the limit is 413: 1 MiB for one, 16 MiB for arrays', async (t) => {
  const large = { ...topUp, reference: 'x'.repeat(1024 * 1024) };
  t.equal((await call('POST', TOP_UPS, large)).status, 413);
  t.equal((await call('POST', '/v1/usage', { ...usage, model: 'x'.repeat(1024 * 1024) })).status, 413);
  const array = await call('POST', '/v1/usage', [{ ...usage, model: 'x'.repeat(1024 * 1024) }]);
  t.equal(array.status, 200, 'an array may be larger');
  const huge = await call('POST', '/v1/usage', `[${' '.repeat(16 * 1024 * 1024)}]`);
  t.equal(huge.status, 413);
  t.equal(huge.body.code, 'payload_too_large');
});
