import t from 'tap';
import { createClient } from './client.ts';
import { LedgerRefused, LedgerUnreachable } from './errors.ts';
import { problem } from './testing/between.ts';
import { ACCOUNT, CREDITS, MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
const { between } = served;
const client = served.client();
let left = CREDITS;
const item = (id: string) => ({ id, account: ACCOUNT, model: MODEL, usage: { input_tokens: 1 } });

t.beforeEach(() => {
  between.requests.length = 0;
  between.mishaps.length = 0;
});

t.test('a charge whose answer was lost is sent again under its id, and charged once', async (t) => {
  between.mishaps.push('lose_answer', 'lose_request');
  const { id, ...anonymous } = item('lost');
  for (const usage of [{ ...anonymous, id }, anonymous]) {
    const charged = await client.usage.post(usage);
    left -= 1;
    t.match(charged, { status: 'charged', balance: { available: String(left) } });
  }
  const [first, second, third, other] = between.requests.map(({ body }) => JSON.parse(body));
  t.equal(between.requests.length, 4);
  t.strictSame([second, third], [first, first]);
  t.notSame(other.id, first.id);
});

t.test('an id that was left out is made before the first try', async (t) => {
  between.mishaps.push('lose_answer', 'lose_answer', 'lose_answer');
  const { id: _, ...anonymous } = item('');
  await client.usage.post(anonymous);
  left -= 1;
  const account = await client.accounts.open({ name: 'Made up' });
  t.match(account.id, /^acct_[0-9a-f]{32}$/);
  const bodies = between.requests.map(({ body }) => JSON.parse(body));
  t.ok(bodies[0].id);
  t.equal(new Set(bodies.slice(0, 4).map(({ id }) => id)).size, 1);
  t.equal(bodies.at(-1).id, account.id);
  t.equal((await client.accounts.balance(ACCOUNT)).available, String(left));
});

for (const [what, mishap] of [
  ['429', problem('queue_full', 429, { 'retry-after': '0' })],
  ['503', problem('outcome_unknown', 503, { 'retry-after': new Date(0).toUTCString() })],
  ['a 502 of something in between', { status: 502, body: '<html>Bad Gateway</html>' }],
  ['504', problem('gateway', 504)],
] as const) {
  t.test(`${what} is tried again`, async (t) => {
    between.mishaps.push(mishap);
    t.match(await client.usage.post(item(`after-${what.replaceAll(' ', '-')}`)), { status: 'charged' });
    left -= 1;
    t.equal(between.requests.length, 2);
    t.equal(between.requests[0]?.body, between.requests[1]?.body);
  });
}

t.test('a refusal is told as the problem that it is, after one try', async (t) => {
  const refused = await client.usage
    .post({ ...item('much'), usage: { input_tokens: 1_000_000 } })
    .catch((e) => e);
  t.ok(refused instanceof LedgerRefused);
  t.match(refused, {
    code: 'insufficient_credits',
    status: 402,
    problem: { available: String(left), required: '1000000' },
  });
  const invalid = await client.usage.post({ ...item('bad'), usage: { input_tokens: 0.5 } }).catch((e) => e);
  t.match(invalid, { code: 'invalid_value', errors: [{ field: 'usage.input_tokens' }] });
  t.match(invalid.message, /^invalid_value: .* \(usage\.input_tokens must /);
  t.equal(between.requests.length, 2);
});

t.test('a wrong key is no outage', (t) =>
  t.rejects(served.client({ key: 'wrong' }).accounts.get(ACCOUNT), { name: 'LedgerRefused', status: 401 }),
);

t.test('who asks for more time than there is gets it told at once', async (t) => {
  between.mishaps.push(problem('stream_unreadable', 503, { 'retry-after': '3600' }));
  await t.rejects(client.accounts.balance(ACCOUNT), { code: 'stream_unreadable', retryAfterMs: 3_600_000 });
  t.equal(between.requests.length, 1);
});

t.test('when the time is over the last reason is told', async (t) => {
  between.mishaps.push(...Array.from({ length: 50 }, () => problem('store_unavailable', 503)));
  await t.rejects(served.client({ withinMs: 200 }).accounts.balance(ACCOUNT), { code: 'store_unavailable' });
  t.ok(between.requests.length >= 2);
});

t.test('a try that nobody answers is given up, and the next one is answered', async (t) => {
  between.mishaps.push('hang');
  const impatient = served.client({ tryMs: 500 });
  t.match(await impatient.usage.post(item('hung')), { status: 'charged' });
  left -= 1;
  t.equal(between.requests.length, 2);
});

t.test('a ledger that is not there is unreachable, and why is said', async (t) => {
  const nowhere = createClient({ url: 'http://127.0.0.1:1', key: 'k', withinMs: 100 });
  const error = await nowhere.accounts.get(ACCOUNT).catch((e) => e);
  t.ok(error instanceof LedgerUnreachable);
  t.match(error.message, /^GET http:\/\/127\.0\.0\.1:1\/v1\/accounts\/acme: /);
  t.equal(error.status, null);
  t.ok(error.cause);
});

t.test("an answer that is not the ledger's is told as such, after one try", async (t) => {
  between.mishaps.push({ status: 302, body: '', headers: { location: '/elsewhere' } });
  await t.rejects(client.accounts.get(ACCOUNT), { name: 'LedgerUnreachable', status: 302 });
  t.equal(between.requests.length, 1);
});

t.test(
  'a success that is cut off, or none of the ledger, is tried again as if nothing had come',
  async (t) => {
    const hotel = { status: 200, body: '<html>Welcome to our hotel</html>' };
    between.mishaps.push('cut_answer', hotel);
    t.match(await client.accounts.get(ACCOUNT), { id: ACCOUNT });
    t.equal(between.requests.length, 3);
    between.mishaps.push(hotel, { ...hotel, headers: { 'retry-after': '60' } });
    await t.rejects(client.accounts.get(ACCOUNT), { name: 'LedgerUnreachable', status: 200 });
  },
);

t.test('an API key is asked for once: a second try would make a second one', async (t) => {
  between.mishaps.push('lose_answer');
  await t.rejects(client.apiKeys.create({ name: 'once', scopes: ['read'] }), { name: 'LedgerUnreachable' });
  t.equal(between.requests.length, 1);
});

t.test('an id that would lead to another route is refused before it is sent', async (t) => {
  for (const id of ['', '.', '..']) await t.rejects(client.accounts.balance(id), { name: 'TypeError' });
  await t.rejects(client.accounts.get('a/b?c'), { name: 'LedgerRefused', status: 400 });
  t.equal(between.requests[0]?.path, '/v1/accounts/a%2Fb%3Fc');
  t.equal(between.requests.length, 1);
});

t.test('a URL or a key that can never work is refused when the client is made', async (t) => {
  t.throws(() => createClient({ url: 'nonsense', key: 'k' }));
  t.throws(() => createClient({ url: 'http://127.0.0.1', key: 'two\nlines' }));
});

t.test('a path before the routes is kept', async (t) => {
  const under = served.client({ url: `${between.url}/billing/` });
  await t.rejects(under.accounts.get(ACCOUNT), { name: 'LedgerRefused', status: 404 });
  t.equal(between.requests[0]?.path, '/billing/v1/accounts/acme');
});
