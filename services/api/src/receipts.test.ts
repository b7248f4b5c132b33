import {
  compareKept,
  type LaterSeal,
  type NumberedHash,
  parseReceipt,
  sealsOf,
  verifyReceipt,
} from '@tallystick/audit';
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
  t.equal(verifyReceipt(parseReceipt(text)), null);
  t.notOk('later' in body, 'links only where they are asked for');
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

const numberAndHash = ({ number, hash }: NumberedHash) => ({ number, hash });

t.test('a receipt leads on to a later seal, so that whoever has kept that one can check it', async (t) => {
  await call('POST', '/v1/usage', { ...usage, id: 'u3' });
  await seal();
  const { data } = (await call('GET', '/v1/seals?from=1')).body;
  t.same(
    data.map(({ number }: { number: number }) => number),
    [1, 2, 3],
  );
  const { text, status } = await call('GET', `/v1/receipts/${entry}?seal=3`);
  t.equal(status, 200, text);
  const receipt = parseReceipt(text);
  t.equal(verifyReceipt(receipt), null);
  t.same(sealsOf(receipt), data.map(numberAndHash));
  t.equal(compareKept(receipt, { number: 3, hash: data[2].hash }).status, 'same');
  t.notMatch(text, /USD|98\.76|0\.07|openai|rival|genesis|pricebook|apikey/);
  t.match((await call('GET', `/v1/receipts/${entry}?seal=1`)).body, { later: [] });
});

t.test('the rows of the seals tell how each hash is made, and lengthen a receipt', async (t) => {
  const { data } = (await call('GET', '/v1/seals?from=2')).body;
  const { body } = await call('GET', `/v1/receipts/${entry}`);
  const later = data.map(({ data, internal }: LaterSeal) => ({ data, internal }));
  t.same(sealsOf({ ...body, later }).slice(1), data.map(numberAndHash));
  t.match(data, [{ previous_hash: body.seal.hash }, { previous_hash: data[0].hash }]);
  const [first] = (await call('GET', '/v1/seals?from=1&page_size=1')).body.data;
  t.equal(first.previous_hash, body.seal.previous_hash, 'that of the first begins the chain');
});

t.test('seals are listed from a number on as well, page by page', async (t) => {
  const first = await call('GET', '/v1/seals?from=2&page_size=1');
  t.match(first.body.data, [{ number: 2 }]);
  const cursor = first.body.next_cursor;
  const second = await call('GET', `/v1/seals?from=2&page_size=1&cursor=${cursor}`);
  t.match(second.body, { data: [{ number: 3 }], next_cursor: null });
  t.match(await call('GET', `/v1/seals?cursor=${cursor}`), { status: 400 }, 'not the other way');
});

t.test('a seal that the receipt cannot lead to is refused, and it says how to go on', async (t) => {
  const { body } = await call('GET', '/v1/receipts/wallet-acme:3');
  const own = body.seal.number;
  const REFUSED: readonly [number, RegExp][] = [
    [own - 1, new RegExp(`must be ${own} or more: the entry is in seal ${own}`)],
    [4, /must be 3 at most: there is no later seal yet/],
    [own + 2_001, new RegExp(`must be ${own + 2_000} at most.*GET /v1/seals\\?from=${own + 2_001}`)],
  ];
  for (const [number, rule] of REFUSED)
    t.match(
      await call('GET', `/v1/receipts/wallet-acme:3?seal=${number}`),
      { status: 422, body: { code: 'invalid_value', errors: [{ field: 'seal', rule }] } },
      String(number),
    );
  for (const text of ['0', '1e40', '1.5'])
    t.match(await call('GET', `/v1/receipts/wallet-acme:3?seal=${text}`), { status: 422 }, text);
});

t.test('a row of the seals that was changed leads nowhere', async (t) => {
  await ledger.pool.query(`update ${ledger.schema}.seals set internal = repeat('0', 64) where number = 2`);
  t.match(await call('GET', `/v1/receipts/${entry}?seal=3`), { status: 500 });
  t.match(await call('GET', `/v1/receipts/${entry}`), { status: 200 }, 'its own seal is read from its event');
});

t.test(
  'a sealed entry that cannot be read, or says nothing of its entry any more, is a fault and not missing',
  async (t) => {
    const readStream = store.readStream.bind(store);
    t.teardown(() => {
      store.readStream = readStream;
    });
    for (const data of ['{', '{}', 'null', null]) {
      store.readStream = async (stream, options) =>
        (await readStream(stream, options)).flatMap((read) => {
          if (read.stream !== 'wallet-acme' || read.revision !== 1) return [read];
          return data === null ? [] : [{ ...read, data }];
        });
      t.match(await call('GET', '/v1/receipts/wallet-acme:1'), { status: 500 }, String(data));
    }
  },
);

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
