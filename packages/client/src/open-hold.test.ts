import t from 'tap';
import { HoldDenied, SettleUndelivered } from './open-hold.ts';
import { problem } from './testing/between.ts';
import { ACCOUNT, CREDITS, MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
const { between } = served;
const client = served.client({ settleWithinMs: 300 });
/** Past the mishaps. */
const { accounts, holds, usage } = served.client({ url: served.url });
let left = CREDITS;

const request = (id: string) =>
  ({ id, account: ACCOUNT, model: MODEL, estimate: { input_tokens: 100 }, expires_in: 60 }) as const;
const used = (tokens: number) => ({ usage: { input_tokens: tokens } });
async function balance() {
  const { available, held } = await accounts.balance(ACCOUNT);
  return { available, held };
}
const always = (mishap: (typeof between.mishaps)[number]) => Array.from({ length: 50 }, () => mishap);

t.beforeEach(() => {
  between.requests.length = 0;
  between.mishaps.length = 0;
});

t.test('a call that ends is settled with what it gives back', async (t) => {
  const { charge, ran } = await client.withHold(request('done'), async (hold) => {
    t.equal(hold.id, 'done');
    t.match(hold.authorized, { decidedBy: 'ledger', credits: '100' });
    t.strictSame(await balance(), { available: String(left - 100), held: '100' });
    return { ...used(7), text: 'an answer' };
  });
  left -= 7;
  t.match(charge, { id: 'done', status: 'charged', credits: '7' });
  t.equal(ran.text, 'an answer');
  t.strictSame(await balance(), { available: String(left), held: '0' });
  t.match(await holds.get(ACCOUNT, 'done'), { status: 'settled' });
  t.match(await holds.settle(ACCOUNT, 'done', used(7)), charge, 'to the ledger it is the settle of the hold');
});

t.test('without an id it makes one', async (t) => {
  const { id: _, ...anonymous } = request('');
  const { charge } = await client.withHold(anonymous, async () => used(1));
  left -= 1;
  t.match(charge.id, /^[0-9a-f-]{36}$/);
});

t.test('a call that throws is not charged, and its error is thrown on', async (t) => {
  const failure = new Error('the supplier is away');
  await t.rejects(
    client.withHold(request('failed'), () => Promise.reject(failure)),
    failure,
  );
  t.strictSame(await balance(), { available: String(left), held: '0' });
  t.match(await holds.get(ACCOUNT, 'failed'), { status: 'voided' });
});

t.test('a call that broke off is charged what was streamed, as it was last told', async (t) => {
  const failure = new Error('the reader has gone');
  const broken = client.withHold(request('broken'), async (hold) => {
    hold.streamed({ input_tokens: 3 });
    hold.streamed({ input_tokens: 5 });
    throw failure;
  });
  await t.rejects(broken, failure);
  left -= 5;
  t.strictSame(await balance(), { available: String(left), held: '0' });
});

t.test('a call that may not run does not run', async (t) => {
  const dear = { ...request('dear'), estimate: { input_tokens: 1_000_000 } };
  const denied = await client.withHold(dear, () => t.fail() as never).catch((error) => error);
  t.ok(denied instanceof HoldDenied);
  t.match(denied, {
    message: 'not allowed: insufficient_credits',
    authorized: { decidedBy: 'ledger', allowed: false },
  });
});

t.test('a settle whose answer was lost is sent again and charged once', async (t) => {
  between.mishaps.push(null, 'lose_answer');
  const { charge } = await client.withHold(request('lost'), async () => used(2));
  left -= 2;
  t.match(charge, { credits: '2' });
  t.strictSame(await balance(), { available: String(left), held: '0' });
});

t.test('a settle that cannot be delivered is told with all that is needed to send it again', async (t) => {
  between.mishaps.push(null, ...always(problem('store_unavailable', 503)));
  const cost = { amount: '0.01', currency: 'USD' };
  const undelivered = await client
    .withHold(request('late'), async () => ({ ...used(4), cost }))
    .catch((error) => error);
  t.ok(undelivered instanceof SettleUndelivered);
  t.match(undelivered, { cause: { code: 'store_unavailable' }, interruptedBy: undefined });
  t.match(await usage.post(JSON.parse(JSON.stringify(undelivered.usage))), { id: 'late', credits: '4' });
  left -= 4;
  t.strictSame(await balance(), { available: String(left), held: '0' });
});

t.test('where both the call and its settle failed, both are told', async (t) => {
  between.mishaps.push(null, ...always('lose_request'));
  const failure = new Error('the reader has gone');
  const undelivered = await client
    .withHold(request('both'), async (hold) => {
      hold.streamed({ input_tokens: 6 });
      throw failure;
    })
    .catch((error) => error);
  t.ok(undelivered instanceof SettleUndelivered);
  t.match(undelivered, { cause: { name: 'LedgerUnreachable' }, usage: { id: 'both' } });
  t.equal(undelivered.interruptedBy, failure);
  await usage.post(undelivered.usage);
  left -= 6;
});

t.test("a void that does not come through leaves the call's own error", async (t) => {
  between.mishaps.push(null, ...always('lose_request'));
  const failure = new Error('the supplier is away');
  const broken = served.client({ withinMs: 300 }).withHold(request('leaked'), () => Promise.reject(failure));
  await t.rejects(broken, failure);
  await holds.void(ACCOUNT, 'leaked');
});

t.test('a call that the policy let run is charged, though its hold was never placed', async (t) => {
  between.mishaps.push('hang');
  const timeout = { timeoutMs: 100, onTimeout: 'allow' } as const;
  const { charge } = await client.withHold({ ...request('open'), timeout }, async (hold) => {
    t.match(hold.authorized, { decidedBy: 'policy', allowed: true });
    return used(8);
  });
  left -= 8;
  t.match(charge, { id: 'open', credits: '8' });
  t.strictSame(await balance(), { available: String(left), held: '0' });
});

t.test('a call that the policy stops does not run', async (t) => {
  between.mishaps.push('hang');
  const timeout = { timeoutMs: 100, onTimeout: 'deny' } as const;
  const denied = client.withHold({ ...request('shut'), timeout }, () => t.fail() as never);
  await t.rejects(denied, { name: 'HoldDenied', authorized: { decidedBy: 'policy' } });
});

t.test('a hold that was placed while its answer was lost is settled like any other', async (t) => {
  between.mishaps.push('lose_answer', ...always('lose_request').slice(0, 9));
  const timeout = { timeoutMs: 100, onTimeout: 'allow' } as const;
  await client.withHold({ ...request('unseen'), timeout }, async () => {
    between.mishaps.length = 0;
    t.match(await holds.get(ACCOUNT, 'unseen'), { status: 'open' });
    return used(9);
  });
  left -= 9;
  t.strictSame(await balance(), { available: String(left), held: '0' });
});

t.test('a hold can be extended by hand, and is by itself where that is asked for', async (t) => {
  await client.withHold({ ...request('long'), expires_in: 1, extend: true }, async (hold) => {
    const extended = await hold.extend({ estimate: { input_tokens: 150 } });
    t.equal(extended.hold.credits, '150');
    const before = between.requests.length;
    while (!between.requests.slice(before).some(({ path }) => path.endsWith('/extend')))
      await new Promise((resolve) => setTimeout(resolve, 20));
    return used(1);
  });
  left -= 1;
  t.strictSame(await balance(), { available: String(left), held: '0' });
});

t.test('at the end of its scope a hold is settled with what was streamed, else void', async (t) => {
  {
    await using hold = await client.holds.open(request('scoped'));
    hold.streamed({ input_tokens: 2 });
  }
  left -= 2;
  {
    await using _hold = await client.holds.open(request('unused'));
  }
  t.match(await holds.get(ACCOUNT, 'unused'), { status: 'voided' });
  {
    await using hold = await client.holds.open(request('by-hand'));
    hold.streamed({ input_tokens: 2 });
    await hold.settle(used(3));
  }
  left -= 3;
  t.strictSame(await balance(), { available: String(left), held: '0' });
});
