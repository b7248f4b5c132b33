import t from 'tap';
import { areResults } from './answers.ts';
import { ACCOUNT, CREDITS, MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
const { between } = served;
const client = served.client();
const item = (id: string) => ({ id, account: ACCOUNT, model: MODEL, usage: { input_tokens: 1 } });
const ok = (body: unknown) => ({
  status: 200,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
/** Nobody waits for so long, so no other try follows. */
const LAST = { headers: { 'retry-after': '60' } } as const;
const topUp = (reference: string) => ({ credits: '1', source: 'test', reference });
const charged = (id: string) => ({ id, status: 'charged', entry_id: 'acme-9', position: '9' });

t.beforeEach(() => {
  between.requests.length = 0;
  between.mishaps.length = 0;
});

const hold = { id: 'h', expires_in: 60 };
const asked = { account: ACCOUNT, model: MODEL, estimate: { input_tokens: 1 } };
const reversal = { reason: 'a slip' };
const grant = { credits: '1', kind: 'gift', reference: 'g' };
const payment = { paid: { amount: '1', currency: 'USD' }, reference: 'r' };
const declined = { result: 'declined', reference: 'r' } as const;
const calls: readonly (readonly [string, (given: typeof client) => Promise<unknown>])[] = [
  ['usage.post', ({ usage }) => usage.post(item('p'))],
  ['usage.charge', ({ usage }) => usage.charge(item('c'))],
  ['usage.postMany', ({ usage }) => usage.postMany([item('m')])],
  ['usage.reprice', ({ usage }) => usage.reprice(ACCOUNT, 'p')],
  ['authorize', ({ authorize }) => authorize({ ...asked, hold })],
  ['holds.settle', ({ holds }) => holds.settle(ACCOUNT, 'h', { usage: { input_tokens: 1 } })],
  ['holds.void', ({ holds }) => holds.void(ACCOUNT, 'h')],
  ['holds.extend', ({ holds }) => holds.extend(ACCOUNT, 'h', { expires_in: 60 })],
  ['credits.topUp', ({ credits }) => credits.topUp(ACCOUNT, topUp('misfit'))],
  ['credits.grant', ({ credits }) => credits.grant(ACCOUNT, grant)],
  ['credits.adjust', ({ credits }) => credits.adjust(ACCOUNT, { ...reversal, credits: '1', reference: 'a' })],
  ['credits.reverse', ({ credits }) => credits.reverse(ACCOUNT, 'acme-1', reversal)],
  ['purchases.open', ({ purchases }) => purchases.open(ACCOUNT, { package: 'p', reference: 'p' })],
  ['purchases.recordPayment', ({ purchases }) => purchases.recordPayment(ACCOUNT, 'p', payment)],
  ['purchases.cancel', ({ purchases }) => purchases.cancel(ACCOUNT, 'p')],
  ['coupons.apply', ({ coupons }) => coupons.apply(ACCOUNT, 'C')],
  ['billing.applyCoupon', ({ billing }) => billing.applyCoupon('C', { account: ACCOUNT })],
  ['autoTopUp.recordResult', ({ autoTopUp }) => autoTopUp.recordResult(ACCOUNT, 'a', declined)],
];
for (const [name, call] of calls) {
  t.test(`${name}: a 2xx of something in between counts for nothing, and is repeated`, async (t) => {
    for (const misfit of [ok({ status: 'ok' }), ok('{"id":"p","sta'), ok([]), { status: 204, body: '' }]) {
      between.requests.length = 0;
      between.mishaps.push(misfit, { ...misfit, ...LAST });
      const error = await call(client).catch((thrown: unknown) => thrown);
      t.match(error, { name: 'LedgerUnreachable', status: misfit.status });
      t.equal(between.requests.length, 2);
      t.equal(between.requests[0]?.body, between.requests[1]?.body);
    }
  });
}

t.test('what did not fit at first is found out by the same id, and happens once', async (t) => {
  const { available } = await client.accounts.balance(ACCOUNT);
  for (const call of [
    () => client.usage.post(item('once')),
    () => client.usage.charge(item('gathered')),
    () => client.credits.topUp(ACCOUNT, topUp('twice')),
  ]) {
    between.requests.length = 0;
    between.mishaps.push('cut_answer', ok({ status: 'ok' }));
    await call();
    t.equal(between.requests.length, 3);
  }
  t.equal(available, String(CREDITS));
  t.equal((await client.accounts.balance(ACCOUNT)).available, String(CREDITS - 2 + 1));
});

t.test("another request's charge is not this one's", async (t) => {
  between.mishaps.push(ok(charged('other')), ok({ ...charged('mine'), status: 'queued' }));
  t.match(await client.usage.post(item('mine')), { id: 'mine', status: 'charged', credits: '1' });
  t.equal(between.requests.length, 3);
});

const refused = { id: 'b', status: 'refused', problem: { code: 'c', title: 't', status: 402, type: 'u' } };
for (const [what, results, fits] of [
  ['each names its item', [charged('a'), refused], true],
  ['parked usage is an answer', [{ id: 'a', status: 'unpriced', position: '1' }, refused], true],
  ['one is missing', [charged('a')], false],
  ['one is too many', [charged('a'), refused, refused], false],
  ['they are in another order', [refused, charged('a')], false],
  ['a status is not known', [{ ...charged('a'), status: 'queued' }, refused], false],
  ['a charge has no entry', [{ ...charged('a'), entry_id: undefined }, refused], false],
  ['a charge has no position', [{ ...charged('a'), position: undefined }, refused], false],
  ['a refusal has no problem', [charged('a'), { id: 'b', status: 'refused' }], false],
  ['one is nothing', [charged('a'), null], false],
] as const) {
  t.test(`results ${fits ? 'fit' : 'do not fit'}: ${what}`, async (t) => {
    t.equal(areResults({ results }, [{ id: 'a' }, { id: 'b' }]), fits);
  });
}

t.test('items whose id cannot be read are answered too, and spoil no other', async (t) => {
  const results = await client.usage.postMany([
    item('x'.repeat(500)),
    { ...item(''), id: 7 as never },
    item('not an id'),
    item('good'),
  ]);
  t.match(
    results.map(({ status }) => status),
    ['refused', 'refused', 'refused', 'charged'],
  );
  t.equal(between.requests.length, 1);
});

t.test('a hold that was settled under another id answers as that charge, and spoils no other', async (t) => {
  await client.authorize({ ...asked, hold });
  const first = await client.usage.post({ ...item('under'), hold: 'h' });
  t.match(await client.holds.settle(ACCOUNT, 'h', { usage: item('').usage }), { id: 'under' });
  t.match(await client.usage.post({ ...item('h'), hold: 'h' }), { id: 'under' });
  const items = [{ ...item('h'), hold: 'h' }, item('h'), { ...item('under'), hold: 'h' }];
  for (const each of await client.usage.postMany(items))
    t.match(each, { id: 'under', position: first.position, replayed: true });
  t.equal(between.requests.length, 5);
});

t.test('replayed results in another order do not fit', async (t) => {
  const [one, two] = ['a', 'b'].map((id, index) => ({
    ...charged(id),
    entry_id: `e${index}`,
    replayed: true,
  }));
  t.ok(areResults({ results: [one, two] }, [{ id: 'a' }, { id: 'b' }]));
  t.notOk(areResults({ results: [two, one] }, [{ id: 'a' }, { id: 'b' }]));
  t.ok(areResults({ results: [one, one] }, [{ id: 'a' }, { id: 'b' }]), 'one charge, asked for by two ids');
});

t.test('gathered charges never get the answers of each other', async (t) => {
  const results = ['two', 'one'].map(charged);
  between.mishaps.push(ok({ results }), ok({ results: results.slice(1) }), ok({}));
  const answers = await Promise.all(['one', 'two'].map((id) => client.usage.charge(item(id))));
  t.match(answers, [
    { id: 'one', credits: '1' },
    { id: 'two', credits: '1' },
  ]);
  t.equal(between.requests.length, 4);
});

t.test('where it is not the ledger that answers, the policy decides', async (t) => {
  between.mishaps.push({ ...ok({ status: 'ok' }), ...LAST });
  const timeout = { timeoutMs: 10_000, onTimeout: 'deny' } as const;
  t.match(await client.authorize(asked, timeout), { decidedBy: 'policy', allowed: false });
});
