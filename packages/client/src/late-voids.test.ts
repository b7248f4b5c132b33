import t, { type Test } from 'tap';
import { startBetween } from './testing/between.ts';
import { ACCOUNT, CREDITS, MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
/** Past the mishaps. */
const direct = served.client({ url: served.url });
const request = (id: string) => ({
  account: ACCOUNT,
  model: MODEL,
  estimate: { input_tokens: 10 },
  hold: { id, expires_in: 600 },
});
const closed = { timeoutMs: 200, onTimeout: 'deny' } as const;

/** Of its own for each test: what goes on in the background must not meet the mishaps of another. */
async function start(t: Test) {
  const between = await startBetween(served.url);
  t.teardown(() => between.stop());
  const voids = () => between.requests.filter(({ path }) => path.endsWith('/void')).length;
  return {
    between,
    client: served.client({ url: between.url }),
    voids,
    async voided(hold: string): Promise<void> {
      for (;;) {
        const found = await direct.holds.get(ACCOUNT, hold).catch(() => null);
        if (found?.status === 'voided') return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async tried(count: number): Promise<void> {
      while (voids() < count) await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}

t.test('a hold that was placed while its caller was denied is made void', async (t) => {
  const { between, client, voided } = await start(t);
  between.mishaps.push('lose_answer', { status: 502, body: 'Bad Gateway', headers: { 'retry-after': '60' } });
  t.match(await client.authorize(request('unseen'), closed), { decidedBy: 'policy', allowed: false });
  await voided('unseen');
  t.match(await direct.accounts.balance(ACCOUNT), { available: String(CREDITS), held: '0' });
});

t.test('so is one that the ledger places only later', async (t) => {
  const { between, client, tried, voided } = await start(t);
  between.mishaps.push('hang');
  await client.authorize(request('later'), closed);
  await tried(1);
  t.match(await direct.authorize(request('later')), { allowed: true, hold: { id: 'later' } });
  await voided('later');
});

t.test('a void that does not come through is tried again', async (t) => {
  const { between, client, voided } = await start(t);
  between.mishaps.push('lose_answer', { status: 502, body: '', headers: { 'retry-after': '60' } });
  between.mishaps.push('lose_request');
  await client.authorize(request('again'), closed);
  await voided('again');
});

t.test('a call that may run keeps its hold, and so does one that asked for none', async (t) => {
  const { between, client, voids } = await start(t);
  between.mishaps.push('lose_answer', { status: 502, body: '', headers: { 'retry-after': '60' } });
  await client.authorize(request('open'), { ...closed, onTimeout: 'allow' });
  const { hold: _, ...advice } = request('');
  between.mishaps.push('hang');
  await client.authorize(advice, closed);
  // As long as it takes to make another one void, which was denied after these.
  between.mishaps.push('lose_answer', { status: 502, body: '', headers: { 'retry-after': '60' } });
  await client.authorize(request('last'), closed);
  while (voids() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  t.match(
    between.requests.filter(({ path }) => path.endsWith('/void')),
    [{ path: `/v1/accounts/${ACCOUNT}/holds/last/void` }],
  );
  t.match(await direct.holds.get(ACCOUNT, 'open'), { status: 'open' });
});

t.test('a caller who was denied and comes again under the same id is charged all the same', async (t) => {
  const { between, client, voided } = await start(t);
  between.mishaps.push('lose_answer', { status: 502, body: '', headers: { 'retry-after': '60' } });
  const { hold, ...asked } = request('same');
  const terms = { ...asked, ...hold };
  const denied = client.withHold({ ...terms, timeout: closed }, () => t.fail() as never);
  await t.rejects(denied, { name: 'HoldDenied' });
  await voided('same');
  const { charge } = await client.withHold(terms, async () => ({ usage: { input_tokens: 3 } }));
  t.match(charge, { id: 'same', status: 'charged', credits: '3' });
});
