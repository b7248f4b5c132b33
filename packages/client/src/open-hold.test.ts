import t from 'tap';
import { HoldDenied, type OpenHold, SettleUndelivered, UsageMissing } from './open-hold.ts';
import type { Usage } from './shapes.ts';
import { problem, startBetween } from './testing/between.ts';
import { ACCOUNT, CREDITS, MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
const { between } = served;
const client = served.client({ settleWithinMs: 300 });
/** Past the mishaps. */
const { accounts, holds, priceBooks, usage } = served.client({ url: served.url });
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
  const sent = between.requests.find(({ path }) => path === '/v1/usage')?.body ?? '';
  t.match(await usage.post(JSON.parse(sent)), charge, 'the same again is the same charge');
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
  const tries = between.requests.slice(1).map(({ body }) => JSON.parse(body));
  t.ok(tries.length >= 2);
  t.strictSame(
    tries,
    tries.map(() => undelivered.usage),
    'what each try said, the time included',
  );
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
  // Of its own: what goes on in the background must not meet the mishaps of other tests.
  const away = await startBetween(served.url);
  t.teardown(() => away.stop());
  away.mishaps.push('hang');
  const timeout = { timeoutMs: 100, onTimeout: 'deny' } as const;
  const denied = served
    .client({ url: away.url })
    .withHold({ ...request('shut'), timeout }, () => t.fail() as never);
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

const extensions = () => between.requests.filter(({ path }) => path.endsWith('/extend')).length;
/** What callers without a compiler give back. */
for (const [what, given] of [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'an answer'],
  ['no usage', { text: 'an answer' }],
  ['usage that is null', { usage: null }],
  ['usage without a count', { usage: { input_tokens: undefined } }],
] as const) {
  const id = `gave-${what.replaceAll(' ', '-')}`;
  const terms = (name: string) => ({ ...request(`${id}-${name}`), expires_in: 1, extend: true }) as const;

  t.test(`a call that gives back ${what} is charged what was streamed, and extends no longer`, async (t) => {
    const { charge, ran } = await client.withHold(terms('streamed'), async (hold) => {
      hold.streamed({ input_tokens: 3 });
      return given as never;
    });
    left -= 3;
    t.match(charge, { status: 'charged', credits: '3' });
    t.equal(ran, given);
    t.strictSame(await balance(), { available: String(left), held: '0' });
  });

  t.test(`where nothing was streamed either, ${what} makes the hold void and is told`, async (t) => {
    const missing = await client.withHold(terms('void'), async () => given as never).catch((error) => error);
    t.ok(missing instanceof UsageMissing);
    t.match(missing.message, /must give back \{ usage: /);
    t.match(await holds.get(ACCOUNT, `${id}-void`), { status: 'voided' });
    t.strictSame(await balance(), { available: String(left), held: '0' });
  });
}

t.test('a hold that has ended extends no longer, however it ended', async (t) => {
  const terms = (id: string) => ({ ...request(id), expires_in: 1, extend: true }) as const;
  const usageThatThrows = {
    get usage(): never {
      throw new Error('not counted');
    },
  };
  const ends: readonly (readonly [string, (hold: OpenHold) => Promise<{ usage: Usage }>])[] = [
    ['settled', async () => used(1)],
    ['nothing', async () => undefined as never],
    ['getter', async () => usageThatThrows],
    ['refused', async () => ({ usage: { input_tokens: -1 } })],
    ['by-hand', (hold) => hold.settle(undefined as never) as never],
  ];
  await Promise.allSettled(ends.map(([id, work]) => client.withHold(terms(`ended-${id}`), work)));
  left -= 1;
  const before = extensions();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  t.equal(extensions(), before);
});

t.test('a hold that was settled by hand is not settled again, and its charge is told', async (t) => {
  const { charge } = await client.withHold(request('own-hand'), async (hold) => {
    await hold.settle(used(2));
    return undefined as never;
  });
  const twice = await client.withHold(request('own-hand-too'), async (hold) => {
    await hold.settle(used(2));
    return used(2);
  });
  left -= 4;
  t.match([charge, twice.charge], [{ credits: '2' }, { credits: '2' }]);
  t.strictSame(await balance(), { available: String(left), held: '0' });
});

t.test('a call that has run is charged, though somebody else has made its hold void', async (t) => {
  const { charge } = await client.withHold(request('taken'), async () => {
    await holds.void(ACCOUNT, 'taken');
    return used(2);
  });
  left -= 2;
  t.match(charge, { id: 'taken', credits: '2' });
  const voided = client.withHold(request('given-up'), async (hold) => {
    await hold.void();
    return used(2);
  });
  await t.rejects(voided, { name: 'SettleUndelivered', cause: { code: 'hold_closed' } });
  t.strictSame(await balance(), { available: String(left), held: '0' });
});

t.test('what is delivered later is charged by the price of when the call ended', async (t) => {
  between.mishaps.push('hang', ...always('lose_request'));
  const timeout = { timeoutMs: 100, onTimeout: 'allow' } as const;
  const undelivered = await client
    .withHold({ ...request('week'), timeout }, async () => used(2))
    .catch((error) => error);
  between.mishaps.length = 0;
  await priceBooks.publish('default', {
    models: { [MODEL]: { prices: { input_tokens: { credits: '5', per: 1 } } } },
  });
  t.match(await usage.post(undelivered.usage), { id: 'week', credits: '2' });
  left -= 2;
});

t.test('a machine whose clock is far ahead is charged all the same, by the price of now', async (t) => {
  const rule = 'must not be more than 5 minutes ahead';
  const ahead = { type: 'u', title: 't', code: 'invalid_value', errors: [{ field: 'occurred_at', rule }] };
  between.mishaps.push(null, { status: 422, body: JSON.stringify({ ...ahead, status: 422 }) });
  const { charge } = await client.withHold(request('ahead'), async () => used(1));
  t.match(charge, { id: 'ahead', status: 'charged' });
  const [, told, again] = between.requests.map(({ body }) => JSON.parse(body));
  const { occurred_at, ...rest } = told;
  t.ok(occurred_at);
  t.strictSame(again, rest);
});
