import { readFileSync } from 'node:fs';
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let now = Date.now();
const ledger = await startTestLedger({ now: () => now });
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;
await call('POST', '/v1/accounts', { id: 'acme' });
const own = await newKey(['read'], 'acme');

const BASIC = {
  name: 'Basic',
  price: { credits: '10' },
  interval: 'month',
  included: [{ unit: 'calls', model: '*', amount: '100', per: 'day' }],
  overage: 'credits',
};
const minutes = (count: number): string => new Date(now + count * 60_000).toISOString();

t.test('everything that a plan can say is published, and read as it was said', async (t) => {
  const plan = {
    name: 'All',
    description: 'All there is',
    features: ['one', 'two'],
    price: { amount: '9.99', currency: 'USD' },
    interval: 'year',
    anchor: 'calendar',
    trial_days: 14,
    grace: { days: 3, quota: 'provisional' },
    included: [
      { unit: 'calls', model: 'openai/gpt-4o', amount: 'unlimited', per: 'day' },
      { unit: 'tokens', model: '*', amount: '1000000', per: 'period', counted_dimensions: ['input_tokens'] },
    ],
    caps: [{ unit: 'tokens', model: '*', amount: '5000', per: 'week' }],
    overage: 'credits',
    overage_multiplier: '1.25',
    overage_prices: { '*': { input_tokens: { credits: '0.002', per: 1 } } },
    price_book: 'vip',
    allowed_models: ['openai/gpt-4o', 'claude'],
    rate_limit_per_minute: 60,
    max_concurrent_requests: 5,
    priority: 'high',
    support_level: 'email',
    display_order: 3,
    refund_on_cancel: true,
    default_plan: false,
    active: true,
  };
  const put = await call('PUT', '/v1/plans/all', plan);
  t.equal(put.status, 201);
  const published = { id: 'all', version: 1, effective_from: new Date(now).toISOString() };
  t.same(put.body, published);
  t.same((await call('GET', '/v1/plans/all', undefined, own)).body, { ...published, ...plan });
});

t.test(
  'the same as the latest again is 200, however its decimals are written; else a version more',
  async (t) => {
    const priced = (credits: string, multiplier: string) => ({
      ...BASIC,
      price: { credits },
      overage_multiplier: multiplier,
    });
    t.match(await call('PUT', '/v1/plans/basic', priced('10', '1.5')), { status: 201, body: { version: 1 } });
    const again = await call('PUT', '/v1/plans/basic', priced('010.00', '1.50'));
    t.match(again, { status: 200, body: { version: 1 } });
    t.equal(again.headers['idempotent-replayed'], 'true');
    t.match(await call('PUT', '/v1/plans/basic', priced('11', '1.5')), { status: 201, body: { version: 2 } });
    t.match(await call('PUT', '/v1/plans/basic', priced('10', '1.5')), { status: 201, body: { version: 3 } });
    t.match((await call('GET', '/v1/plans/basic?version=2')).body, { version: 2, price: { credits: '11' } });
    t.match((await call('GET', '/v1/plans/basic')).body, { version: 3, anchor: 'subscription' });
  },
);

t.test('a version that is yet to come is not in force, and only admins see it', async (t) => {
  await call('PUT', '/v1/plans/later', BASIC);
  const dear = { ...BASIC, price: { credits: '99' }, effective_from: minutes(10) };
  t.match(await call('PUT', '/v1/plans/later', dear), { status: 201, body: { effective_from: minutes(10) } });
  t.match((await call('GET', '/v1/plans/later')).body, { version: 1 });
  t.equal((await call('GET', '/v1/plans/later?version=2')).status, 200);
  t.match(await call('GET', '/v1/plans/later?version=2', undefined, own), {
    status: 404,
    body: { code: 'plan_not_found' },
  });
  await call('PUT', '/v1/plans/first-later', { ...BASIC, effective_from: minutes(10) });
  t.equal((await call('GET', '/v1/plans/first-later')).status, 404);
  now += 10 * 60_000;
  t.match((await call('GET', '/v1/plans/later', undefined, own)).body, {
    version: 2,
    price: { credits: '99' },
  });
  t.match((await call('GET', '/v1/plans/first-later')).body, { version: 1 });
});

t.test('nothing takes effect before it is published', async (t) => {
  const refused = await call('PUT', '/v1/plans/past', { ...BASIC, effective_from: minutes(-1) });
  t.match(refused, { status: 422, body: { code: 'effective_from_in_past', effective_from: minutes(-1) } });
  t.equal((await call('GET', '/v1/plans/past')).status, 404);
});

t.test('a plan that breaks a rule is not published, and the field is named', async (t) => {
  const cases: readonly [status: number, field: string, more: object][] = [
    [422, 'included.0.amount', { included: [{ ...BASIC.included[0], amount: '1.5' }] }],
    [422, 'trial_days', { trial_days: 4_000 }],
    [422, 'price.credits', { price: { credits: '0.0000001' } }],
    [422, 'default_plan', { default_plan: true }],
    [422, 'effective_from', { effective_from: 'tomorrow' }],
    [422, 'overage_prices.m.calls.per', { overage_prices: { m: { calls: { credits: '1', per: 0 } } } }],
    [400, 'colour', { colour: 'red' }],
    [400, 'interval', { interval: 'fortnight' }],
    [400, 'included.0.unit', { included: [{ ...BASIC.included[0], unit: 'images' }] }],
    [422, 'body', { features: Array.from({ length: 100 }, () => '\u{1f9fe}'.repeat(200)) }],
  ];
  for (const [status, field, more] of cases) {
    const answer = await call('PUT', '/v1/plans/bad', { ...BASIC, ...more });
    t.equal(answer.status, status, field);
    t.ok(
      answer.body.errors?.some((fault: { field: string }) => fault.field === field),
      `${field}: ${answer.text}`,
    );
  }
  t.equal((await call('GET', '/v1/plans/bad')).status, 404);
});

t.test('models may be named like what every object has', async (t) => {
  const named = `{"name":"n","price":{"credits":"1"},"interval":"month","included":[],"overage":"credits",
    "overage_prices":{"hasOwnProperty":{"calls":{"credits":"1","per":1}},"constructor":{"calls":{"credits":"2","per":1}}}}`;
  t.equal((await call('PUT', '/v1/plans/awkward', named)).status, 201);
  const { text } = await call('GET', '/v1/plans/awkward');
  t.match(text, '"hasOwnProperty":{"calls":{"credits":"1","per":1}}');
  t.match(text, '"constructor":{"calls":{"credits":"2","per":1}}');
});

t.test(
  'the list shows what is active and in force, in order, page by page; admins may ask for all',
  async (t) => {
    await call('PUT', '/v1/plans/z-first', { ...BASIC, display_order: 1 });
    await call('PUT', '/v1/plans/a-second', { ...BASIC, display_order: 2 });
    await call('PUT', '/v1/plans/gone', { ...BASIC, display_order: 0, active: false });
    await call('PUT', '/v1/plans/coming', { ...BASIC, display_order: 0, effective_from: minutes(5) });
    const idsOf = async (query: string, key?: string) => {
      const ids: string[] = [];
      for (let cursor = ''; ; ) {
        const { body } = await call('GET', `/v1/plans?page_size=2${query}${cursor}`, undefined, key);
        ids.push(...body.data.map(({ id }: { id: string }) => id));
        if (body.next_cursor === null) return ids;
        cursor = `&cursor=${body.next_cursor}`;
      }
    };
    const offered = ['z-first', 'a-second', 'all', 'awkward', 'basic', 'first-later', 'later'];
    t.same(await idsOf('', own), offered);
    t.same(await idsOf('&all=true'), ['gone', ...offered]);
    t.match(await call('GET', '/v1/plans?all=true', undefined, own), {
      status: 403,
      body: { code: 'forbidden' },
    });
    t.match(await call('GET', '/v1/plans?cursor=abc'), {
      status: 400,
      body: { errors: [{ field: 'cursor' }] },
    });
    t.match((await call('GET', '/v1/plans/gone', undefined, own)).body, { active: false });
  },
);

t.test(
  'a default that is spelled out is the same content, and so are dimensions in another order',
  async (t) => {
    const { included } = BASIC;
    const tokens = { unit: 'tokens', model: '*', amount: '5', per: 'period' };
    const put = (plan: object) => call('PUT', '/v1/plans/spelled', plan);
    t.equal((await put({ ...BASIC, included: [...included, tokens] })).status, 201);
    const five = ['output_tokens', 'input_tokens', 'reasoning_tokens', 'cache_write_tokens'];
    const spelledOut = {
      ...BASIC,
      anchor: 'subscription',
      features: [],
      trial_days: 0,
      caps: [],
      overage_multiplier: '1.0',
      overage_prices: {},
      price_book: 'default',
      refund_on_cancel: false,
      default_plan: false,
      active: true,
      included: [...included, { ...tokens, counted_dimensions: [...five, 'cached_input_tokens'] }],
    };
    t.match(await put(spelledOut), { status: 200, body: { version: 1 } });
    const some = (counted_dimensions: readonly string[]) =>
      put({ ...BASIC, included: [{ ...tokens, counted_dimensions }] });
    t.match(await some(five), { status: 201, body: { version: 2 } });
    t.match(await some(five.toReversed()), { status: 200, body: { version: 2 } });
    t.match(await some(five.slice(1)), { status: 201, body: { version: 3 } });
    for (const [index, more] of [{ active: false }, { trial_days: 1 }, { allowed_models: [] }].entries())
      t.match(await put({ ...BASIC, ...more }), { status: 201, body: { version: 4 + index } });
  },
);

t.test('the plan of docs/api.md has every member that there is, and is published as it stands', async (t) => {
  const page = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
  const written = /^```json\n(.*?)^```/ms.exec(page.slice(page.indexOf('**A plan**')))?.[1] ?? '';
  const plan = JSON.parse(written);
  const { paths } = ledger.app.swagger() as unknown as {
    paths: Record<string, { put: { requestBody: { content: Record<string, { schema: JsonObject }> } } }>;
  };
  const { schema } = paths['/v1/plans/{id}']?.put.requestBody.content['application/json'] ?? {};
  t.same(Object.keys(plan).sort(), Object.keys(schema?.properties ?? {}).sort());
  for (const name of Object.keys(plan))
    t.match(page, new RegExp(`^\\|.*\`${name}\`.*\\|.*\\|.*\\|$`, 'm'), name);
  t.match(await call('PUT', '/v1/plans/of-the-page', plan), { status: 201, body: { version: 1 } });
});

interface JsonObject {
  readonly properties: Readonly<Record<string, object>>;
}
