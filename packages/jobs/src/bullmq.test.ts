import { startPostgres } from '@tallystick/event-store/testing';
import { Redis } from 'ioredis';
import t from 'tap';
import { openProcess, someNamespace, until } from './contract/fixtures.ts';
import { jobsContract } from './contract.ts';
import { startRedis } from './testing/redis.ts';

const redis = await startRedis();
if (typeof redis === 'string') {
  t.test('BullMQ on Redis keeps the contract', { skip: redis }, async () => undefined);
} else {
  const postgres = await startPostgres();
  const client = new Redis(redis.url);
  t.teardown(async () => {
    client.disconnect();
    await redis.stop();
    await postgres.stop();
  });

  t.test('BullMQ on Redis keeps the contract', { timeout: 110_000 }, async (t) => {
    await jobsContract(t, {
      postgresUrl: postgres.url,
      redisUrl: redis.url,
      async forsake(namespace, queue, id) {
        const key = (rest: string): string => `tallystick:${namespace}:${queue}:${rest}`;
        await client.del(key(`${id}:lock`), key('stalled-check'));
        await client.sadd(key('stalled'), id);
      },
    });
  });

  t.test('a Redis that evicts nothing is not warned of', async (t) => {
    const { warnings } = await openProcess(
      t,
      { postgresUrl: postgres.url, redisUrl: redis.url },
      someNamespace(),
    );
    t.same(warnings, []);
  });

  t.test('a Redis that may evict is told at the start, once', async (t) => {
    const evicting = await startRedis({ policy: 'allkeys-lru' });
    if (typeof evicting === 'string' || evicting.server === null) {
      t.pass('only on a server of our own');
      return;
    }
    t.teardown(() => evicting.stop());
    const { jobs, warnings } = await openProcess(
      t,
      { postgresUrl: postgres.url, redisUrl: evicting.url },
      someNamespace(),
    );
    t.match(warnings, [/maxmemory-policy allkeys-lru.*noeviction/]);
    const done: string[] = [];
    await jobs.work('q', async ({ fact }) => void done.push(fact));
    await jobs.enqueue('q', { fact: 'f', data: {} });
    await until('it works all the same', () => done.length === 1);
    t.equal(warnings.length, 1);
  });
}
