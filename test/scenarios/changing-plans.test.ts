/** Up in the middle of a month with most of the quota used, down at its end, away, and back. */
import t from 'tap';
import { BOOK, booksAgree, HOUR, monthly, startStory } from './ledger.ts';

const story = await startStory(t);
const { call, get, put, post, moveTo, now, open, available, list } = story;

/** Of the next April that has not begun: thirty days, of which the fifteenth ends the first half. */
let year = 0;
const utc = (date: string): string => `${year}-${date}T00:00:00.000Z`;
const use = (account: string, id: string, calls: number) =>
  call('POST', '/v1/usage', { id, account, model: 'chat', usage: { calls } });
const subscriptionOf = async (url: string) => (await get(`${url}/subscription`)).subscription;
const remaining = async (url: string): Promise<number> =>
  (await list(`${url}/quotas`)).reduce((sum, quota) => sum + Number(quota.remaining), 0);

async function subscribed(id: string, plan: string, credits: string): Promise<string> {
  const url = await open(id, credits);
  const start_at = new Date(Math.floor((await now()) / HOUR) * HOUR).toISOString();
  await post(`${url}/subscription`, { plan, pay: 'credits', reference: 'bought', start_at });
  return url;
}

let tom = '';

t.before(async () => {
  year = new Date(await now()).getUTCFullYear() + 1;
  await moveTo(utc('04-01'));
  await put('/v1/price-books/default', BOOK);
  await put('/v1/plans/small', monthly('100'));
  const five = { included: [{ unit: 'calls', model: '*', amount: '500', per: 'period' }] };
  await put('/v1/plans/large', monthly('300', five));
  await put('/v1/plans/fair', monthly('100', { refund_on_cancel: true }));
  tom = await subscribed('tom', 'small', '1000');
});

t.test(
  'an upgrade half-way: what is seen before is what is paid, and what was used stays used',
  async (t) => {
    await use('tom', 'first-half', 80);
    await moveTo(utc('04-16'));
    // When he looks at what it would come to
    const change = { plan: 'large', when: 'now' };
    const preview = await post(`${tom}/subscription/preview`, change);
    t.match(preview, { charged: '100', credited: '0', subscription: { plan: 'large' } });
    t.equal(await available(tom), '900', 'looking costs nothing');
    t.match(await subscriptionOf(tom), { plan: 'small' });
    // And then does it, twice for safety
    const changed = await post(`${tom}/subscription/change`, { ...change, reference: 'up' });
    const {
      lines: [seen],
      ...rest
    } = preview;
    t.match(changed, { ...rest, lines: [{ credits: seen.credits }] }, 'it is that to the credit');
    t.same(await post(`${tom}/subscription/change`, { ...change, reference: 'up' }), changed);
    // Then he has paid half of the difference, and has what was left of his hundred and half of the difference more
    t.equal(await available(tom), '800');
    t.match(await subscriptionOf(tom), { plan: 'large', current_period_end: utc('05-01') });
    const quotas = await list(`${tom}/quotas`);
    t.match(
      quotas.map(({ granted, used }: { granted: string; used: string }) => [granted, used]),
      [
        ['100', '80'],
        ['199', '0'],
      ],
      'rounded down: the sixteenth has begun',
    );
    t.match((await use('tom', 'second-half', 220)).body, { credits: '1' });
    t.equal(await available(tom), '799');
  },
);

t.test('the next month is the large plan whole, at its own price', async (t) => {
  await moveTo(utc('05-01'));
  t.equal(await available(tom), '499');
  t.match(await list(`${tom}/quotas`), [{ granted: '500', used: '0', period_end: utc('06-01') }]);
  t.equal(await remaining(tom), 500);
});

t.test('a downgrade waits for the end of the month, and the dearer month stays whole', async (t) => {
  const now = await call('POST', `${tom}/subscription/preview`, { plan: 'small', when: 'now' });
  t.match(now, { status: 409, body: { code: 'downgrade_waits', period_end: utc('06-01') } });
  const down = { plan: 'small', when: 'period_end' };
  const preview = await post(`${tom}/subscription/preview`, down);
  const changed = await post(`${tom}/subscription/change`, { ...down, reference: 'down' });
  t.same(changed, preview);
  t.match(changed, {
    charged: '0',
    subscription: {
      plan: 'large',
      pending_change: { plan: 'small', at: utc('06-01') },
      next_charge: { at: utc('06-01'), credits: '100' },
    },
  });
  t.match((await use('tom', 'may', 500)).body, { credits: '0' });
  await moveTo(utc('06-01'));
  t.match(await subscriptionOf(tom), { plan: 'small', pending_change: null });
  t.equal(await available(tom), '399');
  t.equal(await remaining(tom), 100);
});

t.test('canceled for the end of the month, and back before it: nothing has happened', async (t) => {
  const canceled = await post(`${tom}/subscription/cancel`, { when: 'period_end', reference: 'away' });
  t.match(canceled.subscription, { status: 'active', cancel_at: utc('07-01'), next_charge: null });
  await moveTo(utc('06-20'));
  const resumed = await post(`${tom}/subscription/resume`);
  t.match(resumed.subscription, { cancel_at: null, next_charge: { at: utc('07-01'), credits: '100' } });
  await moveTo(utc('07-01'));
  t.match(await subscriptionOf(tom), { status: 'active', current_period_end: utc('08-01') });
  t.equal(await available(tom), '299');
});

t.test('canceled, and the end comes: it costs and includes nothing more, and is not resumed', async (t) => {
  await post(`${tom}/subscription/cancel`, { when: 'period_end', reference: 'away-again' });
  await moveTo(utc('07-31'));
  t.match((await use('tom', 'july', 10)).body, { credits: '0' }, 'until then it is as it was');
  await moveTo(utc('08-01'));
  t.match(await subscriptionOf(tom), { status: 'canceled', ended_at: utc('08-01'), next_charge: null });
  t.same(await list(`${tom}/quotas`), []);
  t.match((await use('tom', 'august', 10)).body, { credits: '10' });
  t.equal(await available(tom), '289');
  t.match(await call('POST', `${tom}/subscription/resume`), {
    status: 409,
    body: { code: 'subscription_ended' },
  });
  await moveTo(utc('09-02'));
  t.equal(await available(tom), '289');
});

t.test(
  'canceled at once, half-way: nothing comes back, or the half that a fair plan gives back',
  async (t) => {
    await moveTo(utc('11-01'));
    const harsh = await subscribed('harsh', 'small', '100');
    const fair = await subscribed('fair', 'fair', '100');
    await moveTo(utc('11-16'));
    const now = { when: 'now', reference: 'enough' };
    t.match(await post(`${harsh}/subscription/cancel`, now), { credited: '0' });
    t.match(await post(`${fair}/subscription/cancel`, now), {
      credited: '49',
      subscription: { status: 'canceled' },
    });
    t.same([await available(harsh), await available(fair)], ['0', '49'], 'whole credits, rounded down');
    t.same([...(await list(`${harsh}/quotas`)), ...(await list(`${fair}/quotas`))], []);
    await moveTo(utc('12-02'));
    t.same([await available(harsh), await available(fair)], ['0', '49'], 'and that is all');
  },
);

t.test('the books agree', async (t) => booksAgree(t, story));
