import { startPostgres } from '@tallystick/event-store/testing';
import { createJobs, type DeadLetter, type Job, JobsUnavailable } from '@tallystick/jobs';
import { migrate, openReads, readsSchema } from '@tallystick/projections';
import pg from 'pg';
import t from 'tap';
import { startDroppingWakes } from './dead-wakes.ts';
import { type SweepParts, startSweep } from './sweep.ts';
import { WAKE } from './wake.ts';

const postgres = await startPostgres();
const pool = new pg.Pool({ connectionString: postgres.url });
t.teardown(async () => {
  await pool.end();
  await postgres.stop();
});
const schema = readsSchema('sweep');
const queries = openReads(pool, schema);
const DUE = Date.parse('2026-03-01T00:00:00.000Z');
const WALLETS = 1_250;

await migrate(pool, schema);
// Many are due at the same instant, so that pages end in the middle of one.
await pool.query(
  `insert into ${queries.schema}.balances (account, unit, available, held, granted, adjusted, consumed, expired,
    withdrawn, debt, revision, position, next_due_at)
  select 'w' || n, 'credits', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $1::timestamptz + n / 400 * interval '1 ms'
  from generate_series(1, ${WALLETS}) n`,
  [new Date(DUE)],
);

/** An engine that takes everything, or is away. */
function engine(isAway: () => boolean = () => false, letters: readonly DeadLetter[] = []) {
  const taken: Job[][] = [];
  const find = async (_: string, facts: readonly string[]) =>
    letters.filter(({ fact }) => facts.includes(fact));
  const jobs: SweepParts['jobs'] = {
    deadLetters: { find },
    async enqueueAll(_, page) {
      if (isAway()) throw new JobsUnavailable('away');
      taken.push([...page]);
    },
  };
  return { jobs, taken };
}

t.test('every wallet that is due is put in, and none twice in a sweep', async (t) => {
  const { jobs, taken } = engine();
  const stop = startSweep({
    jobs,
    queries,
    now: () => DUE + 60_000,
    isPaused: () => false,
    onError: t.error,
  });
  await stop();
  const facts = taken.flat().map(({ fact }) => fact);
  t.equal(facts.length, WALLETS);
  t.equal(new Set(facts).size, WALLETS);
  t.match(taken[0]?.[0], {
    fact: /^wake:w\d+:2026-03-01T00:00:00.000Z$/,
    data: { account: /^w\d+$/, due_at: '2026-03-01T00:00:00.000Z' },
  });
});

t.test('what is not due yet is not put in', async (t) => {
  const { jobs, taken } = engine();
  const stop = startSweep({ jobs, queries, now: () => DUE, isPaused: () => false, onError: t.error });
  await stop();
  t.equal(taken.flat().length, 399);
});

t.test('nothing is put in while the clock is being moved', async (t) => {
  const { jobs, taken } = engine();
  const stop = startSweep({ jobs, queries, now: () => DUE + 60_000, isPaused: () => true, onError: t.error });
  await stop();
  t.same(taken, []);
});

t.test('an engine that is away is told, and the next sweep puts everything in', async (t) => {
  let away = true;
  const { jobs, taken } = engine(() => away);
  const told: unknown[] = [];
  const onError = (error: unknown): void => {
    told.push(error);
    away = false;
  };
  const stop = startSweep({
    jobs,
    queries,
    now: () => DUE + 60_000,
    isPaused: () => false,
    everyMs: 10,
    onError,
  });
  while (taken.flat().length < WALLETS) await new Promise((resolve) => setTimeout(resolve, 10));
  await stop();
  t.match(told, [{ name: 'JobsUnavailable' }]);
});

/** As one lies there that has died so often, the last time so long ago. */
const letterOf = (account: string, deaths: number, agoMs: number): DeadLetter => ({
  queue: WAKE,
  fact: `wake:${account}:${new Date(DUE).toISOString()}`,
  round: '1',
  data: { account, due_at: new Date(DUE).toISOString() },
  error: 'Error: not possible',
  attempts: 3,
  deaths,
  firstDiedAt: Date.now() - agoMs,
  diedAt: Date.now() - agoMs,
});

t.test('what has died comes again, later and later, and never in the round that it died in', async (t) => {
  const MINUTE = 60_000;
  const rests: readonly (readonly [deaths: number, ms: number])[] = [
    [1, MINUTE],
    [2, 2 * MINUTE],
    [3, 4 * MINUTE],
    [50, 30 * MINUTE],
  ];
  const resting = rests.map(([deaths, ms], n) => letterOf(`w${n + 1}`, deaths, ms - 5_000));
  const rested = rests.map(([deaths, ms], n) => letterOf(`w${n + 11}`, deaths, ms + 5_000));
  const { jobs, taken } = engine(() => false, [...resting, ...rested]);
  await startSweep({ jobs, queries, now: () => DUE, isPaused: () => false, onError: t.error })();
  const put = new Set(taken.flat().map(({ fact }) => fact));
  for (const { fact, deaths } of resting) t.notOk(put.has(fact), `${deaths} deaths, too soon`);
  for (const { fact, deaths } of rested) t.ok(put.has(fact), `${deaths} deaths, rested`);
  t.equal(put.size, 399 - resting.length, 'nobody else waits for them');
});

t.test('a wake that always fails dies once a round, not once a second', async (t) => {
  const jobs = await createJobs({ namespace: 'sweep', postgresUrl: postgres.url, redisUrl: null });
  t.teardown(() => jobs.close(100));
  const died: string[] = [];
  await jobs.work(
    WAKE,
    async ({ fact }) => {
      died.push(fact);
      throw new Error('never');
    },
    { attempts: 1, concurrency: 16 },
  );
  const parts = { jobs, queries, now: () => DUE, isPaused: () => false, onError: t.error };
  await startSweep(parts)();
  while ((await jobs.counts(WAKE)).dead < 399) await new Promise((resolve) => setTimeout(resolve, 50));
  const stop = startSweep({ ...parts, everyMs: 100 });
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await stop();
  t.equal(died.length, 399);
  t.match(await jobs.counts(WAKE), { dead: 399 });
});

t.test('a letter goes when its account is not due any more at that instant, whoever saw to it', async (t) => {
  const jobs = await createJobs({ namespace: 'letters', postgresUrl: postgres.url, redisUrl: null });
  t.teardown(() => jobs.close(100));
  const never = async (): Promise<void> => {
    throw new Error('never');
  };
  await jobs.work(WAKE, never, { attempts: 1, concurrency: 16 });
  const due_at = new Date(DUE).toISOString();
  const wakes = ['w1', 'w2', 'w3', 'gone'].map((account) => ({
    fact: `wake:${account}:${due_at}`,
    round: 1,
    data: { account, due_at },
  }));
  await jobs.enqueueAll(WAKE, wakes);
  while ((await jobs.counts(WAKE)).dead < wakes.length)
    await new Promise((resolve) => setTimeout(resolve, 50));
  // Nothing is due in one any more, something else later in another, and one account is not there
  await pool.query(`update ${queries.schema}.balances set next_due_at = null where account = 'w1'`);
  await pool.query(
    `update ${queries.schema}.balances set next_due_at = next_due_at + interval '1 day' where account = 'w2'`,
  );
  await startDroppingWakes({ jobs, queries, onError: t.error })();
  const left = (await jobs.deadLetters.list({ queue: WAKE })).map(({ data }) => data.account);
  t.same(left, ['w3']);
});
