/** Two hundred at once, over two processes, for one thing: as many get it as there are. */
import t from 'tap';
import { type Answer, BOOK, booksAgree, callsOf, monthly, startStory, until } from './ledger.ts';
import { startService } from './processes.ts';

const story = await startStory(t);
const { get, put, post, open, list, available } = story;
const another = await startService('api', story.environment);
t.teardown(() => another.kill());
const doors = [story.call, callsOf(another.ready).call] as const;

/** As many at once, half of them at each door. */
const all = (
  count: number,
  ask: (door: typeof story.call, n: number) => Promise<Answer>,
): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => ask(doors[n % 2 === 0 ? 0 : 1], n)));

t.before(async () => {
  await put('/v1/price-books/default', BOOK);
  const three = { included: [{ unit: 'calls', model: '*', amount: '3', per: 'period' }], overage: 'refuse' };
  await put('/v1/plans/three', monthly('10', three));
});

t.test('200 ask for the last unit of a quota, and one gets it', async (t) => {
  const tom = await open('tom', '100');
  await post(`${tom}/subscription`, { plan: 'three', pay: 'credits', reference: 'bought' });
  await post('/v1/usage', { id: 'two', account: 'tom', model: 'chat', usage: { calls: 2 } });
  const answers = await all(200, (door, n) =>
    door('POST', '/v1/authorize', {
      account: 'tom',
      model: 'chat',
      estimate: { calls: 1 },
      hold: { id: `h${n}`, expires_in: 600 },
    }),
  );
  t.ok(answers.every(({ status }) => status === 200));
  const allowed = answers.filter(({ body }) => body.allowed);
  t.equal(allowed.length, 1);
  t.equal(answers.filter(({ body }) => body.reasons.includes('quota_exhausted')).length, 199);
  t.match(await list(`${tom}/quotas`), [{ granted: '3', used: '2', held: '1', remaining: '0' }]);
  // And when the call was not made after all, it is there for the next.
  await post(`${tom}/holds/${allowed[0]?.body.hold.id}/void`);
  t.match(await list(`${tom}/quotas`), [{ used: '2', held: '0', remaining: '1' }]);
  t.equal(await available(tom), '90', 'and nobody was charged');
});

t.test('200 buy with a coupon for 50, and 50 have it', async (t) => {
  await put('/v1/coupons/FIFTY', { percent: '20', max_uses: 50 });
  const buyers = Array.from({ length: 200 }, (_, n) => `buyer-${n}`);
  await Promise.all(buyers.map((id) => open(id)));
  const answers = await all(200, (door, n) =>
    door('POST', `/v1/accounts/${buyers[n]}/purchases`, {
      package: 'starter',
      coupon: 'FIFTY',
      reference: 'p',
      paid: true,
    }),
  );
  const bought = answers.filter(({ status }) => status === 201);
  t.equal(bought.length, 50);
  for (const { body } of bought) {
    if (body.status !== 'paid' || body.total.amount !== '8') t.fail(JSON.stringify(body));
  }
  const refused = answers.filter(({ status, body }) => status === 409 && body.code === 'coupon_exhausted');
  t.equal(refused.length, 150, 'the others are told why');
  const used = async () => (await get('/v1/coupons/FIFTY')).uses;
  await until('all uses are confirmed', async () => (await used()) === 50);
  t.match(await get('/v1/coupons/FIFTY'), { uses: 50, open_uses: 0, over_limit: 0 });
  // What was bought at the other door is read a moment later at this one.
  const rich = async (id: string) => (await available(`/v1/accounts/${id}`)) !== '0';
  await until(
    'it can be read',
    async () => (await Promise.all(buyers.map(rich))).filter(Boolean).length === 50,
  );
  const credits = await Promise.all(buyers.map((id) => available(`/v1/accounts/${id}`)));
  t.same(
    answers.map(({ status }) => (status === 201 ? '1000' : '0')),
    credits,
  );
});

t.test('200 times by one account it is used once', async (t) => {
  await put('/v1/coupons/ONCE', { percent: '50', max_uses: 50 });
  const greedy = await open('greedy');
  const answers = await all(200, (door, n) =>
    door('POST', `${greedy}/purchases`, {
      package: 'starter',
      coupon: 'ONCE',
      reference: `p${n}`,
      paid: true,
    }),
  );
  t.equal(answers.filter(({ status }) => status === 201).length, 1);
  t.ok(answers.every(({ status }) => [201, 409, 429].includes(status)));
  t.equal(await available(greedy), '1000');
  t.match(await get('/v1/coupons/ONCE'), { uses: 1, open_uses: 0 });
});

t.test('the books agree', async (t) => booksAgree(t, story));
