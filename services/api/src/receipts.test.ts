import { parseReceipt, verifyReceipt } from '@tallystick/audit';
import t from 'tap';
import { readLastSeal, sealAfter } from './sealing.ts';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call, newKey, store } = ledger;

async function seal(): Promise<void> {
  await sealAfter(ledger, await readLastSeal(store));
  await ledger.projector.caughtUp();
}

await call('PUT', '/v1/price-books/default', {
  credit_value: { amount: '0.01', currency: 'USD' },
  models: {
    m: {
      supplier: 'openai',
      prices: { calls: { cost: { amount: '0.07', currency: 'USD' }, per: 1, markup: '0' } },
    },
  },
});
for (const id of ['acme', 'rival']) {
  await call('POST', '/v1/accounts', { id });
  const paid = { amount: '98.76', currency: 'USD' };
  await call('POST', `/v1/accounts/${id}/top-ups`, { credits: '100', paid, source: 's', reference: 'r' });
}
const usage = { account: 'acme', model: 'm', usage: { calls: 1 }, cost: { amount: '0.07', currency: 'USD' } };
const charged = await call('POST', '/v1/usage', { ...usage, id: 'u1' });
const entry: string = charged.body.entry_id;

t.test('an entry that is not sealed yet has no receipt, and is told when it will have one', async (t) => {
  const { status, body, headers } = await call('GET', `/v1/receipts/${entry}`);
  t.equal(status, 409);
  t.match(body, { code: 'not_sealed_yet', due_at: /^\d{4}-.*Z$/ });
  t.ok(Number(headers['retry-after']) > 0);
});

t.test('a sealed entry has a receipt that proves it against the listed seal', async (t) => {
  await seal();
  const { status, body, text } = await call('GET', `/v1/receipts/${entry}`);
  t.equal(status, 200, text);
  const { body: seals } = await call('GET', '/v1/seals');
  const [latest] = seals.data;
  t.match(latest, { number: 1, hash: body.seal.hash });
  t.equal(verifyReceipt(parseReceipt(text), latest.hash), null);
  t.match(JSON.parse(body.event.data), { usage_id: 'u1', credits: '7' });
  const [stored] = await store.readRevisions('wallet-acme', [body.range.to]);
  t.ok(stored, 'the range is one of the stream');
  t.equal(
    verifyReceipt(parseReceipt(text.replace('\\"credits\\":\\"7\\"', '\\"credits\\":\\"6\\"')))?.what,
    'the hash of the event',
  );
});

t.test('a receipt holds nothing in a currency, and no name of anybody else', async (t) => {
  const { text } = await call('GET', `/v1/receipts/${entry}`);
  t.notMatch(text, /USD|98\.76|0\.07|openai|rival|genesis|pricebook|apikey/);
  const { text: seals } = await call('GET', '/v1/seals');
  t.notMatch(seals, /rival|acme|wallet/);
});

t.test("an account's own key has the receipts of its own entries and of no others", async (t) => {
  const key = await newKey(['read'], 'acme');
  t.equal((await call('GET', `/v1/receipts/${entry}`, undefined, key)).status, 200);
  t.equal((await call('GET', '/v1/seals', undefined, key)).status, 200);
  for (const other of ['wallet-rival:1', 'wallet-nobody:1', 'seal-ledger:0', 'nonsense'])
    t.equal((await call('GET', `/v1/receipts/${other}`, undefined, key)).status, 403, other);
  const usageKey = await newKey(['usage']);
  t.equal((await call('GET', `/v1/receipts/${entry}`, undefined, usageKey)).status, 403);
  t.equal((await call('GET', '/v1/seals', undefined, usageKey)).status, 403);
});

t.test('what is no entry of a wallet has no receipt', async (t) => {
  for (const other of ['wallet-acme:0', 'wallet-acme:99', 'ledger-genesis:0', 'profile-acme:0', 'nonsense'])
    t.match(
      await call('GET', `/v1/receipts/${other}`),
      { status: 404, body: { code: 'entry_not_found' } },
      other,
    );
});

t.test('seals are listed newest first, page by page', async (t) => {
  await call('POST', '/v1/usage', { ...usage, id: 'u2' });
  await seal();
  const first = await call('GET', '/v1/seals?page_size=1');
  t.match(first.body.data, [{ number: 2 }]);
  const second = await call('GET', `/v1/seals?page_size=1&cursor=${first.body.next_cursor}`);
  t.match(second.body, { data: [{ number: 1 }], next_cursor: null });
  t.match(await call('GET', '/v1/seals?cursor=x'), { status: 400 });
});

t.test('an entry that was changed after it was sealed gets no receipt', async (t) => {
  const [event] = await store.readRevisions('wallet-acme', [1]);
  const forged = { ...event, data: event?.data.replace('"credits":"100"', '"credits":"900"') };
  t.not(forged.data, event?.data);
  const readStream = store.readStream.bind(store);
  store.readStream = async (stream, options) =>
    (await readStream(stream, options)).map((read) =>
      read.stream === 'wallet-acme' && read.revision === 1 ? { ...read, data: forged.data ?? '' } : read,
    );
  t.teardown(() => {
    store.readStream = readStream;
  });
  t.match(await call('GET', '/v1/receipts/wallet-acme:1'), { status: 500, body: { code: 'internal_error' } });
});
