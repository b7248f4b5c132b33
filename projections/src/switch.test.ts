import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { createBalanceReader } from './balances/queries.ts';
import { followReads } from './follow.ts';
import type { ProjectorState } from './progress.ts';
import { startProjector } from './projector.ts';
import { openReads } from './reads.ts';
import { compareWithLive, switchReads } from './switch.ts';
import { charge, liveThrough, topUp } from './testing/history.ts';
import { openTestLedger, type TestLedger } from './testing/ledger.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 20 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

async function projected(seed: number, schema: string, partitions = 1): Promise<TestLedger> {
  const ledger = await openTestLedger(createMemoryStore());
  await liveThrough(ledger, { seed, steps: 80 });
  const projector = startProjector({ store: ledger.store, pool, schema, partitions, gatherMs: 0 });
  await projector.caughtUp();
  await projector.stop();
  return ledger;
}

t.test('projector, followers and readers carry on through a switch, and no charge is lost', async (t) => {
  for (const partitions of [1, 2]) {
    const schema = `carried_on_${partitions}`;
    const ledger = await projected(1, schema, partitions);
    const { store } = ledger;
    const states: ProjectorState['status'][] = [];
    const onState = ({ status }: ProjectorState): void => void states.push(status);
    const projector = startProjector({ store, pool, schema, partitions, gatherMs: 5, hurryMs: 1, onState });
    const follower = followReads(pool, schema);
    await ledger.open('busy');
    await ledger.run('busy', topUp('t', 1_000_000));
    let done = false;
    let charges = 0;
    const charging = (async () => {
      for (; !done; charges++) {
        const [answer] = await ledger.run('busy', charge(`c${charges}`, 1));
        if (answer?.status !== 'recorded') throw new Error(`not charged: ${answer?.status}`);
        if (charges % 20 !== 0) continue;
        const { revision } = answer.event;
        if (!(await follower.waitFor({ account: 'busy', revision }, 10_000))) throw new Error('not reached');
        await pool.query({ name: schema, text: `select * from ${schema}.balances where account = 'busy'` });
      }
    })();
    for (let n = 0; n < 3; n++) {
      const report = await switchReads({ store, pool, schema, partitions });
      t.match(report, { switched: true, count: 0, shown: [], incomparable: null });
    }
    done = true;
    await charging;
    await projector.caughtUp();
    t.notOk(states.includes('halted') || states.includes('waiting'), `it was ${[...new Set(states)]}`);
    const { rows } = await pool.query(`select available from ${schema}.balances where account = 'busy'`);
    t.same(rows, [{ available: String((1_000_000n - BigInt(charges)) * 1_000_000n) }]);
    const { rows: found } = await pool.query(
      `select ${schema}.revision_at('wallet-busy', 'infinity') as revision`,
    );
    t.equal(found[0].revision, String(charges + 2), 'functions look into the schema they stand in');
    const into = `${schema}_beside`;
    t.match(await compareWithLive({ store, pool, schema, into, partitions }), { count: 0 });
    await projector.stop();
    await follower.close();
  }
});

t.test('whatever differs is named, and nothing is switched', async (t) => {
  const { store } = await projected(2, 'damaged');
  const damage: [string, object][] = [
    [`update damaged.entries set reason = 'another' where type = 'CreditsAdjusted'`, { column: 'reason' }],
    [`delete from damaged.lots where lot = (select min(lot) from damaged.lots)`, { found: null }],
    [`insert into damaged.profiles values ('nobody')`, { row: 'account nobody', expected: null }],
    [`update damaged.checkpoints set hash = 'other'`, { table: 'checkpoints', column: 'hash' }],
  ];
  const before = openReads(pool, 'damaged');
  for (const [sql, finding] of damage) {
    await pool.query(sql);
    const report = await switchReads({ store, pool, schema: 'damaged' });
    t.match(report, { switched: false });
    t.ok(report.count > 0);
    t.match(
      report.shown.find(({ table }) => sql.includes(`damaged.${table}`)),
      finding,
      sql,
    );
    const { rows } = await pool.query(`select nspname from pg_namespace where nspname like 'damaged%'`);
    t.same(rows, [{ nspname: 'damaged' }]);
    t.match(await switchReads({ store, pool, schema: 'damaged', force: true }), { switched: true });
    t.match(await switchReads({ store, pool, schema: 'damaged' }), { switched: true, count: 0 });
  }
  const balance = await createBalanceReader(before).read('acme+0@example.org', Date.now());
  t.ok(balance, 'readers that were opened before find the new rows');
});

for (const [were, become] of [
  [3, 1],
  [1, 3],
] as const) {
  t.test(`a projector of ${were} partitions writes nothing into tables of ${become}`, async (t) => {
    const schema = `from_${were}_to_${become}`;
    const ledger = await projected(4, schema, were);
    const { store } = ledger;
    const accounts = ['p', 'q', 'r', 's'];
    for (const account of accounts) await ledger.open(account);
    const old = startProjector({ store, pool, schema, partitions: were, gatherMs: 0 });
    await old.caughtUp();
    t.match(await switchReads({ store, pool, schema, partitions: become, force: true }), { switched: true });
    for (const account of accounts) await ledger.run(account, topUp('t', 5));
    await t.rejects(old.caughtUp(), { name: 'ForeignReads', message: /LEDGER_PARTITIONS/ });
    await old.stop();
    const anew = startProjector({ store, pool, schema, partitions: become, gatherMs: 0 });
    await anew.caughtUp();
    await anew.stop();
    const into = `${schema}_beside`;
    const report = await compareWithLive({ store, pool, schema, into, partitions: become });
    t.match(report, { count: 0, incomparable: null });
  });
}

t.test('two rebuilds of one schema do not meet', async (t) => {
  const { store } = await projected(3, 'once');
  const both = await Promise.allSettled([1, 2].map(() => switchReads({ store, pool, schema: 'once' })));
  t.same(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});
