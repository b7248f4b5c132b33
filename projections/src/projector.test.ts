import { type Movement, type MovementFacts, type Posting, sumsOf, type Wallet } from '@tallystick/domain';
import { createMemoryStore, decodeEvent, type EventStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import type { ProjectorState } from './progress.ts';
import { startProjector } from './projector.ts';
import { openReads } from './reads.ts';
import { rebuildReads, SchemaNotEmpty } from './rebuild.ts';
import { quoted } from './schema.ts';
import { charge, liveThrough, topUp } from './testing/history.ts';
import { openTestLedger, type Store } from './testing/ledger.ts';
import { allRows } from './testing/rows.ts';
import { readTrialBalance } from './totals/queries.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 10 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

const SEEDS = [1, 2, 3, 4];

/** A projector of small batches, so that one history makes many of them. */
const project = (store: EventStore, schema: string, batchMax = 7) =>
  startProjector({ store, pool, schema, batchMax, gatherMs: 0, hurryMs: 0, pollMs: 50 });

async function projectAll(store: EventStore, schema: string, batchMax = 7): Promise<void> {
  const projector = project(store, schema, batchMax);
  await projector.caughtUp();
  await projector.stop();
}

async function storedWalletEvents(store: Store) {
  const { events } = await store.readAll({ after: null, limit: 100_000, categories: ['wallet'] });
  return events.map((event) => decodeEvent(event));
}

t.test('these histories have all kinds of events', async (t) => {
  const types = new Set<string>();
  for (const seed of SEEDS) {
    const ledger = await openTestLedger(createMemoryStore());
    await liveThrough(ledger, { seed, steps: 250 });
    for (const { type } of await storedWalletEvents(ledger.store)) types.add(type);
  }
  t.equal(types.size, 15, [...types].join());
});

for (const seed of SEEDS) {
  t.test(`given any history (seed ${seed}), then the rows say what the domain's own fold says`, async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    const accounts = await liveThrough(ledger, { seed, steps: 250 });
    const schema = `fold_${seed}`;
    await projectAll(ledger.store, schema);
    for (const account of accounts) {
      const { state, revision } = await ledger.wallet(account);
      t.same(await walletRows(schema, account), rowsOf(state, revision), account);
    }
    const { rows } = await pool.query(`select * from ${quoted(schema)}.balances`);
    for (const row of rows) {
      const sum = ['granted', 'adjusted'].reduce((all, name) => all + BigInt(row[name]), 0n);
      const gone = ['consumed', 'held', 'expired', 'withdrawn'].reduce(
        (all, name) => all + BigInt(row[name]),
        0n,
      );
      t.equal(sum - gone, BigInt(row.available), `L14 of ${row.account}`);
    }
  });

  t.test(
    `given any history (seed ${seed}), then postings are the events' own and the trial balance is zero`,
    async (t) => {
      const ledger = await openTestLedger(createMemoryStore());
      await liveThrough(ledger, { seed, steps: 250 });
      const schema = `journal_${seed}`;
      await projectAll(ledger.store, schema, 50);
      for (const { stream, revision, type, data, facts } of await storedWalletEvents(ledger.store)) {
        const { entry = [] } = data as Partial<Movement>;
        const stored = [...entry, ...((facts as Partial<MovementFacts>).entry ?? [])];
        const { rows } = await pool.query<Posting>(
          `select account, unit, amount from ${quoted(schema)}.postings where stream = $1 and revision = $2`,
          [stream, revision],
        );
        t.strictSame(sorted(rows), sorted(stored), `${stream}:${revision} ${type}`);
        for (const sum of sumsOf(rows).values()) t.equal(sum, 0n);
      }
      const balance = await readTrialBalance(openReads(pool, schema));
      t.same(new Set(balance.units.map(({ unit }) => unit)), new Set(['credits', 'EUR', 'USD']));
      for (const { unit, total } of balance.units) t.equal(total, '0', unit);
      const kept = await pool.query(
        `select count(*) filter (where postings is null) as derived, count(*) as all from ${quoted(schema)}.entries
       where type = 'UsageCharged'`,
      );
      t.ok(Number(kept.rows[0].derived) > 0, 'charges give their postings without any text');
    },
  );
}

const sorted = (postings: readonly Posting[]): Posting[] =>
  postings
    .map(({ account, unit, amount }) => ({ account, unit, amount }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

async function walletRows(schema: string, account: string) {
  const at = quoted(schema);
  const one = async (text: string) => (await pool.query(text, [account])).rows;
  const [balance] = await one(
    `select available, held, granted, adjusted, consumed, expired, withdrawn, debt, revision, next_due_at
     from ${at}.balances where account = $1`,
  );
  return {
    balance: { ...balance, next_due_at: balance.next_due_at?.getTime() ?? null },
    lots: await one(
      `select lot, free, pinned, paid from ${at}.lots where account = $1 and open order by lot collate "C"`,
    ),
    holds: await one(
      `select hold, credits, uncovered from ${at}.holds where account = $1 and status = 'open' order by opened`,
    ),
    pins: await one(`select hold, lot, credits, paid from ${at}.pins where account = $1 order by since`),
  };
}

function rowsOf(wallet: Readonly<Wallet>, revision: number) {
  const text = (amount: bigint): string => amount.toString();
  const { totals } = wallet;
  const { debt } = totals;
  const dues = [
    ...wallet.lots
      .filter(({ free, expiresAt }) => free > 0n && expiresAt !== null)
      .map(({ expiresAt }) => expiresAt ?? 0),
    ...[...wallet.holds.values()].map(({ expiresAt }) => expiresAt),
  ];
  const holds = [...wallet.holds.values()];
  return {
    balance: {
      ...Object.fromEntries(Object.entries(totals).map(([name, amount]) => [name, text(amount)])),
      debt: text(debt),
      revision: String(revision),
      next_due_at: dues.length === 0 ? null : Math.min(...dues),
    },
    lots: wallet.lots
      .map((lot) => ({ lot: lot.id, free: text(lot.free), pinned: text(lot.pinned), paid: text(lot.paid) }))
      .sort((a, b) => (a.lot < b.lot ? -1 : 1)),
    holds: holds.map((hold) => ({
      hold: hold.id,
      credits: text(hold.credits),
      uncovered: text(hold.uncovered),
    })),
    pins: holds.flatMap((hold) =>
      hold.pins.map(({ lot, credits, paid }) => ({
        hold: hold.id,
        lot,
        credits: text(credits),
        paid: text(paid),
      })),
    ),
  };
}

t.test('given two projectors at once, then every event is counted exactly once', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const first = project(ledger.store, 'twice', 3);
  const second = project(ledger.store, 'twice', 5);
  await liveThrough(ledger, { seed: 9, steps: 120 });
  await Promise.all([first.caughtUp(), second.caughtUp()]);
  await Promise.all([first.stop(), second.stop()]);
  await projectAll(ledger.store, 'once');
  t.same(await allRows(pool, 'twice'), await allRows(pool, 'once'));
});

t.test(
  'given commits that fail or whose answer is lost, then every event is counted exactly once',
  async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    await liveThrough(ledger, { seed: 10, steps: 60 });
    let commits = 0;
    const faults = { before: 0, after: 0 };
    const unreliable = new Proxy(pool, {
      get(target, name) {
        if (name !== 'connect') return Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name);
        return async () => {
          const client = await target.connect();
          const query = client.query.bind(client);
          return Object.assign(Object.create(client), {
            release: client.release.bind(client),
            query: async (text: string, values?: unknown[]) => {
              if (text !== 'commit') return query(text, values);
              commits += 1;
              if (commits % 3 === 0) {
                faults.before += 1;
                throw new Error('the connection was lost before the commit');
              }
              const result = await query(text);
              if (commits % 5 === 0) {
                faults.after += 1;
                throw new Error('the connection was lost after the commit');
              }
              return result;
            },
          });
        };
      },
    });
    const projector = startProjector({
      store: ledger.store,
      pool: unreliable,
      schema: 'lossy',
      batchMax: 15,
      gatherMs: 0,
      hurryMs: 0,
    });
    await projector.caughtUp();
    await projector.stop();
    t.ok(faults.before > 1 && faults.after > 1, JSON.stringify(faults));
    await projectAll(ledger.store, 'reliable');
    t.same(await allRows(pool, 'lossy'), await allRows(pool, 'reliable'));
  },
);

t.test('given a live schema, when another is rebuilt, then they are equal row by row', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const live = project(ledger.store, 'live', 4);
  await liveThrough(ledger, { seed: 11, steps: 150 });
  await live.caughtUp();
  const seen: number[] = [];
  const { events } = await rebuildReads({
    store: ledger.store,
    pool,
    schema: 'rebuilt',
    onProgress: (progress) => seen.push(progress.events),
  });
  const { events: stored } = await ledger.store.readAll({ after: null, limit: 100_000 });
  t.equal(events, stored.length);
  t.ok(seen.length > 0);
  t.same(await allRows(pool, 'rebuilt'), await allRows(pool, 'live'));
  await t.rejects(rebuildReads({ store: ledger.store, pool, schema: 'live' }), SchemaNotEmpty);
  await live.stop();
  await rebuildReads({ store: ledger.store, pool, schema: 'live', force: true });
  t.same(await allRows(pool, 'live'), await allRows(pool, 'rebuilt'));
});

/** The state that a projector ends in. */
function outcome(store: EventStore, schema: string): Promise<ProjectorState> {
  return new Promise((resolve) => {
    const projector = startProjector({
      store,
      pool,
      schema,
      pollMs: 20,
      onState: (state) => {
        if (state.status === 'running' || state.status === 'halted')
          projector.stop().then(() => resolve(state));
      },
    });
  });
}

t.test('read models of another store are refused, and it says how to rebuild', async (t) => {
  const one = await openTestLedger(createMemoryStore(), 'store-1');
  await projectAll(one.store, 'owned');
  const other = await openTestLedger(createMemoryStore(), 'store-2');
  const state = await outcome(other.store, 'owned');
  t.match(state, { status: 'halted', error: { name: 'ForeignReads', message: /ledger rebuild --force/ } });
});

t.test('a store that was restored to before the checkpoint is refused', async (t) => {
  const full = await openTestLedger(createMemoryStore());
  await full.open('a');
  await projectAll(full.store, 'ahead');
  const restored = await openTestLedger(createMemoryStore());
  t.match(await outcome(restored.store, 'ahead'), { status: 'halted', error: { name: 'ForeignReads' } });
});

t.test('read models of another version are refused', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await projectAll(ledger.store, 'older');
  await pool.query('update older.meta set version = 0');
  t.match(await outcome(ledger.store, 'older'), { status: 'halted', error: { name: 'ForeignReads' } });
});

const strange = (type: string, data = '{"v":1,"recorded_at":"2026-03-01T12:00:00.000Z"}') => ({
  id: '00000000-0000-4000-8000-000000000001',
  type,
  key: null,
  data,
  meta: `{"v":1,"actor":"x","request":"x","left":0,"salt":"x","facts":{},"hash":"${'0'.repeat(64)}"}`,
});

for (const [name, stream, event] of [
  ['type', 'wallet-odd', strange('SomethingNew')],
  ['category', 'coupon-odd', strange('CouponApplied')],
  ['version', 'wallet-odd', strange('AccountFrozen', '{"v":2,"recorded_at":"2026-03-01T12:00:00.000Z"}')],
] as const) {
  t.test(`an event of an unknown ${name} stops the projector and is not skipped`, async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    await ledger.open('before');
    const before = await ledger.store.readAll({ after: null, limit: 100 });
    await ledger.store.append({ stream, expected: -1, events: [event] });
    await ledger.open('after');
    const schema = `unknown_${name}`;
    const projector = project(ledger.store, schema, 1);
    await t.rejects(projector.caughtUp(), { name: 'CannotProject' });
    t.equal(projector.state.status, 'halted');
    t.equal(projector.position, before.position);
    const { rows } = await pool.query(`select account from ${schema}.accounts`);
    t.same(rows, [{ account: 'before' }]);
    await projector.stop();
  });
}

t.test('an event that contradicts the rows stops the projector', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await ledger.open('a');
  await ledger.run('a', topUp('t', 10));
  await projectAll(ledger.store, 'contradicted');
  await pool.query('update contradicted.balances set available = available + 1, granted = granted + 1');
  await ledger.run('a', charge('u', 1));
  const projector = project(ledger.store, 'contradicted');
  await t.rejects(projector.caughtUp(), { name: 'CannotProject', message: /wallet a comes out at/ });
  await projector.stop();
});

t.test('a projector that starts before the ledger is opened waits for it', async (t) => {
  const store = createMemoryStore();
  const states: string[] = [];
  const projector = startProjector({
    store,
    pool,
    schema: 'early',
    pollMs: 20,
    onState: ({ status }) => states.push(status),
  });
  while (!states.includes('waiting')) await new Promise((resolve) => setTimeout(resolve, 5));
  const ledger = await openTestLedger(store);
  await ledger.open('a');
  t.equal(await projector.waitFor({ account: 'a', revision: 0 }, 10_000), true);
  await projector.stop();
  t.ok(states.includes('running'));
});

t.test('readers wait for an account or a position, and are told when it does not come', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const projector = project(ledger.store, 'waiting', 100);
  await ledger.open('a');
  t.equal(await projector.waitFor({ account: 'a', revision: 0 }, 10_000), true);
  const [answer] = await ledger.run('a', topUp('t', 10));
  if (answer?.status !== 'recorded') throw new Error('the top-up was not recorded');
  t.equal(await projector.waitFor({ position: answer.position }, 10_000), true);
  t.equal(projector.position, answer.position);
  t.equal(await projector.waitFor({ account: 'a', revision: 99 }, 30), false);
  await projector.stop();
  const again = project(ledger.store, 'waiting', 100);
  t.equal(
    await again.waitFor({ account: 'a', revision: 1 }, 10_000),
    true,
    'what was written before it started',
  );
  await again.stop();
});

const notOurs = server.server === null ? 'the server of LEDGER_TEST_POSTGRES_URL is not ours to stop' : false;
t.test(
  'when the database goes away in the middle, it says so, and goes on by itself',
  { skip: notOurs },
  async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    const states: string[] = [];
    const projector = startProjector({
      store: ledger.store,
      pool,
      schema: 'outage',
      batchMax: 5,
      gatherMs: 0,
      pollMs: 20,
      onState: ({ status }) => states.push(status),
    });
    await liveThrough(ledger, { seed: 12, steps: 30 });
    await server.server?.halt('crash');
    await liveThrough(ledger, { seed: 13, steps: 30 });
    while (!states.includes('waiting')) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.server?.start();
    await projector.caughtUp();
    t.equal(projector.state.status, 'running');
    t.equal(projector.lagMs, 0);
    await projector.stop();
    await projectAll(ledger.store, 'no_outage');
    t.same(await allRows(pool, 'outage'), await allRows(pool, 'no_outage'));
  },
);
