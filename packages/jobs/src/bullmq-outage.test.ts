/** Redis is killed, emptied, frozen, absent; Postgres goes. The process lives on, and work goes on by itself. */
import { startPostgres } from '@tallystick/event-store/testing';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { openProcess, someNamespace, until } from './contract/fixtures.ts';
import { dueWork } from './contract/losing.ts';
import { startRedis, type TestRedisServer } from './testing/redis.ts';

const redis = await startRedis();
const postgres = await startPostgres();
t.teardown(() => postgres.stop());

if (typeof redis === 'string' || redis.server === null) {
  const skip = typeof redis === 'string' ? redis : 'the Redis of LEDGER_REDIS_URL is not ours to kill';
  t.test('an outage of Redis', { skip }, async () => undefined);
} else {
  const { server, url: redisUrl } = redis;
  t.teardown(() => redis.stop());
  t.test('an outage of Redis', { timeout: 110_000 }, (t) => outages(t, server, redisUrl));
}

async function outages(t: Test, server: TestRedisServer, redisUrl: string): Promise<void> {
  const setting = { postgresUrl: postgres.url, redisUrl };
  const facts = Array.from({ length: 300 }, (_, n) => `f${n}`);

  for (const [how, strike] of [
    ['emptied', flush],
    [
      'killed and started again, empty',
      async () => {
        await server.kill();
        await server.start();
      },
    ],
  ] as const) {
    await t.test(`${how} in the middle: everything due is done, once`, async (t) => {
      const { jobs } = await openProcess(t, setting, someNamespace());
      const work = dueWork(facts, 30);
      await jobs.work('q', work.handle, { concurrency: 4 });
      const refusals: unknown[] = [];
      const stop = work.sweep(jobs, 'q', (error) => refusals.push(error));
      t.teardown(stop);
      for (const left of [220, 120]) {
        await until('some are done', () => work.due.size <= left);
        await strike();
      }
      await until('all are done', () => work.due.size === 0, 40_000);
      t.equal(work.effects.size, 300);
      t.ok([...work.effects.values()].every((times) => times === 1));
      for (const refusal of refusals) t.match(refusal, { name: 'JobsUnavailable' });
      t.equal((await jobs.counts('q')).dead, 0);
    });
  }

  await t.test('while it is away putting in fails at once, and goes on when it is back', async (t) => {
    const { jobs, outcomes, errors } = await openProcess(t, setting, someNamespace());
    await jobs.work('q', async () => undefined);
    await jobs.enqueue('q', { fact: 'before', data: {} });
    await until('it is done', () => outcomes.length === 1);
    await server.kill();
    const start = performance.now();
    await t.rejects(jobs.enqueue('q', { fact: 'meanwhile', data: {} }), { name: 'JobsUnavailable' });
    await t.rejects(jobs.counts('q'), { name: 'JobsUnavailable' });
    t.ok(performance.now() - start < 1_000);
    await until('it is told', () => errors.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    t.ok(errors.length < 12, `${errors.length} times, and not at every try`);
    await server.start();
    await until('it takes jobs again', () =>
      jobs.enqueue('q', { fact: 'after', data: {} }).then(
        () => true,
        () => false,
      ),
    );
    await until('it is done', () => outcomes.length === 2);
  });

  await t.test('absent at the start: the process starts, and works when it is there', async (t) => {
    await server.kill();
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    await jobs.work('q', async () => undefined);
    await t.rejects(jobs.enqueue('q', { fact: 'f', data: {} }), { name: 'JobsUnavailable' });
    await server.start();
    await until('it takes jobs', () =>
      jobs.enqueue('q', { fact: 'f', data: {} }).then(
        () => true,
        () => false,
      ),
    );
    await until('it is done', () => outcomes.length === 1);
  });

  await t.test('frozen: putting in gives up after a few seconds, and a leave is short', async (t) => {
    const { jobs } = await openProcess(t, setting, someNamespace());
    let begun = false;
    await jobs.work('q', async () => {
      begun = true;
      await new Promise((resolve) => setTimeout(resolve, 500));
    });
    await jobs.enqueue('q', { fact: 'f', data: {} });
    await until('it runs', () => begun);
    server.freeze();
    t.teardown(() => server.thaw());
    const start = performance.now();
    await t.rejects(jobs.enqueue('q', { fact: 'g', data: {} }), { name: 'JobsUnavailable' });
    await jobs.close(1_000);
    const ms = Math.round(performance.now() - start);
    t.ok(ms < 13_000, `${ms} ms`);
    server.thaw();
  });

  await t.test('Postgres away as a job dies: its letter is written when it is back', async (t) => {
    if (postgres.server === null) {
      t.pass('the PostgreSQL of LEDGER_TEST_POSTGRES_URL is not ours to stop');
      return;
    }
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    await postgres.server.halt('crash');
    await jobs.work(
      'q',
      async () => {
        throw new Error('for ever');
      },
      { attempts: 1 },
    );
    await jobs.enqueue('q', { fact: 'f', data: {} });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    t.same(outcomes, []);
    await postgres.server.start();
    await until('it is dead', () => outcomes.includes('dead'));
    t.match(await jobs.deadLetters.list(), [{ fact: 'f', error: 'Error: for ever' }]);
  });

  async function flush(): Promise<void> {
    const client = new Redis(redisUrl);
    await client.flushall();
    client.disconnect();
  }
}
