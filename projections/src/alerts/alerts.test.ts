import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { BadCursor } from '../paging.ts';
import { startProjector } from '../projector.ts';
import { openReads } from '../reads.ts';
import { rebuildReads } from '../rebuild.ts';
import { charge, topUp } from '../testing/history.ts';
import { openTestLedger } from '../testing/ledger.ts';
import { allRows } from '../testing/rows.ts';
import { type AlertView, listAlerts } from './queries.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 6 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

t.test('every warning is listed, the latest first, and a rebuild gives the same', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const terms = {
    enabled: true,
    thresholds: [
      { on: 'quota', percent: 50 },
      { on: 'balance', credits: '90.5' },
      { on: 'daily_spend', credits: '5' },
    ] as const,
  };
  for (const account of ['a', 'b']) {
    await ledger.open(account);
    await ledger.run(account, { type: 'SetAlerts', terms }, topUp('t', 100));
  }
  const expiresAt = ledger.now() + 24 * 3_600_000;
  const quota = { unit: 'calls', model: 'plain', amount: 4n, expiresAt, reason: 'more' } as const;
  await ledger.run('a', { type: 'ExpandQuota', ...quota, reference: 'e1' });
  await ledger.run('a', charge('u1', 2), charge('u2', 8), charge('u3', 4));
  await ledger.run('b', charge('u1', 6));
  const projector = startProjector({ store: ledger.store, pool, schema: 'alerts_live', gatherMs: 0 });
  await projector.caughtUp();
  await projector.stop();

  const reads = openReads(pool, 'alerts_live');
  const all = await listAlerts(reads, { account: 'a' });
  const at = '2026-03-01T12:00:00.000Z';
  const told = { effective_at: at, raised_at: at };
  const { key = '' } = all.data[2] ?? {};
  t.match(key, /^quota:50:expansion:calls:plain:/);
  const expected: AlertView[] = [
    { alert: 'balance', threshold: '90.5', key: all.data[0]?.key ?? '', available: '90', ...told },
    {
      ...{ alert: 'daily_spend', threshold: '5', key: `daily_spend:5:2026-03-01T00:00:00.000Z` },
      ...{ spent: '6', day: '2026-03-01', ...told },
    },
    {
      ...{ alert: 'quota', threshold: '50', key, unit: 'calls', model: 'plain' },
      ...{ granted: '4', used: '2', held: '0' },
      ...{ period_start: at, period_end: new Date(expiresAt).toISOString(), ...told },
    },
  ];
  t.same(all, { data: expected, next_cursor: null });
  const first = await listAlerts(reads, { account: 'a', pageSize: 2 });
  const rest = await listAlerts(reads, { account: 'a', pageSize: 2, cursor: first.next_cursor ?? '' });
  t.same([...first.data, ...rest.data], expected);
  t.equal(rest.next_cursor, null);
  t.equal((await listAlerts(reads, { account: 'b' })).data.length, 1);
  await t.rejects(listAlerts(reads, { account: 'a', cursor: 'x' }), BadCursor);

  await rebuildReads({ store: ledger.store, pool, schema: 'alerts_anew' });
  t.same((await allRows(pool, 'alerts_anew')).alerts, (await allRows(pool, 'alerts_live')).alerts);
});
