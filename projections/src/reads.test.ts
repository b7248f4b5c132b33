import { keys, NO_CATALOGUES, walletDecider } from '@tallystick/domain';
import { createMemoryStore, type EventStore, hashOf } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { getAccount, getAccountFull, listAccounts } from './accounts/queries.ts';
import { listApiKeys } from './api-keys/queries.ts';
import { createBalanceReader, listDueAccounts } from './balances/queries.ts';
import {
  getEntry,
  getUsage,
  getUsageFinance,
  listUnpriced,
  listUsage,
  readStatement,
} from './entries/queries.ts';
import { followReads } from './follow.ts';
import { getHold, listHolds } from './holds/queries.ts';
import { createKeyIndex } from './keys/queries.ts';
import { listLots, listLotsFinance } from './lots/queries.ts';
import { BadCursor, type PageOf, type PageQuery } from './paging.ts';
import { startProjector } from './projector.ts';
import { openReads } from './reads.ts';
import { rebuildReads } from './rebuild.ts';
import { claim, migrate, ownerOf } from './schema.ts';
import { folderOf } from './snapshots/folder.ts';
import { createSnapshotReader } from './snapshots/queries.ts';
import { charge, liveThrough, topUp } from './testing/history.ts';
import { BOOK, openTestLedger, type Store, type TestLedger } from './testing/ledger.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 10 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

const DAY = 24 * 3_600_000;
const place = (hold: string, calls: number, expiresInMs: number) =>
  ({ type: 'PlaceHold', hold, model: 'plain', estimate: { calls }, expiresInMs }) as const;

async function projectAll(store: EventStore, schema: string): Promise<void> {
  const projector = startProjector({ store, pool, schema, batchMax: 500, gatherMs: 0, hurryMs: 0 });
  await projector.caughtUp();
  await projector.stop();
}

async function everyPage<T>(read: (query: PageQuery) => Promise<PageOf<T>>, pageSize: number): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read({ cursor, pageSize });
    t.ok(page.data.length <= pageSize);
    all.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

async function accountsWithDues(ledger: TestLedger, accounts: readonly string[]): Promise<string[]> {
  const due: string[] = [];
  for (const account of accounts) {
    const { state } = await ledger.wallet(account);
    if (walletDecider.dues(walletDecider.fork(state), ledger.now(), NO_CATALOGUES).events.length > 0)
      due.push(account);
  }
  return due;
}

t.test(
  'a balance leaves out what is due before anyone has carried it out, exactly as it will be',
  async (t) => {
    for (const seed of [21, 22, 23]) {
      const ledger = await openTestLedger(createMemoryStore());
      const accounts = await liveThrough(ledger, { seed, steps: 150 });
      for (const account of accounts) {
        const expiresAt = ledger.now() + DAY;
        await ledger.run(account, topUp('due', 40, { expiresAt, paid: { amount: '3', currency: 'EUR' } }));
        await ledger.run(account, place('due', 60, DAY / 2), place('later', 7, 5 * DAY));
      }
      const schema = `due_${seed}`;
      await projectAll(ledger.store, schema);
      ledger.advance(2 * DAY);
      const reads = openReads(pool, schema);
      const balances = createBalanceReader(reads);
      const before = await Promise.all(accounts.map((account) => balances.read(account, ledger.now())));
      const lots = await Promise.all(
        accounts.map((account) =>
          everyPage((page) => listLots(reads, { account, now: ledger.now(), ...page }), 100),
        ),
      );
      const due = await listDueAccounts(reads, ledger.now(), 100);
      t.same(new Set(due), new Set(await accountsWithDues(ledger, accounts)));
      t.ok(due.length > 0);
      for (const account of accounts) await ledger.run(account, { type: 'CarryOutDues' });
      await projectAll(ledger.store, schema);
      for (const [n, account] of accounts.entries()) {
        const after = await balances.read(account, ledger.now());
        const { position: _, ...shown } = before[n]?.view ?? { position: '' };
        const { position: __, ...written } = after?.view ?? { position: '' };
        t.strictSame(shown, written, account);
        t.strictSame(
          lots[n],
          await everyPage((page) => listLots(reads, { account, now: ledger.now(), ...page }), 3),
          account,
        );
      }
      t.same(await listDueAccounts(reads, ledger.now(), 100), []);
    }
  },
);

t.test('a balance shows what expires within 30 days, soonest first', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await ledger.open('a');
  await ledger.run(
    'a',
    topUp('late', 5, { expiresAt: ledger.now() + 40 * DAY }),
    topUp('second', 3, { expiresAt: ledger.now() + 20 * DAY }),
    topUp('first', 2, { expiresAt: ledger.now() + 10 * DAY }),
    topUp('never', 1),
  );
  await projectAll(ledger.store, 'expiring');
  const read = await createBalanceReader(openReads(pool, 'expiring')).read('a', ledger.now());
  t.match(read?.view, { available: '11', granted: '11', held: '0' });
  t.same(
    read?.view.expiring.map(({ lot, credits }) => [lot, credits]),
    [
      ['lot-3', '2'],
      ['lot-2', '3'],
    ],
  );
  t.equal(await createBalanceReader(openReads(pool, 'expiring')).read('nobody', ledger.now()), null);
});

t.test(
  'a statement has every entry once, in order, with the running balance, in pages and between instants',
  async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    await ledger.open('a');
    const times: number[] = [];
    await ledger.run('a', topUp('t', 1000));
    for (let n = 0; n < 60; n++) {
      ledger.advance(3_600_000);
      times.push(ledger.now());
      await ledger.run('a', charge(`u${n}`, 1));
    }
    await projectAll(ledger.store, 'statement');
    const reads = openReads(pool, 'statement');
    const newest = await everyPage((page) => readStatement(reads, { account: 'a', ...page }), 7);
    const oldest = await everyPage(
      (page) => readStatement(reads, { account: 'a', order: 'oldest', ...page }),
      7,
    );
    t.equal(newest.length, 61);
    t.same(newest.toReversed(), oldest);
    let running = 0;
    for (const line of oldest) {
      running += Number(line.change.available);
      t.equal(Number(line.after.available), running);
    }
    const from = times[10] ?? 0;
    const to = times[20] ?? 0;
    const some = await everyPage((page) => readStatement(reads, { account: 'a', from, to, ...page }), 4);
    t.same(
      some.map(({ usage_id }) => usage_id),
      Array.from({ length: 10 }, (_, n) => `u${19 - n}`),
    );
    await t.rejects(readStatement(reads, { account: 'a', cursor: 'nonsense' }), BadCursor);
    const { next_cursor } = await listUsage(reads, { account: 'a', pageSize: 1 });
    await t.rejects(readStatement(reads, { account: 'a', cursor: next_cursor ?? '' }), BadCursor);
  },
);

t.test(
  'usage without a price is listed until it is charged, then it is its charge; a reversal marks it',
  async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    await ledger.open('a');
    const paid = { amount: '20', currency: 'EUR' };
    await ledger.run('a', topUp('t', 100, { paid }));
    await ledger.run(
      'a',
      charge('odd', 2, { model: 'unheard-of', source: 'gateway' }),
      charge('plain', 3),
      charge('odd-2', 1, { model: 'unheard-of' }),
    );
    await ledger.run('a', charge('costly', 4, { model: 'maker/costly' }));
    const project = () => projectAll(ledger.store, 'usage');
    await project();
    const reads = openReads(pool, 'usage');
    t.same(
      (await everyPage((page) => listUnpriced(reads, page), 1)).map(({ id, reason, credits }) => [
        id,
        reason,
        credits,
      ]),
      [
        ['odd', 'no_model', null],
        ['odd-2', 'no_model', null],
      ],
    );
    ledger.advance(1_000);
    ledger.publish({
      ...BOOK,
      models: { ...BOOK.models, 'unheard-of': { prices: { calls: { credits: '5', per: 1 } } } },
    });
    await ledger.run('a', { type: 'RepriceUsage', id: 'odd', source: 'gateway' });
    const { hits } = await ledger.store.lookup('wallet-a', [
      keys.usage('', 'plain'),
      keys.usage('', 'costly'),
    ]);
    const revisionOf = (id: string): number => hits.get(keys.usage('', id)) ?? -1;
    const revision = revisionOf('plain');
    await ledger.run('a', { type: 'ReverseEntry', revision, reason: 'mistake', allowDebt: false });
    await project();
    t.same(
      (await listUnpriced(reads, {})).data.map(({ id }) => id),
      ['odd-2'],
    );
    const usages = (await listUsage(reads, { account: 'a' })).data;
    t.same(
      usages.map(({ id, status, credits, repriced, reversed }) => [id, status, credits, repriced, reversed]),
      [
        ['odd', 'charged', '10', 'later_version', false],
        ['costly', 'charged', '7.1788', null, false],
        ['odd-2', 'unpriced', null, null, false],
        ['plain', 'charged', '3', null, true],
      ],
    );
    t.match(await getUsage(reads, ledger.store, { account: 'a', id: 'odd', source: 'gateway' }), {
      status: 'charged',
      credits: '10',
      lots: [{ lot: 'lot-1', credits: '10' }],
    });
    t.equal(
      await getUsage(reads, ledger.store, { account: 'a', id: 'odd' }),
      null,
      'the source is part of what it is',
    );
    t.match(await getUsageFinance(reads, ledger.store, { account: 'a', id: 'costly' }), {
      supplier: 'Maker & Co',
      cost: { amount: '0.0548', currency: 'USD' },
      revenue: { currency: 'EUR' },
    });
    const entry = await getEntry(reads, { stream: 'wallet-a', revision: revisionOf('costly') });
    t.ok(
      entry?.postings.some(
        ({ account, unit }) => account === 'expenses:suppliers:Maker%20%26%20Co' && unit === 'USD',
      ),
    );
    t.equal(await getEntry(reads, { stream: 'wallet-a', revision: 0 }), null);
  },
);

t.test('what owners read never holds a cost, a payment, metadata or a currency amount', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const [account = ''] = await liveThrough(ledger, { seed: 31, steps: 200, accounts: 1 });
  await projectAll(ledger.store, 'owners');
  const reads = openReads(pool, 'owners');
  const now = ledger.now();
  const shown = [
    await getAccount(reads, account),
    (await createBalanceReader(reads).read(account, now))?.view,
    await everyPage((page) => listLots(reads, { account, now, ...page }), 500),
    await everyPage((page) => listHolds(reads, { account, now, ...page }), 500),
    await everyPage((page) => readStatement(reads, { account, ...page }), 500),
    await everyPage((page) => listUsage(reads, { account, ...page }), 500),
  ];
  const text = JSON.stringify(shown);
  t.ok(text.length > 10_000);
  t.notMatch(text, /"(cost|paid|metadata|revenue|supplier|withdrawable|postings)"|EUR|USD/);
  t.match(await getAccountFull(reads, account), { name: 'Acme 0', metadata: { plan: 0 } });
  t.match((await listLotsFinance(reads, { account, now })).data.find(({ paid }) => paid !== null)?.paid, {
    currency: 'EUR',
  });
});

t.test('accounts, holds and API keys are listed in pages', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  for (const id of ['c', 'a', 'B', 'b']) await ledger.open(id);
  await ledger.createKey('k1');
  await ledger.createKey('k2');
  await ledger.revokeKey('k1');
  await ledger.run('a', { type: 'FreezeAccount', reason: 'odd', reference: 'r1' });
  await ledger.run(
    'b',
    topUp('t', 10),
    place('h1', 2, DAY),
    place('h2', 3, 2 * DAY),
    place('h3', 1, 2 * DAY),
  );
  await ledger.run('b', { type: 'VoidHold', hold: 'h3' });
  await projectAll(ledger.store, 'lists');
  const reads = openReads(pool, 'lists');
  const accounts = await everyPage((page) => listAccounts(reads, page), 1);
  t.same(
    accounts.map(({ id, status }) => `${id} ${status}`),
    ['B active', 'a frozen', 'b active', 'c active'],
  );
  t.same(
    (await everyPage((page) => listApiKeys(reads, page), 1)).map(({ id, revoked_at }) => [
      id,
      revoked_at !== null,
    ]),
    [
      ['k1', true],
      ['k2', false],
    ],
  );
  const now = ledger.now() + DAY;
  const holds = await everyPage((page) => listHolds(reads, { account: 'b', now, ...page }), 2);
  t.same(
    holds.map(({ id, status, credits }) => [id, status, credits]),
    [
      ['h1', 'expired', '0'],
      ['h2', 'open', '3'],
      ['h3', 'voided', '0'],
    ],
  );
  t.same(
    (await listHolds(reads, { account: 'b', now, open: true })).data.map(({ id }) => id),
    ['h2'],
  );
  t.equal(await getHold(reads, 'b', 'none', now), null);
});

/** The store as EventStoreDB is: it does not enforce keys. */
const withoutKeys = (store: Store): EventStore => ({ ...store, enforcesKeys: false });

t.test('the key index says for every stream what it covers, and finds every key up to there', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await ledger.open('a');
  await ledger.open('b');
  await ledger.run('a', topUp('t', 100), charge('u1', 1));
  await projectAll(withoutKeys(ledger.store), 'key_index');
  await ledger.run('a', charge('u2', 1), { type: 'ChangeAccount', terms: { time_zone: 'Etc/GMT' } });
  const index = createKeyIndex(pool, 'key_index');
  const asked = [keys.usage('', 'u1'), keys.usage('', 'u2'), 'nothing'];
  const [a, b, none] = await Promise.all([
    index.lookup('wallet-a', asked),
    index.lookup('wallet-b', asked),
    index.lookup('wallet-c', asked),
  ]);
  t.same([...(a?.hits ?? [])], [[keys.usage('', 'u1'), 2]]);
  t.equal(a?.coveredTo, 2, 'u2 is above what is covered: nothing is said about it');
  t.match(b, { coveredTo: 0 });
  t.equal(none?.coveredTo, -1);
  await projectAll(withoutKeys(ledger.store), 'key_index');
  const later = await index.lookup('wallet-a', asked);
  t.equal(later.hits.get(keys.usage('', 'u2')), 3);
  t.equal(later.coveredTo, 4, 'events without a key are covered too');
});

t.test('look-ups of the same tick travel in one query', async (t) => {
  let queries = 0;
  const counting = new Proxy(pool, {
    get(target, name) {
      if (name === 'query') queries += 1;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const index = createKeyIndex(counting, 'key_index');
  await Promise.all(Array.from({ length: 20 }, (_, n) => index.lookup('wallet-a', [`k${n}`])));
  t.equal(queries, 1);
});

t.test(
  'every thousand events a stream is frozen, with the hash of its event, also in a rebuild',
  async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    await ledger.open('long');
    await ledger.run('long', topUp('t', 100_000));
    for (let n = 0; n < 23; n++) {
      await ledger.run('long', ...Array.from({ length: 100 }, (_, i) => charge(`u${n}-${i}`, 1)));
    }
    await projectAll(ledger.store, 'frozen');
    const snapshot = await createSnapshotReader(pool, 'frozen').read(
      'wallet-long',
      walletDecider.foldVersion,
    );
    t.equal(snapshot?.revision, 1999);
    const events = await ledger.store.readStream('wallet-long', { from: 0, limit: 2000 });
    const folding = folderOf(walletDecider).begin('long', null);
    for (const event of events) folding.apply(event);
    t.equal(snapshot?.state, folding.freeze());
    t.equal(snapshot?.hash, hashOf(events[1999] ?? { meta: '' }));
    t.equal(
      await createSnapshotReader(pool, 'frozen').read('wallet-long', -1),
      null,
      'of another fold version there is none',
    );
    await rebuildReads({ store: ledger.store, pool, schema: 'frozen_anew' });
    t.same(
      await createSnapshotReader(pool, 'frozen_anew').read('wallet-long', walletDecider.foldVersion),
      snapshot,
    );
  },
);

t.test('a process that only reads waits for the projector of another', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await ledger.open('a');
  const projector = startProjector({ store: ledger.store, pool, schema: 'followed', gatherMs: 0 });
  await projector.caughtUp();
  const follower = followReads(pool, 'followed');
  t.equal(await follower.waitFor({ account: 'a', revision: 0 }, 5_000), true);
  const waiting = follower.waitFor({ account: 'a', revision: 1 }, 5_000);
  const [answer] = await ledger.run('a', topUp('t', 1));
  t.equal(await waiting, true);
  t.equal(
    await follower.waitFor({ position: answer?.status === 'recorded' ? answer.position : -1n }, 5_000),
    true,
  );
  t.equal(await follower.waitFor({ position: 10_000n }, 60), false);
  await follower.close();
  await projector.stop();
});

t.test('rule 36: a day holds what was recorded on it, whenever the calls are said to have run', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await ledger.open('a');
  await ledger.run('a', topUp('t', 100));
  ledger.advance(50 * DAY);
  await ledger.run('a', charge('late', 3, { occurredAt: ledger.now() - 40 * DAY }));
  await projectAll(ledger.store, 'days');
  const { rows } = await pool.query(
    `select distinct day::text from days.daily_totals where unit = 'credits' and amount <> 0`,
  );
  t.same(rows, [{ day: new Date(ledger.now()).toISOString().slice(0, 10) }]);
});

t.test('rule 10: read models that another store has filled are not taken over', async (t) => {
  await migrate(pool, 'claimed');
  const store = { storeId: 'one', epoch: 0, testClock: false };
  await claim(pool, 'claimed', store);
  await claim(pool, 'claimed', store);
  await t.rejects(claim(pool, 'claimed', { ...store, storeId: 'two' }), {
    name: 'ForeignReads',
    message: /store one/,
  });
  t.equal(await ownerOf(pool, 'claimed'), 'one');
});
