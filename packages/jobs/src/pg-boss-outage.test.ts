/** Postgres crashes under pg-boss, or is emptied. The process lives on, and work goes on by itself. */
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { openProcess, someNamespace, until } from './contract/fixtures.ts';
import { dueWork } from './contract/losing.ts';

const postgres = await startPostgres();
t.teardown(() => postgres.stop());
const setting = { postgresUrl: postgres.url, redisUrl: null };
const { server } = postgres;
const skip = server === null && 'the PostgreSQL of LEDGER_TEST_POSTGRES_URL is not ours to stop';

t.test('crashed in the middle: everything due is done, once', { skip }, async (t) => {
  const { jobs, errors } = await openProcess(t, setting, someNamespace());
  const work = dueWork(
    Array.from({ length: 300 }, (_, n) => `f${n}`),
    20,
  );
  await jobs.work('q', work.handle, { concurrency: 4 });
  const refusals: unknown[] = [];
  const stop = work.sweep(jobs, 'q', (error) => refusals.push(error));
  t.teardown(stop);
  for (const left of [220, 120]) {
    await until('some are done', () => work.due.size <= left);
    await server?.halt('crash');
    await t.rejects(jobs.enqueue('q', { fact: 'x', data: {} }), { name: 'JobsUnavailable' });
    await server?.start();
  }
  await until('all are done', () => work.due.size === 0, 40_000);
  t.equal(work.effects.size, 300);
  t.ok([...work.effects.values()].every((times) => times === 1));
  t.ok(errors.length > 0, 'it was told');
  t.ok(
    errors.every((error) => error instanceof Error),
    'of errors, not of objects that a log cannot read',
  );
  for (const refusal of refusals) t.match(refusal, { name: 'JobsUnavailable' });
});

t.test('emptied in the middle: everything due is done, once', async (t) => {
  const namespace = someNamespace();
  const { jobs } = await openProcess(t, setting, namespace);
  const work = dueWork(
    Array.from({ length: 100 }, (_, n) => `f${n}`),
    20,
  );
  await jobs.work('q', work.handle, { concurrency: 4 });
  const stop = work.sweep(jobs, 'q', (error) => void t.fail(String(error)));
  t.teardown(stop);
  await until('some are done', () => work.due.size <= 60);
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`delete from "${namespace}_pgboss".job`);
  await client.end();
  await until('all are done', () => work.due.size === 0);
  t.equal(work.effects.size, 100);
  t.ok([...work.effects.values()].every((times) => times === 1));
});

t.test('away at a leave: it is short all the same', { skip }, async (t) => {
  const { jobs } = await openProcess(t, setting, someNamespace());
  await jobs.work('q', async () => undefined);
  await server?.halt('crash');
  const start = performance.now();
  await jobs.close(1_000);
  const ms = Math.round(performance.now() - start);
  t.ok(ms < 10_000, `${ms} ms`);
  await server?.start();
});
