/**
 * A renewal happens once: its job late, delivered five times and by two workers at once; workers killed without farewell at
 * every step of it; and Redis killed and emptied while many are due.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { type HeldLock, holdAppendLock } from '@tallystick/event-store/testing';
import { createJobs } from '@tallystick/jobs';
import t, { type Test } from 'tap';
import { booksAgree, DAY, monthly, startStory, until } from './ledger.ts';
import { type ServiceProcess, startService } from './processes.ts';

const story = await startStory(t, { workers: 'away', engine: 'ours' });
const { get, put, post, open, available, behind, environment, redis, postgresUrl, namespace } = story;
const MONTH = 31 * DAY;

const jobs = await createJobs({ namespace, postgresUrl, redisUrl: redis?.url ?? null });
t.teardown(() => jobs.close());
const workers: ServiceProcess[] = [];
t.teardown(() => Promise.all(workers.map((worker) => worker.kill())));

async function startWorker(): Promise<ServiceProcess> {
  const worker = await startService('worker', environment);
  workers.push(worker);
  return worker;
}

/** The engine is there, and answers nobody, until it is let go. */
async function holdEngine(): Promise<() => Promise<void>> {
  if (redis?.server) {
    const { server } = redis;
    server.freeze();
    return async () => server.thaw();
  }
  const { client, release } = await holdAppendLock(postgresUrl, 'no_ledger');
  await client.query(`lock table ${namespace}_pgboss.job in access exclusive mode`);
  return release;
}

async function appendsThatWait({ client }: HeldLock): Promise<number> {
  // Within a transaction the activity is a snapshot of the first look.
  await client.query('select pg_stat_clear_snapshot()');
  const { rows } = await client.query(
    `select count(*)::int as waiting from pg_stat_activity
     where application_name = '${namespace}_events:append' and wait_event_type = 'Lock'`,
  );
  return rows[0].waiting;
}

let round = 0;
/** The job that wakes an account, in rounds that no sweep uses: once more, whatever the engine thinks of the others. */
async function deliver(account: string, times = 1): Promise<void> {
  const { current_period_end: due_at } = (await get(`/v1/accounts/${account}/subscription`)).subscription;
  const fact = `wake:${account}:${due_at}`;
  const more = Array.from({ length: times }, () => ({
    fact,
    round: `story-${++round}`,
    data: { account, due_at },
  }));
  await jobs.enqueueAll('wake', more);
}
const running = async (): Promise<number> => (await jobs.counts('wake')).running;

/** When the periods of an account begin, one for each renewal. */
async function renewals(account: string): Promise<string[]> {
  return (await behind.events(account))
    .filter(({ type }) => type === 'SubscriptionRenewed')
    .map(({ data }) => (data as { subscription: { period_start: string } }).subscription.period_start);
}

async function subscribed(id: string): Promise<void> {
  const url = await open(id, '1000');
  await post(`${url}/subscription`, { plan: 'plain', pay: 'credits', reference: 'bought' });
}

/** So many renewals, each of a period of its own, and paid once. */
async function renewedOnce(t: Test, account: string, times: number): Promise<void> {
  const starts = await renewals(account);
  t.equal(starts.length, times, `${account}: ${times} renewals`);
  t.equal(new Set(starts).size, times, 'of as many periods');
  const left = `${1_000 - 10 * (times + 1)}`;
  await until('it can be read', async () => (await available(`/v1/accounts/${account}`)) === left);
}

t.before(async () => {
  await put('/v1/plans/plain', monthly('10'));
  await subscribed('tom');
});

t.test('a worker is killed when it has found what is due, and the engine does not answer', async (t) => {
  const worker = await startWorker();
  const release = await holdEngine();
  await behind.letPass(MONTH);
  // Longer than until it looks again.
  await pause(1_500);
  await worker.kill('SIGKILL');
  await release();
  t.same(await renewals('tom'), []);
});

t.test('the next is killed when it has sent what is to be written, and was not answered', async (t) => {
  const lock = await holdAppendLock(postgresUrl, namespace);
  const worker = await startWorker();
  await deliver('tom');
  await lock.waiter();
  await worker.kill('SIGKILL');
  await lock.release();
  // The database may still do what it was asked, with nobody left to hear of it.
  t.ok((await renewals('tom')).length <= 1);
});

t.test('the next is killed when it is written, and the engine was not told', async (t) => {
  await behind.letPass(MONTH);
  const lock = await holdAppendLock(postgresUrl, namespace);
  const worker = await startWorker();
  await deliver('tom');
  await lock.waiter();
  const release = await holdEngine();
  await lock.release();
  await until('it is written', async () => (await renewals('tom')).length === 2);
  await worker.kill('SIGKILL');
  await release();
  await renewedOnce(t, 'tom', 2);
});

t.test('days late, two workers get the job of the next month at once, five times and more', async (t) => {
  // What the killed ones had taken counts as running until the engine gives it to somebody else.
  const left = await running();
  await behind.letPass(MONTH + 5 * DAY);
  const lock = await holdAppendLock(postgresUrl, namespace);
  await Promise.all([startWorker(), startWorker()]);
  await deliver('tom', 5);
  await until('both of them are about to write it', async () => {
    await deliver('tom');
    return (await appendsThatWait(lock)) === 2;
  });
  t.ok((await running()) >= left + 5, 'all of them run');
  await lock.release();
  await until('it is written', async () => (await renewals('tom')).length >= 3);
  await deliver('tom');
  await until('all are done', async () => {
    const { waiting, running } = await jobs.counts('wake');
    return waiting === 0 && running <= left;
  });
  await renewedOnce(t, 'tom', 3);
});

t.test(
  'Redis is killed, and comes back empty, while many are due',
  { skip: story.withoutRedis },
  async (t) => {
    const server = redis?.server ?? null;
    if (server === null) throw new Error('it was said to be ours');
    const many = Array.from({ length: 80 }, (_, n) => `subscriber-${n}`);
    await Promise.all(many.map(subscribed));
    const done = async (): Promise<number[]> =>
      (await Promise.all(many.map(renewals))).map((starts) => starts.length);
    // Given that some have been taken, and more are waiting
    await behind.letPass(MONTH);
    const lock = await holdAppendLock(postgresUrl, namespace);
    await lock.waiter();
    await until('some wait for their turn', async () => (await jobs.counts('wake')).waiting > 0);
    // When it is gone, with all of them
    await server.kill();
    await server.start();
    const before = (await done()).reduce((sum, count) => sum + count, 0);
    t.ok(before < many.length, `${before} of ${many.length} had been renewed`);
    await lock.release();
    // Then what is due is found again, and done
    await until('all are renewed', async () => !(await done()).includes(0));
    // Long enough for what was put in twice to run as well.
    await pause(1_500);
    t.ok(
      (await done()).every((count) => count === 1),
      'each once',
    );
    await until('all is read', async () => {
      const credits = await Promise.all(many.map((id) => available(`/v1/accounts/${id}`)));
      return credits.every((left) => left === '980');
    });
    t.equal((await jobs.counts('wake')).dead, 0);
  },
);

t.test('the books agree', async (t) => booksAgree(t, story));
