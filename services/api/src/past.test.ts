import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let now = Date.parse('2026-03-01T12:00:00.000Z');
const ledger = await startTestLedger({ now: () => now, epoch: 2 });
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;

const at = (ms = now): string => new Date(ms).toISOString();
const cost = { amount: '0.000777', currency: 'USD' };
await call('PUT', '/v1/price-books/default', {
  credit_value: { amount: '0.01', currency: 'USD' },
  models: {
    m: {
      supplier: 'openai',
      round_to: '0.01',
      prices: {
        input_tokens: { cost, per: 1000, markup: '0.25', demand_factor: '1.1' },
        output_tokens: { credits: '3', per: 7 },
        video_seconds: {
          steps: [
            { up_to: 10, cost, markup: '0' },
            { up_to: 60, credits: '9' },
          ],
        },
      },
    },
  },
});
await call('POST', '/v1/accounts', { id: 'acme' });
const opened = now;
now += 60_000;
const paid = { amount: '9', currency: 'USD' };
const topUp = { credits: '100', paid, source: 'stripe', reference: 'r1' };
const first = await call('POST', '/v1/accounts/acme/top-ups', topUp);
const toppedUp = now;
now += 60_000;
const usage = { input_tokens: 2500, output_tokens: 7, video_seconds: 12.5 };
const second = await call('POST', '/v1/usage', { id: 'u1', account: 'acme', model: 'm', usage });
const charged = now;
now += 60_000;
const parked = await call('POST', '/v1/usage', { id: 'u2', account: 'acme', model: 'none', usage });
await ledger.projector.caughtUp();
const read = await newKey(['read'], 'acme');
const finance = await newKey(['finance']);

t.test('the balance of a moment is that after the last entry until then', async (t) => {
  for (const as_of of [first.body.position, at(toppedUp), at(charged - 1)]) {
    const { status, body } = await call('GET', `/v1/accounts/acme/balance?as_of=${as_of}`, undefined, read);
    t.equal(status, 200);
    t.match(body, { account: 'acme', available: '100', held: '0', as_of });
    t.match(body, { entry_id: first.body.entry_id, recorded_at: at(toppedUp), position: /^2\d{18}$/ });
  }
  const then = await call('GET', `/v1/accounts/acme/balance?as_of=${second.body.position}`);
  t.match(then.body, { ...second.body.balance, entry_id: second.body.entry_id });
  const zone = encodeURIComponent(at(charged).replace('Z', '+00:00'));
  t.match((await call('GET', `/v1/accounts/acme/balance?as_of=${zone}`)).body, second.body.balance);
});

t.test('an account without an entry has nothing; before it was opened there was none', async (t) => {
  const empty = await call('GET', `/v1/accounts/acme/balance?as_of=${at(opened)}`);
  t.match(empty.body, { available: '0', held: '0', entry_id: null, recorded_at: null });
  for (const url of [
    `/v1/accounts/acme/balance?as_of=${at(opened - 1)}`,
    `/v1/accounts/acme/balance?as_of=2${'0'.repeat(18)}`,
    `/v1/accounts/nobody/balance?as_of=${at()}`,
  ]) {
    t.match(await call('GET', url), { status: 404, body: { code: 'account_not_found' } }, url);
  }
});

t.test('a moment that is not in the past of this store is refused, and says how far it goes', async (t) => {
  const position = BigInt(parked.body.position);
  for (const [as_of, rule] of [
    [at(now + 1), /future/],
    [String(position + 1_000n), /after what has been projected/],
    ['7', /present store/],
    [`3${'0'.repeat(18)}`, /present store/],
    ['yesterday', /position, or a time/],
    ['2026-02-30T00:00:00Z', /position, or a time/],
    ['2026-02-01T00:00:00', /position, or a time/],
    ['-1', /position, or a time/],
  ] as const) {
    for (const path of ['/v1/accounts/acme/balance', '/v1/trial-balance']) {
      const { status, body } = await call('GET', `${path}?as_of=${encodeURIComponent(as_of)}`);
      t.match(
        { status, body },
        { status: 422, body: { errors: [{ field: 'as_of', rule }] } },
        `${path} ${as_of}`,
      );
    }
  }
  const beyond = await call('GET', `/v1/trial-balance?as_of=${position + 1_000n}`);
  t.equal(beyond.body.position, (await call('GET', '/v1/trial-balance')).body.position);
  for (const as_of of ['', '1'.repeat(41)])
    t.match(await call('GET', `/v1/accounts/acme/balance?as_of=${as_of}`), { status: 400 });
});

t.test('the trial balance of a moment adds up what had been recorded until then', async (t) => {
  const { body } = await call('GET', `/v1/trial-balance?as_of=${first.body.position}`, undefined, finance);
  t.same(body.units, [
    {
      unit: 'credits',
      total: '0',
      accounts: [
        { account: 'equity:credits:issued', balance: '100' },
        { account: 'liabilities:wallets:*:available', balance: '-100' },
      ],
    },
    {
      unit: 'USD',
      total: '0',
      accounts: [
        { account: 'assets:clearing:stripe', balance: '9' },
        { account: 'liabilities:deferred-revenue', balance: '-9' },
      ],
    },
  ]);
  const { as_of, ...past } = (await call('GET', `/v1/trial-balance?as_of=${at()}`)).body;
  t.same(past, (await call('GET', '/v1/trial-balance')).body);
  t.equal(as_of, at());
  t.same((await call('GET', `/v1/trial-balance?as_of=${at(opened - 1)}`)).body.units, []);
});

t.test('finance is told the formula with its numbers, cost and postings', async (t) => {
  const { body } = await call('GET', '/v1/accounts/acme/explain?order=oldest', undefined, finance);
  t.same(
    body.data.map(({ type }: { type: string }) => type),
    ['AccountOpened', 'TopUp', 'UsageCharged', 'UsageUnpriced'],
  );
  const [, bought, used] = body.data;
  t.match(bought, { what: 'Top-up of 100 credits from stripe, reference r1', paid: ['9'], price: null });
  t.same(used.formula, [
    '2500 input_tokens at 0.000777 USD per 1000, markup 0.25, demand factor 1.1, a credit at 0.01 USD = 0.26709375 credits',
    '7 output_tokens at 3 credits per 7 = 3 credits',
    '12.5 video_seconds at 9 credits up to 60 = 9 credits',
    '12.26709375 rounded up to a multiple of 0.01 = 12.27 credits',
  ]);
  t.match(used, { cost: { currency: 'USD' }, supplier: 'openai', after: second.body.balance });
  t.match(used.postings, [
    { account: 'liabilities:wallets:acme:available', unit: 'credits', amount: '12.27' },
  ]);
  t.equal(used.position, second.body.position);
});

t.test('an owner is told the same in credits only', async (t) => {
  const { body, text } = await call('GET', '/v1/accounts/acme/explain', undefined, read);
  t.notMatch(text, /USD|openai|0\.000777|0\.25|markup|cost|paid/);
  const [, used] = body.data;
  t.match(
    used.what,
    'Usage u1, m, 2500 input_tokens + 7 output_tokens + 12.5 video_seconds charged 12.27 credits',
  );
  t.strictSame(used.price, {
    lines: [
      {
        dimension: 'input_tokens',
        quantity: 2500,
        price: { credits: '0.1068375', per: 1000 },
        credits_exact: '0.26709375',
      },
      { dimension: 'output_tokens', quantity: 7, price: { credits: '3', per: 7 }, credits_exact: '3' },
      { dimension: 'video_seconds', quantity: 12.5, price: { credits: '9', up_to: 60 }, credits_exact: '9' },
    ],
    rounding: { exact: '12.26709375', round_to: '0.01', rule: 'up' },
    price_book: { name: 'default', version: 1 },
  });
  const quote = await call('POST', '/v1/quotes', { model: 'm', usage }, read);
  t.same(used.price.lines, quote.body.lines, 'as a quote tells it');
  t.same(used.moves, [{ lot: 'lot-1', from: 'free', to: 'spent', credits: '12.27' }]);
});

t.test('explanations come in pages, by time, either way round', async (t) => {
  const walk = async (query: string): Promise<string[]> => {
    const ids: string[] = [];
    let cursor = '';
    do {
      const { body } = await call('GET', `/v1/accounts/acme/explain?page_size=1${query}${cursor}`);
      t.ok(body.data.length <= 1);
      ids.push(...body.data.map(({ entry_id }: { entry_id: string }) => entry_id));
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    return ids;
  };
  const all = ['wallet-acme:0', 'wallet-acme:1', 'wallet-acme:2', 'wallet-acme:3'];
  t.same(await walk('&order=oldest'), all);
  t.same(await walk(''), [...all].reverse());
  t.same(await walk(`&order=oldest&from=${at(toppedUp)}&to=${at(charged)}`), ['wallet-acme:1']);
  t.same(await walk(`&from=${at(charged)}`), ['wallet-acme:3', 'wallet-acme:2']);
  t.same(await walk(`&to=${at(opened)}`), []);
});

t.test('bad questions for an explanation are refused, each field by name', async (t) => {
  const { body } = await call('GET', '/v1/accounts/acme/statement?page_size=1');
  for (const [query, status, field] of [
    ['from=yesterday', 422, 'from'],
    ['to=2026-02-30T00:00:00Z', 422, 'to'],
    ['page_size=0', 422, 'page_size'],
    ['page_size=501', 422, 'page_size'],
    ['page_size=x', 400, 'page_size'],
    ['order=sideways', 400, 'order'],
    ['as_of=1', 400, 'as_of'],
    [`cursor=${body.next_cursor}`, 400, 'cursor'],
    ['cursor=nonsense', 400, 'cursor'],
  ] as const) {
    const answer = await call('GET', `/v1/accounts/acme/explain?${query}`);
    t.match(answer, { status, body: { errors: [{ field }] } }, query);
  }
  t.match(await call('GET', '/v1/accounts/nobody/explain'), {
    status: 404,
    body: { code: 'account_not_found' },
  });
  t.match(await call('GET', '/v1/accounts/other/explain', undefined, read), { status: 403 });
});

t.test('lots and usage come with the money behind them for finance, and without it for others', async (t) => {
  const urls = ['lots', 'usage', 'usage/u1'].map((path) => `/v1/accounts/acme/${path}`);
  for (const url of [...urls, '/v1/usage?status=unpriced']) {
    const full = await call('GET', url, undefined, finance);
    const own = await call('GET', url, undefined, url.includes('acme') ? read : await newKey(['read']));
    t.match([full.status, own.status], [200, 200], url);
    t.match(full.text, /"(cost|paid)":/, url);
    t.notMatch(own.text, /USD|cost|paid|supplier|revenue|withdrawable/, url);
  }
  const one = await call('GET', urls[2] ?? '', undefined, finance);
  t.match(one.body, { supplier: 'openai', cost: { currency: 'USD' }, revenue: { currency: 'USD' } });
  const [lot] = (await call('GET', urls[0] ?? '', undefined, finance)).body.data;
  t.match(lot, { withdrawable: '0', paid: { amount: '9', currency: 'USD' } });
});
