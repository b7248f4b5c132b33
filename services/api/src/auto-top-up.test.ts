import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const offMs = 0;
const now = (): number => Date.now() + offMs;
const ledger = await startTestLedger({ now });
t.teardown(() => ledger.stop());
const { call, newKey } = ledger;

const usd = (amount: string) => ({ amount, currency: 'USD' });
await call('PUT', '/v1/packages/free-amount', {
  rate: { credits: '100', currency: 'USD' },
  volume_bonus: [{ from: '100', percent: '10' }],
});
let count = 0;
async function account(): Promise<string> {
  const id = `account-${++count}`;
  await call('POST', '/v1/accounts', { id });
  await call('POST', `/v1/accounts/${id}/grants`, { credits: '100', kind: 'promo', reference: 'g' });
  return id;
}
const set = (id: string, body: object = {}, key?: string) =>
  call(
    'PUT',
    `/v1/accounts/${id}/auto-top-up`,
    { enabled: true, threshold: '100', amount: usd('100'), ...body },
    key,
  );
const get = async (id: string) => (await call('GET', `/v1/accounts/${id}/auto-top-up`)).body;
let spent = 0;
const spend = (id: string, credits: string) =>
  call('POST', `/v1/accounts/${id}/adjustments`, {
    credits: `-${credits}`,
    reason: 'use',
    reference: `a${++spent}`,
  });
const tell = (id: string, request: string, body: object, key?: string) =>
  call('POST', `/v1/accounts/${id}/auto-top-ups/${request}/result`, body, key);
const balance = async (id: string): Promise<string> =>
  (await call('GET', `/v1/accounts/${id}/balance`)).body.available;

t.test('below its threshold an account asks once, and paid it is a purchase', async (t) => {
  const id = await account();
  t.match((await set(id)).body, {
    enabled: true,
    threshold: '100',
    amount: usd('100'),
    cool_off_seconds: 3600,
    daily_cap: 3,
    off: false,
    open: null,
  });
  await spend(id, '1');
  const { open } = await get(id);
  t.match(open, { amount: usd('100') });
  await spend(id, '1');
  t.same((await get(id)).open, open, 'one at a time');
  const paid = await tell(id, open.id, { result: 'paid', paid: usd('100.00'), reference: 'charge-1' });
  t.match(paid, {
    status: 201,
    body: {
      result: 'paid',
      purchase: { id: open.id, status: 'paid', credits: '10000', bonus: '1000', total: usd('100') },
    },
  });
  t.match(await tell(id, open.id, { result: 'paid', paid: usd('100'), reference: 'charge-1' }), {
    status: 200,
    body: paid.body,
  });
  t.equal(await balance(id), '11098');
  t.equal((await get(id)).open, null);
  t.match((await call('GET', `/v1/accounts/${id}/purchases`)).body.data, [{ id: open.id, status: 'paid' }]);
  t.match((await call('GET', `/v1/accounts/${id}/purchases/${open.id}`)).body, {
    lots: paid.body.purchase.lots,
  });
});

t.test('an account that is below already asks as soon as it is set', async (t) => {
  const id = await account();
  t.not((await set(id, { threshold: '500' })).body.open, null);
});

t.test('another sum, and money that comes late, wait for finance', async (t) => {
  const id = await account();
  await set(id, { threshold: '500', cool_off_seconds: 0 });
  const { open } = await get(id);
  t.match(await tell(id, open.id, { result: 'paid', paid: usd('99'), reference: 'c1' }), {
    status: 201,
    body: { result: 'unapplied', purchase: null },
  });
  t.match((await tell(id, open.id, { result: 'paid', paid: usd('100'), reference: 'c2' })).body, {
    result: 'unapplied',
    purchase: null,
  });
  t.match((await tell(id, open.id, { result: 'declined', reference: 'c3' })).body, { result: 'declined' });
  t.equal(await balance(id), '100');
  t.match((await tell(id, 'auto-top-up-999', { result: 'declined', reference: 'c4' })).body, {
    code: 'auto_top_up_not_found',
  });
});

t.test('off after three were declined in a row, until it is set again', async (t) => {
  const id = await account();
  const settings = { threshold: '500', cool_off_seconds: 0, daily_cap: 100 };
  await set(id, settings);
  for (let n = 0; n < 3; n++) {
    const { open } = await get(id);
    t.match((await tell(id, open.id, { result: 'declined', reference: `d${n}` })).body, {
      result: 'declined',
    });
    await spend(id, '1');
  }
  t.match(await get(id), { off: true, open: null });
  t.match((await set(id, settings)).body, { off: false });
});

t.test('what is not on offer cannot be set, and values are checked', async (t) => {
  const id = await account();
  t.equal((await set(id, { amount: { amount: '10', currency: 'CNY' } })).body.code, 'currency_not_offered');
  t.equal((await set(id, { amount: usd('0.001') })).body.code, 'amount_out_of_range');
  t.equal((await set(id, { threshold: '-1' })).status, 422);
  t.equal((await set(id, { daily_cap: 0 })).status, 422);
  t.equal((await call('GET', `/v1/accounts/${id}/auto-top-up`)).status, 404);
  t.equal((await tell(id, 'x', { result: 'paid', reference: 'r' })).status, 422);
  t.equal((await tell(id, 'x', { result: 'declined', paid: usd('1'), reference: 'r' })).status, 422);
});

t.test('an owner sets it for the own account; what came of it only finance tells', async (t) => {
  const [id, other] = [await account(), await account()];
  const owner = await newKey(['manage'], id);
  t.equal((await set(id, {}, owner)).status, 200);
  t.equal((await set(other, {}, owner)).status, 403);
  t.equal((await tell(id, 'x', { result: 'declined', reference: 'r' }, owner)).status, 403);
});
