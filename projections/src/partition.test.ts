import { createMemoryStore, type EventStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { partitionOf } from './partition.ts';
import { type ProjectorOptions, startProjector } from './projector.ts';
import { openReads } from './reads.ts';
import { liveThrough, topUp } from './testing/history.ts';
import { openTestLedger } from './testing/ledger.ts';
import { allRows } from './testing/rows.ts';
import { readTrialBalance } from './totals/queries.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 20 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

const start = (store: EventStore, schema: string, options: Partial<ProjectorOptions> = {}) =>
  startProjector({ store, pool, schema, batchMax: 7, gatherMs: 0, hurryMs: 0, pollMs: 50, ...options });

async function projectAll(store: EventStore, schema: string, partitions: number): Promise<void> {
  const projector = start(store, schema, { partitions });
  try {
    await projector.caughtUp();
  } finally {
    await projector.stop();
  }
}

/** Tables that are kept per partition come to the same sums; all others to the same rows. */
async function rowsTogether(schema: string) {
  const { platform_totals: _, daily_totals: __, ...rows } = await allRows(pool, schema);
  const { units } = await readTrialBalance(openReads(pool, schema));
  const days = await pool.query(
    `select day::text, model, supplier, unit, sum(calls)::text calls, sum(amount)::text amount, sum(cost)::text cost
     from "${schema}".daily_totals group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
  );
  return { rows, units, days: days.rows };
}

t.test('given any number of partitions, then the rows come out the same', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await liveThrough(ledger, { seed: 21, steps: 200 });
  await projectAll(ledger.store, 'parts_1', 1);
  const alone = await rowsTogether('parts_1');
  for (const partitions of [2, 5]) {
    await projectAll(ledger.store, `parts_${partitions}`, partitions);
    t.same(await rowsTogether(`parts_${partitions}`), alone, `${partitions} partitions`);
  }
});

t.test(
  'given partitions shared by two processes that overlap, then every event is counted once',
  async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    const first = start(ledger.store, 'shared_work', { partitions: 3, takes: [0, 1] });
    const second = start(ledger.store, 'shared_work', { partitions: 3, takes: [1, 2], batchMax: 5 });
    await liveThrough(ledger, { seed: 22, steps: 150 });
    await Promise.all([first.caughtUp(), second.caughtUp()]);
    await Promise.all([first.stop(), second.stop()]);
    await projectAll(ledger.store, 'one_worker', 1);
    t.same(await rowsTogether('shared_work'), await rowsTogether('one_worker'));
  },
);

t.test('an idle partition moves on, so that the whole does', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const projector = start(ledger.store, 'idle', { partitions: 8 });
  await ledger.open('busy');
  for (let n = 0; n < 20; n++) await ledger.run('busy', topUp(`t${n}`, 1));
  const { position } = await ledger.store.readAll({ after: null, limit: 1_000 });
  t.equal(await projector.waitFor({ position }, 10_000), true);
  t.equal(projector.position, position);
  t.equal(await projector.waitFor({ account: 'busy', revision: 20 }, 10_000), true);
  await projector.stop();
  const { rows } = await pool.query('select partition, position from idle.checkpoints order by partition');
  t.same(
    rows,
    Array.from({ length: 8 }, (_, partition) => ({ partition, position: position.toString() })),
  );
});

t.test('the read models are as far as the partition that is furthest behind', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const some = start(ledger.store, 'behind', { partitions: 2, takes: [0] });
  await ledger.open('a');
  await some.caughtUp();
  t.equal((await readTrialBalance(openReads(pool, 'behind'))).position, '0');
  t.ok(some.position > 0n, 'its own part has come to the end');
  await some.stop();
});

t.test('another number of partitions than the schema has is refused, and it says what to do', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await projectAll(ledger.store, 'counted', 2);
  await t.rejects(projectAll(ledger.store, 'counted', 3), {
    name: 'ForeignReads',
    message: /kept in 2 partitions, and LEDGER_PARTITIONS says 3.*ledger rebuild/,
  });
});

t.test('accounts spread over the partitions', async (t) => {
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < 4_000; n++) {
    const partition = partitionOf(`customer-${n}`, 4);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  for (const count of counts) t.ok(count > 800 && count < 1_200, counts.join());
});
