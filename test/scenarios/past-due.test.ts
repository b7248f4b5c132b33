/** A month that is not paid when it begins: grace, money that comes late or too late, the end, the return; and who is told. */
import { startReceiver } from '@tallystick/webhooks/testing';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { BOOK, booksAgree, HOUR, monthly, startStory, until } from './ledger.ts';

const story = await startStory(t);
const { call, get, put, post, moveTo, now, open, available, list } = story;
const receiver = await startReceiver();
t.teardown(() => receiver.stop());

let year = 0;
const utc = (date: string): string => `${year}-${date}T00:00:00.000Z`;
const EUR = (amount: string) => ({ amount, currency: 'EUR' });
const use = (account: string, id: string, calls: number) =>
  call('POST', '/v1/usage', { id, account, model: 'chat', usage: { calls } });
const subscriptionOf = async (url: string) => (await get(`${url}/subscription`)).subscription;
const ten = [{ unit: 'calls', model: '*', amount: '10', per: 'period' }];

async function subscribed(id: string, plan: string, pay: string, credits: string): Promise<string> {
  const url = await open(id, credits);
  const start_at = new Date(Math.floor((await now()) / HOUR) * HOUR).toISOString();
  await post(`${url}/subscription`, { plan, pay, reference: 'bought', start_at });
  return url;
}

/** Of all quotas that are open: how many there are, and of which kind, is the ledger's own affair. */
async function amounts(url: string): Promise<{ used: number; remaining: number }> {
  const quotas = await list(`${url}/quotas`);
  const sum = (of: 'used' | 'remaining') => quotas.reduce((total, quota) => total + Number(quota[of]), 0);
  return { used: sum('used'), remaining: sum('remaining') };
}

/** What the receiver was told of tom, each message verified by the secret that was shown once. */
let secret = '';
const told = (type: string) =>
  receiver.received
    .map(({ headers, body }) => new Webhook(secret).verify(body, headers as Record<string, string>))
    .map((message) => message as { type: string; data: Record<string, unknown> })
    .filter((message) => message.type === type)
    .map(({ data }) => data);
const isTold = (type: string, count: number) =>
  until(`${count} ${type} are told`, () => told(type).length >= count);

let tom = '';
let anna = '';

/** What the outside world says of anna's period. */
const pay = (period: string, reference: string) =>
  post(`${anna}/subscription/payments`, {
    period_start: utc(period),
    result: 'paid',
    paid: EUR('20'),
    reference,
  });
/** What waits for finance, once the payment that was answered with this position is in it. */
const unapplied = async ({ position }: { position: string }): Promise<string> => {
  const { units } = await get(`/v1/trial-balance?min_position=${position}`);
  const { accounts } = units.find(({ unit }: { unit: string }) => unit === 'EUR');
  const found = accounts.find(({ account }: { account: string }) => account === 'liabilities:unapplied');
  return found?.balance ?? '0';
};

t.before(async () => {
  year = new Date(await now()).getUTCFullYear() + 1;
  await moveTo(utc('03-01'));
  await put('/v1/price-books/default', BOOK);
  await put('/v1/plans/club', monthly('100', { included: ten, grace: { days: 5, quota: 'none' } }));
  const outside = { price: EUR('20'), included: ten, grace: { days: 5, quota: 'full' } };
  await put('/v1/plans/outside', monthly('0', outside));
  tom = await subscribed('tom', 'club', 'credits', '150');
  anna = await subscribed('anna', 'outside', 'external', '0');
  t.match(await pay('03-01', 'march'), { applied: true, subscription: { status: 'active' } });
  const events = ['SubscriptionRenewed', 'SubscriptionPastDue', 'SubscriptionEnded', 'AlertRaised'];
  const endpoint = { url: receiver.url, events, scope: 'owner', account: 'tom' };
  ({ secret } = await post('/v1/webhook-endpoints', endpoint));
});

t.test('at 80 % of the quota tom is warned, once', async (t) => {
  for (let n = 1; n <= 9; n += 1) await use('tom', `march-${n}`, 1);
  await isTold('AlertRaised', 1);
  t.match(told('AlertRaised'), [
    { account: 'tom', alert: 'quota', threshold: '80', granted: '10', used: '8', model: '*' },
  ]);
});

t.test('in April he cannot pay: the plan gives nothing, calls cost credits, for five days', async (t) => {
  await moveTo(utc('04-01'));
  t.match(await subscriptionOf(tom), {
    status: 'past_due',
    current_period_start: utc('04-01'),
    grace_ends_at: utc('04-06'),
    next_charge: { at: utc('04-01'), credits: '100' },
  });
  t.same(await list(`${tom}/quotas`), []);
  t.match((await use('tom', 'april-1', 1)).body, { credits: '1' });
  t.equal(await available(tom), '49');
  await isTold('SubscriptionPastDue', 1);
  t.match(told('SubscriptionPastDue'), [{ reason: 'insufficient_credits', effective_at: utc('04-01') }]);
});

t.test('on the third credits come in: too few, then enough, and April is paid at once', async (t) => {
  await moveTo(utc('04-03'));
  await post(`${tom}/top-ups`, { credits: '50', source: 'bank', reference: 'not-enough' });
  t.match(await subscriptionOf(tom), { status: 'past_due' });
  await post(`${tom}/top-ups`, { credits: '1', source: 'bank', reference: 'enough' });
  t.match(await subscriptionOf(tom), {
    status: 'active',
    current_period_start: utc('04-01'),
    current_period_end: utc('05-01'),
    grace_ends_at: null,
  });
  t.equal(await available(tom), '0');
  t.match(await list(`${tom}/quotas`), [{ granted: '10', used: '0', period_end: utc('05-01') }]);
  await isTold('SubscriptionRenewed', 1);
  t.match(told('SubscriptionRenewed'), [
    { account: 'tom', subscription: { period_start: utc('04-01'), period_credits: '100' } },
  ]);
});

t.test("anna's payment for April comes on the third too, and she had all of it meanwhile", async (t) => {
  t.match(await subscriptionOf(anna), { status: 'past_due', grace_ends_at: utc('04-06') });
  t.match((await use('anna', 'april-1', 4)).body, { credits: '0' });
  t.match(await pay('04-01', 'april'), {
    applied: true,
    subscription: { status: 'active', current_period_end: utc('05-01') },
  });
  t.same(await amounts(anna), { used: 4, remaining: 6 }, 'ten, and no more than that');
  const again = await pay('04-01', 'april');
  t.match(again, { applied: true }, 'told twice, it is once');
  t.equal(await unapplied(again), '0');
  // Paid twice, though, it is money of hers that somebody has to look at.
  const twice = await pay('04-01', 'april-again');
  t.match(twice, { applied: false });
  t.equal(await unapplied(twice), '-20');
});

t.test(
  'in May anna uses what the grace lets her, and is out on the sixth; paid on the tenth, she is back',
  async (t) => {
    await moveTo(utc('05-02'));
    t.match((await use('anna', 'may-1', 3)).body, { credits: '0' });
    await moveTo(utc('05-06'));
    t.match(await subscriptionOf(anna), { status: 'lapsed', ended_at: utc('05-06') });
    t.same(await amounts(anna), { used: 3, remaining: 0 });
    await moveTo(utc('05-10'));
    t.match(await pay('05-01', 'may'), {
      applied: true,
      subscription: { status: 'active', ended_at: null, current_period_end: utc('06-01') },
    });
    t.same(await amounts(anna), { used: 3, remaining: 7 }, 'what she had used of May counts');
  },
);

t.test('tom had nothing for May: on the sixth it was over, and credits do not bring it back', async (t) => {
  t.match(await subscriptionOf(tom), { status: 'lapsed', ended_at: utc('05-06'), next_charge: null });
  await isTold('SubscriptionEnded', 1);
  t.match(told('SubscriptionEnded'), [{ effective_at: utc('05-06'), subscription: { status: 'lapsed' } }]);
  await post(`${tom}/top-ups`, { credits: '500', source: 'bank', reference: 'too-late' });
  t.match(await subscriptionOf(tom), { status: 'lapsed' });
  t.equal(await available(tom), '500');
  t.equal((await call('POST', `${tom}/subscription/resume`)).body.code, 'subscription_ended');
  // He may buy it anew, from today on.
  const again = { plan: 'club', pay: 'credits', reference: 'again', start_at: utc('05-10') };
  const { subscription } = await post(`${tom}/subscription`, again);
  t.match(subscription, { status: 'active', current_period_end: utc('06-10') });
  t.equal(await available(tom), '400');
});

t.test('June is paid in July: too late for anything, and not lost', async (t) => {
  await moveTo(utc('07-05'));
  t.match(await subscriptionOf(anna), { status: 'lapsed', ended_at: utc('06-06') });
  const late = await pay('06-01', 'june');
  t.match(late, { applied: false, subscription: null });
  t.match(await subscriptionOf(anna), { status: 'lapsed' });
  t.equal(await unapplied(late), '-40');
});

t.test('the books agree', async (t) => booksAgree(t, story));
