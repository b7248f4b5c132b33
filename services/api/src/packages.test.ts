import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;
await call('POST', '/v1/accounts', { id: 'acme' });
const own = await newKey(['read'], 'acme');

const price = { amount: '90', currency: 'USD' };

t.test('one price or several, in one form when they are read', async (t) => {
  const put = await call('PUT', '/v1/packages/pro', { name: 'Pro', credits: '10000', bonus: '1000', price });
  t.same([put.status, put.body], [201, { id: 'pro', version: 1 }]);
  const same = { name: 'Pro', credits: '10000.0', bonus: '1000', prices: [{ ...price, amount: '90.00' }] };
  t.match(await call('PUT', '/v1/packages/pro', same), { status: 200, body: { version: 1 } });
  t.same((await call('GET', '/v1/packages/pro', undefined, own)).body, {
    id: 'pro',
    version: 1,
    name: 'Pro',
    credits: '10000',
    bonus: '1000',
    prices: [price],
  });
});

t.test('a change is a version more, and the old one can still be read', async (t) => {
  const prices = [price, { amount: '650', currency: 'CNY' }];
  t.match(await call('PUT', '/v1/packages/pro', { credits: '10000', prices }), { body: { version: 2 } });
  t.match((await call('GET', '/v1/packages/pro')).body, { version: 2, prices });
  t.match((await call('GET', '/v1/packages/pro?version=1')).body, { version: 1, bonus: '1000' });
  t.match(await call('GET', '/v1/packages/pro?version=3'), {
    status: 404,
    body: { code: 'package_not_found' },
  });
});

t.test('free amounts have a rate and a volume bonus', async (t) => {
  const body = {
    rate: { credits: '100', currency: 'USD' },
    volume_bonus: [{ from: '100', percent: '10' }],
    display_order: 9,
  };
  t.equal((await call('PUT', '/v1/packages/any', body)).status, 201);
  t.same((await call('GET', '/v1/packages/any')).body, { id: 'any', version: 1, ...body });
  t.equal(ledger.catalogue.current().packages.freeAmount('USD')?.id, 'any');
});

t.test('a package is either the one or the other, and whole', async (t) => {
  const cases: readonly [status: number, field: string, body: object][] = [
    [422, 'body', {}],
    [422, 'body', { credits: '1', price, rate: { credits: '1', currency: 'USD' } }],
    [422, 'prices', { credits: '1' }],
    [422, 'prices', { credits: '1', price, prices: [price] }],
    [422, 'prices', { credits: '1', prices: [] }],
    [422, 'bonus', { rate: { credits: '1', currency: 'USD' }, bonus: '1' }],
    [422, 'volume_bonus', { credits: '1', price, volume_bonus: [] }],
    [422, 'prices.0.amount', { credits: '1', price: { amount: '0', currency: 'USD' } }],
    [422, 'prices.1.currency', { credits: '1', prices: [price, price] }],
    [400, 'price.currency', { credits: '1', price: { amount: '1', currency: 'dollars' } }],
    [422, 'rate.credits', { rate: { credits: '-1', currency: 'USD' } }],
  ];
  for (const [status, field, body] of cases) {
    const answer = await call('PUT', '/v1/packages/bad', body);
    t.equal(answer.status, status, field);
    t.ok(
      answer.body.errors?.some((fault: { field: string }) => fault.field === field),
      `${field}: ${answer.text}`,
    );
  }
  t.equal((await call('GET', '/v1/packages/bad')).status, 404);
});

t.test('the list is in order, without what can no longer be bought', async (t) => {
  await call('PUT', '/v1/packages/old', { credits: '1', price, active: false, display_order: 1 });
  await call('PUT', '/v1/packages/b', { credits: '1', price });
  const ids = async (query: string, key?: string) =>
    (await call('GET', `/v1/packages${query}`, undefined, key)).body.data.map(({ id }: { id: string }) => id);
  t.same(await ids('', own), ['any', 'b', 'pro']);
  t.same(await ids('?all=true'), ['old', 'any', 'b', 'pro']);
  t.equal((await call('GET', '/v1/packages?all=true', undefined, own)).status, 403);
  const first = (await call('GET', '/v1/packages?page_size=2')).body;
  t.equal(first.data.length, 2);
  t.same(await ids(`?page_size=2&cursor=${first.next_cursor}`), ['pro']);
});

t.test('a default that is spelled out makes no version', async (t) => {
  const plain = { credits: '5', price };
  const rate = { rate: { credits: '100', currency: 'EUR' } };
  t.equal((await call('PUT', '/v1/packages/plain', plain)).status, 201);
  const same = { ...plain, bonus: '0.0', active: true };
  t.match(await call('PUT', '/v1/packages/plain', same), { status: 200, body: { version: 1 } });
  t.equal((await call('PUT', '/v1/packages/rate', rate)).status, 201);
  const sameRate = { ...rate, volume_bonus: [], active: true };
  t.match(await call('PUT', '/v1/packages/rate', sameRate), { status: 200, body: { version: 1 } });
  for (const id of ['plain', 'rate'])
    await call('PUT', `/v1/packages/${id}`, { ...(id === 'rate' ? rate : plain), active: false });
  t.match((await call('GET', '/v1/packages/plain')).body, { version: 2, active: false });
});
