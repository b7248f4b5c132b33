/** Real Postgres, and Redis where there is one: what expires is expired in the books, whatever becomes of the engine. */
import { type Connected, connectLedger, createLog, createMeter, parseSettings } from '@tallystick/connect';
import type { EventStore, KeyIndex } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { startRedis } from '@tallystick/jobs/testing';
import { openReads, startProjector, sumCredits } from '@tallystick/projections';
import { openTestLedger, topUp } from '@tallystick/projections/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import t, { type Test } from 'tap';
import { startWorker } from './worker.ts';

const postgres = await startPostgres();
const redis = await startRedis();
t.teardown(async () => {
  if (typeof redis !== 'string') await redis.stop();
  await postgres.stop();
});

let namespaces = 0;

interface Books {
  readonly ledger: Connected;
  readonly namespace: string;
  /** How many `Expired` events each wallet has. */
  expired(): Promise<number[]>;
}

/** Wallets whose one lot has expired long ago, by the clock on the wall, with nobody having written it down. */
async function booksWithDues(t: Test, wallets: number): Promise<Books> {
  namespaces += 1;
  const namespace = `worker${namespaces}`;
  const ledger = await connectLedger({ namespace, esdbUrl: null, postgresUrl: postgres.url });
  const { store, pool, schema } = ledger;
  const projector = startProjector({ store, pool, schema });
  t.teardown(async () => {
    await projector.stop();
    await ledger.close();
  });
  const past = await openTestLedger(store as EventStore & KeyIndex);
  const accounts = Array.from({ length: wallets }, (_, n) => `w${n}`);
  await Promise.all(
    accounts.map(async (account) => {
      await past.open(account);
      await past.run(account, topUp('t', 10, { expiresAt: past.now() + 60_000 }));
    }),
  );
  await projector.caughtUp();
  return {
    ledger,
    namespace,
    async expired() {
      const streams = accounts.map((account) =>
        store.readStream(`wallet-${account}`, { from: 0, limit: 100 }),
      );
      return (await Promise.all(streams)).map(
        (events) => events.filter(({ type }) => type === 'Expired').length,
      );
    },
  };
}

/** As the ledger is, with appends that take their time: so that there is a middle to strike in. */
function slowed(ledger: Connected, ms: number): Connected {
  const append: EventStore['append'] = async (wanted) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return ledger.store.append(wanted);
  };
  const store = new Proxy(ledger.store, {
    get(target, name) {
      if (name === 'append') return append;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...ledger, store };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 40_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function workOn(t: Test, ledger: Connected, namespace: string, redisUrl: string | null) {
  const meter = createMeter();
  const log = createLog('silent', 'test');
  const { webhooks, mail } = parseSettings({});
  const settings = {
    ...{ namespace, redisUrl, webhooks, mail, dataDir: t.testdirName },
    ...{ referralPercent: '10', referralDays: 7 },
  };
  const worker = await startWorker({ settings, ledger, postgresUrl: postgres.url, log, meter, tracer: null });
  t.teardown(() => worker.close());
  return { worker, meter };
}

interface Engine {
  readonly name: string;
  readonly redisUrl: string | null;
  readonly skip: string | false;
  /** Takes all its jobs away. */
  empty(namespace: string): Promise<void>;
  /** Null where it is not ours to kill. */
  readonly kill: (() => Promise<void>) | null;
}

const server = typeof redis === 'string' ? null : redis.server;
const ENGINES: Engine[] = [
  {
    name: 'BullMQ',
    redisUrl: typeof redis === 'string' ? null : redis.url,
    skip: typeof redis === 'string' && redis,
    async empty(namespace) {
      const client = new Redis(typeof redis === 'string' ? '' : redis.url);
      // Of a server that is not ours only what is: everything there may be somebody's.
      if (server === null)
        for (const key of await client.keys(`tallystick:${namespace}:*`)) await client.del(key);
      else await client.flushall();
      client.disconnect();
    },
    kill:
      server === null
        ? null
        : async () => {
            await server.kill();
            await server.start();
          },
  },
  {
    name: 'pg-boss',
    redisUrl: null,
    skip: false,
    async empty(namespace) {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      await client.query(`delete from "${namespace}_pgboss".job`);
      await client.end();
    },
    kill: null,
  },
];

for (const engine of ENGINES) {
  const { name, redisUrl, skip } = engine;

  t.test(`${name}: a lot that has expired is expired in the books, by nobody's call`, { skip }, async (t) => {
    const { ledger, namespace, expired } = await booksWithDues(t, 1);
    t.same(await expired(), [0], 'nobody has come by');
    const { meter } = await workOn(t, ledger, namespace, redisUrl);
    await until('it is expired', async () => sum(await expired()) === 1);
    const reads = openReads(ledger.pool, ledger.schema);
    await until('it can be read', async () => (await sumCredits(reads)).available === '0');
    await until('it is counted', async () =>
      /tallystick_job_seconds_count\{queue="wake",outcome="done"\} [1-9]/.test(await meter.text()),
    );
    t.match(await meter.text(), /^tallystick_jobs\{queue="wake",state="dead"\} 0$/m);
  });

  const strikes = [
    ['emptied', (namespace: string) => engine.empty(namespace)],
    ...(engine.kill === null ? [] : [['killed', engine.kill] as const]),
  ] as const;
  for (const [how, strike] of strikes) {
    t.test(`${name} ${how} in the middle: everything due is done exactly once`, { skip }, async (t) => {
      const wallets = 200;
      const { ledger, namespace, expired } = await booksWithDues(t, wallets);
      const two = slowed(ledger, 100);
      const { worker } = await workOn(t, two, namespace, redisUrl);
      await workOn(t, two, namespace, redisUrl);
      await until('some are done', async () => sum(await expired()) >= 20);
      await strike(namespace);
      const when = sum(await expired());
      t.ok(when < wallets, `${when} of ${wallets} were done`);
      await until('all are done', async () => !(await expired()).includes(0));
      // Long enough for what was put in twice to run as well.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      t.equal(sum(await expired()), wallets);
      t.ok((await expired()).every((count) => count === 1));
      t.equal((await worker.jobs.counts('wake')).dead, 0);
    });
  }

  t.test(`${name}: a worker that ends leaves the rest to the next`, { skip }, async (t) => {
    const { ledger, namespace, expired } = await booksWithDues(t, 100);
    const { worker } = await workOn(t, slowed(ledger, 100), namespace, redisUrl);
    await until('some are done', async () => sum(await expired()) >= 10);
    await worker.close();
    const left = sum(await expired());
    t.ok(left < 100, `${left} of 100 were done`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    t.equal(sum(await expired()), left, 'nothing is done after it has ended');
    await workOn(t, ledger, namespace, redisUrl);
    await until('all are done', async () => (await expired()).every((count) => count === 1));
  });
}
