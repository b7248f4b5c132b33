/** A year in Berlin: 29 February, months without a 31st, the night without a half past two, and the one with two. */
import t, { type Test } from 'tap';
import { BOOK, booksAgree, leapYear, monthly, startStory } from './ledger.ts';

const YEAR = leapYear();
const story = await startStory(t);
const { call, get, put, post, moveTo, open, available, list, behind } = story;

/** `02-29 11:00` in UTC, of the year. */
const utc = (short: string): string => `${YEAR}-${short.replace(' ', 'T')}:00.000Z`;

/** When the periods of each begin: always at the same hour on the wall in Berlin, counted from the first day. */
const PERIODS = {
  // On the 31st at noon: the last of the months that have none; an hour earlier in UTC from 26 March to 29 October.
  anna: [
    ...['01-31 11:00', '02-29 11:00', '03-31 10:00', '04-30 10:00', '05-31 10:00', '06-30 10:00'],
    ...['07-31 10:00', '08-31 10:00', '09-30 10:00', '10-31 11:00', '11-30 11:00', '12-31 11:00'],
  ],
  // On the 26th at half past two, which 26 March does not have: half past three then, and only then.
  bert: [
    ...['01-26 01:30', '02-26 01:30', '03-26 01:30', '04-26 00:30', '05-26 00:30', '06-26 00:30'],
    ...['07-26 00:30', '08-26 00:30', '09-26 00:30', '10-26 00:30', '11-26 01:30', '12-26 01:30'],
  ],
  // On the 29th at half past two, which 29 October has twice: the first of the two.
  cleo: [
    ...['01-29 01:30', '02-29 01:30', '03-29 00:30', '04-29 00:30', '05-29 00:30', '06-29 00:30'],
    ...['07-29 00:30', '08-29 00:30', '09-29 00:30', '10-29 00:30', '11-29 01:30', '12-29 01:30'],
  ],
} as const;
const SUBSCRIBERS = ['anna', 'bert', 'cleo'] as const;
const BERLIN = { time_zone: 'Europe/Berlin' };

const use = (account: string, id: string, calls: number) =>
  call('POST', '/v1/usage', { id, account, model: 'chat', usage: { calls } });

/** A plan of so many calls a day, for the days around a change of the clocks. */
async function daysAround(t: Test, account: string, from: string, to: string, begins: readonly string[]) {
  await moveTo(utc(from));
  const url = await open(account, '1000', BERLIN);
  await post(`${url}/subscription`, {
    plan: 'by-the-day',
    pay: 'credits',
    reference: 'bought',
    start_at: utc(begins[0] ?? ''),
  });
  await moveTo(utc(to));
  await post(`${url}/subscription/cancel`, { when: 'now', reference: 'enough' });
  const windows = await list(`${url}/quotas?all=true`);
  t.same(windows.map(({ period_start }) => period_start).reverse(), begins.map(utc));
  t.ok(
    windows.every(({ granted }) => granted === '10'),
    'each day has its ten, the short one and the long one too',
  );
}

t.before(async () => {
  await moveTo(utc('01-31 11:00'));
  await put('/v1/price-books/default', BOOK);
  await put('/v1/plans/by-the-month', monthly('30', { overage: 'refuse' }));
  const daily = { included: [{ unit: 'calls', model: '*', amount: '10', per: 'day' }], anchor: 'calendar' };
  await put('/v1/plans/by-the-day', monthly('30', daily));
  for (const id of SUBSCRIBERS) {
    const url = await open(id, '1000', BERLIN);
    const bought = {
      plan: 'by-the-month',
      pay: 'credits',
      reference: 'bought',
      start_at: utc(PERIODS[id][0]),
    };
    await post(`${url}/subscription`, bought);
  }
});

t.test('in every month anna uses all that she has, and one more is refused', async (t) => {
  for (const [month, start] of PERIODS.anna.entries()) {
    if (start === '03-31 10:00')
      await daysAround(t, 'spring', '03-24 23:30', '03-28 12:00', [
        '03-24 23:00',
        '03-25 23:00',
        '03-26 22:00',
        '03-27 22:00',
      ]);
    if (start === '10-31 11:00')
      await daysAround(t, 'autumn', '10-27 22:30', '10-30 12:00', [
        '10-27 22:00',
        '10-28 22:00',
        '10-29 23:00',
      ]);
    // A second before the next period, what there was is still used up.
    if (month > 0) {
      await moveTo(Date.parse(utc(start)) - 1_000);
      t.equal((await use('anna', `too-early-${month}`, 1)).body.code, 'quota_exhausted', start);
    }
    await moveTo(utc(start));
    t.equal((await use('anna', `month-${month}`, 100)).status, 201, start);
    t.equal((await use('anna', `too-many-${month}`, 1)).body.code, 'quota_exhausted', start);
  }
});

t.test('at the end of the year each has paid twelve times, at the times on the wall', async (t) => {
  await moveTo(`${YEAR + 1}-01-26T01:00:00Z`);
  for (const id of SUBSCRIBERS) {
    const url = `/v1/accounts/${id}`;
    t.equal(await available(url), `${1_000 - 12 * 30}`);
    const charges = (await behind.events(id)).filter(({ type }) =>
      ['SubscriptionStarted', 'SubscriptionRenewed'].includes(type),
    );
    t.same(
      charges.map(
        ({ data }) => (data as { subscription: { period_start: string } }).subscription.period_start,
      ),
      PERIODS[id].map(utc),
      `${id}: periods begin as on the wall`,
    );
    const quotas = await list(`${url}/quotas?all=true`);
    t.same(
      quotas.map(({ period_start }) => period_start).reverse(),
      PERIODS[id].map(utc),
      `${id}: once a period`,
    );
    t.ok(quotas.every(({ granted }) => granted === '100'));
    t.ok(quotas.every(({ used }) => used === (id === 'anna' ? '100' : '0')));
  }
});

t.test('the next period begins where the first day says, not the last', async (t) => {
  const next = { anna: '01-31T11:00', bert: '01-26T01:30', cleo: '01-29T01:30' };
  for (const id of SUBSCRIBERS) {
    const { subscription } = await get(`/v1/accounts/${id}/subscription`);
    const at = `${YEAR + 1}-${next[id]}:00.000Z`;
    t.match(subscription, { status: 'active', current_period_end: at, next_charge: { at, credits: '30' } });
  }
});

t.test('the books agree', async (t) => booksAgree(t, story));
