/** Forty days without a worker, and without a call: whoever comes back finds everything done as if on time. */
import t from 'tap';
import { BOOK, booksAgree, DAY, HOUR, monthly, startStory, until } from './ledger.ts';
import { startService } from './processes.ts';

const story = await startStory(t, { workers: 'away' });
const { call, get, put, post, now, open, available, list, behind } = story;

/** What each subscription is told to have come to, in the order of the events. */
async function life(account: string) {
  const found = [];
  for (const { type, data } of await behind.events(account)) {
    const { subscription, effective_at } = data as {
      subscription?: { plan_version: number; period_start: string; period_credits: string };
      effective_at?: string;
    };
    if (subscription === undefined) continue;
    const { plan_version: version, period_credits: credits } = subscription;
    const day = effective_at === undefined ? 0 : (Date.parse(effective_at) - begin) / DAY;
    found.push({ type, day, version, credits });
  }
  return found;
}
const renewed = (day: number, version: number, credits: string) => ({
  type: 'SubscriptionRenewed',
  day,
  version,
  credits,
});
const started = (credits: string) => ({ type: 'SubscriptionStarted', day: 0, version: 1, credits });

let begin = 0;
const week = (credits: string, more: object = {}) =>
  monthly(credits, { interval: 'week', grace: { days: 3, quota: 'none' }, ...more });

t.before(async () => {
  await put('/v1/price-books/default', BOOK);
  await put('/v1/plans/weekly', week('10'));
  begin = await now();
  // From the twentieth day on it costs twice as much, and includes half as much again.
  const dearer = { included: [{ unit: 'calls', model: '*', amount: '150', per: 'period' }] };
  const effective_from = new Date(begin + 20 * DAY).toISOString();
  await put('/v1/plans/weekly', week('20', { ...dearer, effective_from }));
  await put('/v1/plans/monthly', monthly('30'));
  for (const [id, credits, plan] of [
    ['rich', '1000', 'weekly'],
    ['poor', '35', 'weekly'],
    ['slow', '100', 'monthly'],
    ['given', '0', 'weekly'],
  ] as const) {
    const url = await open(id, credits);
    if (id === 'given') {
      // Twenty-five that expire on the tenth day, and a hundred that do not.
      const expires_at = new Date(begin + 10 * DAY).toISOString();
      await post(`${url}/grants`, { credits: '25', kind: 'promotion', reference: 'g', expires_at });
      await post(`${url}/top-ups`, { credits: '100', source: 'bank', reference: 't' });
    }
    const start_at = new Date(begin).toISOString();
    await post(`${url}/subscription`, { plan, pay: 'credits', reference: 's', start_at });
  }
  await post('/v1/usage', { id: 'u', account: 'rich', model: 'chat', usage: { calls: 60 } });
  await behind.letPass(40 * DAY);
  await until('the API goes by the new time', async () => (await now()) > begin + 40 * DAY - HOUR);
});

t.test('before anybody has done anything, it can be seen as it is', async (t) => {
  t.equal((await life('rich')).length, 1, 'nothing is written');
  t.match((await get('/v1/accounts/rich/subscription')).subscription, {
    status: 'active',
    plan_version: 2,
    current_period_start: new Date(begin + 35 * DAY).toISOString(),
    next_charge: { credits: '20' },
  });
  t.match((await get('/v1/accounts/poor/subscription')).subscription, { status: 'lapsed' });
  t.equal((await life('rich')).length, 1, 'and nothing is written by looking');
});

t.test('a worker comes back, and writes every period that has passed, as of its own instant', async (t) => {
  const worker = await startService('worker', story.environment);
  t.teardown(() => worker.kill());
  await until('all of it is written', async () => {
    const lives = await Promise.all(['rich', 'poor', 'slow', 'given'].map(life));
    return (
      lives[0]?.length === 6 && lives[1]?.length === 5 && lives[2]?.length === 2 && lives[3]?.length === 6
    );
  });
  const weeks = [renewed(7, 1, '10'), renewed(14, 1, '10'), renewed(21, 2, '20'), renewed(28, 2, '20')];
  t.same(await life('rich'), [started('10'), ...weeks, renewed(35, 2, '20')], 'the terms in force at each');
  t.same(
    await life('poor'),
    [
      started('10'),
      ...weeks.slice(0, 2),
      { type: 'SubscriptionPastDue', day: 21, version: 2, credits: '0' },
      { type: 'SubscriptionEnded', day: 24, version: 2, credits: '0' },
    ],
    'who could not pay is past due on the day, and out when the grace is over',
  );
  t.match(await life('slow'), [started('30'), { type: 'SubscriptionRenewed', credits: '30' }]);
});

t.test('credits that expired in between paid for the week before that, and for none after', async (t) => {
  const events = (await behind.events('given'))
    .map(({ type }) => type)
    .filter((type) => type === 'SubscriptionRenewed' || type === 'Expired');
  t.equal(events.indexOf('Expired'), 1, 'between the first renewal and the second');
  await until('it can be read', async () => (await available('/v1/accounts/given')) === '30');
  t.match(await get('/v1/accounts/given/balance'), { available: '30', expired: '5' });
});

t.test('balances are exact, and of quotas there is what is open now', async (t) => {
  t.equal(await available('/v1/accounts/rich'), `${1_000 - 3 * 10 - 3 * 20}`);
  t.equal(await available('/v1/accounts/poor'), `${35 - 3 * 10}`);
  t.equal(await available('/v1/accounts/slow'), `${100 - 2 * 30}`);
  // What another process has written is read a moment later; balances have shown it all along.
  const all = () => list('/v1/accounts/rich/quotas?all=true');
  await until('it can be read', async () => (await all()).length > 1);
  const quotas = await all();
  t.match(quotas, [
    { granted: '150', used: '0', period_start: new Date(begin + 35 * DAY).toISOString() },
    { granted: '100', used: '60', period_start: new Date(begin).toISOString() },
  ]);
  t.equal(quotas.length, 2, 'weeks that nobody was there for have none');
  const used = await call('POST', '/v1/usage', {
    id: 'now',
    account: 'rich',
    model: 'chat',
    usage: { calls: 151 },
  });
  t.match(used.body, { credits: '1', quota: [{ unit: 'calls', amount: '150' }] });
});

t.test('the books agree', async (t) => booksAgree(t, story));
