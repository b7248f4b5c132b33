import { startPostgres } from '@tallystick/event-store/testing';
import { type Job, type Jobs, JobsUnavailable } from '@tallystick/jobs';
import { migrate, openReads, readsSchema } from '@tallystick/projections';
import pg from 'pg';
import t from 'tap';
import { startSweep } from './sweep.ts';

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
function engine(isAway: () => boolean = () => false) {
  const taken: Job[][] = [];
  const jobs: Pick<Jobs, 'enqueueAll'> = {
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
