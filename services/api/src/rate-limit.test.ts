/** Requests per minute, counted by one process or by several through a Redis that comes and goes. */
import { startRedis, type TestRedis } from '@tallystick/jobs/testing';
import t, { type Test } from 'tap';
import { createRateLimits, type RateLimits } from './rate-limit.ts';

const redis = await startRedis();
if (typeof redis !== 'string') t.teardown(() => redis.stop());

const NAMESPACE = `test${Date.now()}`;
const own = (t: Test): RateLimits => opened(t, null);

function opened(t: Test, redisUrl: string | null, onWarning: (message: string) => void = () => undefined) {
  const limits = createRateLimits({ redisUrl, namespace: NAMESPACE, onWarning });
  t.teardown(() => limits.close());
  return limits;
}

async function takeMany(limits: RateLimits, account: string, limit: number, times: number): Promise<number> {
  const rates = await Promise.all(Array.from({ length: times }, () => limits.take(account, limit)));
  return rates.filter(({ allowed }) => allowed).length;
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within 5 s: ${what}`);
}

t.test('so many requests are let through within a minute, and no more', async (t) => {
  const limits = own(t);
  t.equal(await takeMany(limits, 'a', 3, 10), 3);
  t.equal(await takeMany(limits, 'b', 3, 2), 2, 'each account has its own');
  const rate = await limits.look('a', 3);
  t.match(rate, { allowed: false, limit: 3, remaining: 0 });
  t.ok(rate.resetsAt > Date.now() && rate.resetsAt <= Date.now() + 60_000);
});

t.test('what was turned away has taken nothing, and a point that is given back is there again', async (t) => {
  const limits = own(t);
  const first = await limits.take('a', 2);
  t.match(first, { allowed: true, remaining: 1 });
  await takeMany(limits, 'a', 2, 20);
  t.match(await limits.look('a', 2), { allowed: false, remaining: 0 });
  await limits.giveBack('a', first);
  t.match(await limits.look('a', 2), { allowed: true, remaining: 1 });
  t.equal(await takeMany(limits, 'a', 2, 5), 1);
});

t.test('a point of a window that is over is not owed to the next', async (t) => {
  const limits = own(t);
  await limits.take('a', 2);
  await limits.giveBack('a', { allowed: true, limit: 2, remaining: 1, resetsAt: Date.now() - 1 });
  t.match(await limits.look('a', 2), { remaining: 1 });
});

t.test('looking takes nothing, and a limit that changes is judged on what was counted', async (t) => {
  const limits = own(t);
  t.match(await limits.look('a', 5), { allowed: true, remaining: 5 });
  await takeMany(limits, 'a', 5, 3);
  t.match(await limits.look('a', 10), { allowed: true, remaining: 7 });
  t.match(await limits.look('a', 2), { allowed: false, remaining: 0 });
  t.match(await limits.take('a', 4), { allowed: true, remaining: 0 });
});

const withRedis = (name: string, work: (t: Test, redis: TestRedis) => Promise<void>): void => {
  if (typeof redis === 'string') t.test(name, { skip: redis }, async () => undefined);
  else t.test(name, (t) => work(t, redis));
};

withRedis('processes that share a Redis count together', async (t, { url }) => {
  const [one, other] = [opened(t, url), opened(t, url)];
  await shared([one, other]);
  const passed = await Promise.all([takeMany(one, 'both', 20, 50), takeMany(other, 'both', 20, 50)]);
  t.equal(
    passed.reduce((sum, count) => sum + count, 0),
    20,
  );
});

withRedis('while Redis is away or silent each counts for itself, and nobody waits long', async (t, redis) => {
  const { server, url } = redis;
  if (server === null) return void t.pass('only on a server of our own');
  const warnings: string[] = [];
  const limits = opened(t, url, (message) => warnings.push(message));
  await shared([limits, opened(t, url)]);
  await server.kill();
  const began = performance.now();
  t.equal(await takeMany(limits, 'away', 3, 10), 3);
  t.ok(performance.now() - began < 1_000, 'at once');
  await until('it is said', () => warnings.length > 0);
  t.match(warnings, [/Redis is away/]);
  await server.start();
  await shared([limits, opened(t, url)]);
  t.equal(await takeMany(limits, 'away', 3, 10), 3, 'it begins anew there');
  server.freeze();
  const silent = performance.now();
  t.equal(await takeMany(limits, 'silent', 3, 10), 3);
  t.ok(performance.now() - silent < 2_000, 'a Redis that says nothing is waited for a moment only');
  server.thaw();
});

/** Both are connected: what the one takes the other sees. */
async function shared([one, other]: [RateLimits, RateLimits]): Promise<void> {
  let n = 0;
  await until('they count together', async () => {
    const account = `probe-${Date.now()}-${n++}`;
    await one.take(account, 9);
    return (await other.look(account, 9)).remaining === 8;
  });
}
