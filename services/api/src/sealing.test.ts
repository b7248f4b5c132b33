import { randomUUID } from 'node:crypto';
import { createSealChecker, SEALS } from '@tallystick/audit';
import { apiKeyDecider, type Catalogues, type LedgerSealed, NO_CATALOGUES } from '@tallystick/domain';
import {
  type Cursor,
  createEventStoreDbStore,
  createMemoryStore,
  createPostgresStore,
  createRunner,
  decodeEvent,
  type EventStore,
  type KeyIndex,
  type KeyLookup,
  type Page,
  type RecordedEvent,
  type Runner,
  StoreUnavailable,
} from '@tallystick/event-store';
import { startEventStoreDbStandIn, startPostgres } from '@tallystick/event-store/testing';
import t, { type Test } from 'tap';
import { readLastSeal, sealAfter, startSealing, withSealSnapshots } from './sealing.ts';

const NO_SNAPSHOTS = { read: async () => null };
const catalogue = { current: () => NO_CATALOGUES, fresh: async () => NO_CATALOGUES };

/** A process of its own on the store. */
function openRunner(store: EventStore & KeyIndex): Runner<Catalogues> {
  return createRunner<Catalogues>({
    store,
    keyIndex: store,
    snapshots: withSealSnapshots(store, NO_SNAPSHOTS),
    catalogue,
    limits: { unknownMs: 0 },
  });
}

/** Some events, in streams of different lengths. */
async function write(runner: Runner<Catalogues>, streams: number): Promise<void> {
  const orders = Array.from({ length: streams }, (_, n) => {
    const id = `${n}-${randomUUID()}`;
    const terms = { id, name: 'k', scopes: [], account: null };
    const command = { type: 'CreateApiKey', key: null, fingerprint: null, terms, sha256: '' } as const;
    return { id, command, cause: { actor: 'test', request: '' } };
  });
  await runner.execute(apiKeyDecider, orders, Date.now() + 10_000);
}

async function sealAll(runner: Runner<Catalogues>, store: EventStore): Promise<void> {
  while (await sealAfter({ runner, store }, await readLastSeal(store)));
}

async function sealsOf(store: EventStore): Promise<LedgerSealed[]> {
  return (await store.readStream(SEALS, { from: 0, limit: 1_000 })).map((seal) =>
    decodeEvent<LedgerSealed>(seal),
  );
}

async function everything(store: EventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (let after: Cursor | null = null; ; ) {
    const page: Page = await store.readAll({ after, limit: 2_000 });
    events.push(...page.events);
    if (page.atEnd) return events;
    after = page.cursor;
  }
}

/** Every event is in one seal, none is in two: what the checker holds against the events themselves. */
async function assertSealed(t: Test, store: EventStore): Promise<void> {
  const checker = createSealChecker();
  for (const event of await everything(store)) checker.event(event);
  t.same(checker.end(), []);
  t.equal(checker.unsealed, 0);
}

t.test('of two that seal at once one makes the seal, and the other finds it made', async (t) => {
  const store = createMemoryStore();
  const runners = [openRunner(store), openRunner(store)];
  for (let round = 0; round < 3; round++) {
    await write(runners[0] as Runner<Catalogues>, 20);
    const last = await readLastSeal(store);
    await Promise.all(runners.map((runner) => sealAfter({ runner, store }, last)));
  }
  t.same(
    (await sealsOf(store)).map(({ data }) => [data.number, data.events]),
    [
      [1, 20],
      [2, 20],
      [3, 20],
    ],
  );
  await assertSealed(t, store);
});

t.test('one who seals on a seal that is not the last changes nothing', async (t) => {
  const store = createMemoryStore();
  const runner = openRunner(store);
  await write(runner, 3);
  await sealAll(runner, store);
  const late = openRunner(store);
  t.equal(await sealAfter({ runner: late, store }, null), false);
  t.equal((await sealsOf(store)).length, 1);
});

t.test('whatever becomes of its append, no event is left out or sealed twice', async (t) => {
  for (const fate of ['unwritten', 'written']) {
    const memory = createMemoryStore();
    await write(openRunner(memory), 5);
    let fails = true;
    const store: EventStore & KeyIndex = {
      ...memory,
      async append(append) {
        if (!fails || append.stream !== SEALS) return memory.append(append);
        if (fate === 'written') await memory.append(append);
        throw new StoreUnavailable('unknown', 'the connection was lost');
      },
    };
    const runner = openRunner(store);
    await t.rejects(sealAfter({ runner, store }, null), /could not be sealed: outcome_unknown/);
    fails = false;
    // The same process, or another after a crash: it looks up the last seal.
    for (const next of [runner, openRunner(store)]) {
      await write(next, 2);
      await sealAll(next, store);
    }
    t.equal((await sealsOf(store)).length, fate === 'written' ? 3 : 2);
    await assertSealed(t, memory);
  }
});

t.test('a backlog of 25,000 events makes several seals, one after the other', async (t) => {
  const store = createMemoryStore();
  for (let stream = 0; stream < 25; stream++) {
    for (let from = 0; from < 1_000; from += 500) {
      const events = Array.from({ length: 500 }, () => ({
        id: randomUUID(),
        type: 'T',
        key: null,
        data: '{}',
        meta: `{"v":1,"hash":"${randomUUID().replaceAll('-', '').repeat(2)}"}`,
      }));
      await store.append({ stream: `wallet-${stream}`, expected: from - 1, events });
    }
  }
  await sealAll(openRunner(store), store);
  t.same(
    (await sealsOf(store)).map(({ data }) => data.events),
    [10_000, 10_000, 5_000],
  );
  await assertSealed(t, store);
});

t.test('started, it seals what is there, and stops when it is told to', async (t) => {
  const store = createMemoryStore();
  const runner = openRunner(store);
  await write(runner, 4);
  const stop = startSealing({ runner, store, everyMs: 60_000 });
  await stop();
  t.equal((await sealsOf(store)).length, 1);
  await write(runner, 4);
  await startSealing({ runner, store, everyMs: 60_000 })();
  t.equal((await sealsOf(store)).length, 1, 'the last seal is younger than that');
  const later = () => Date.now() + 61_000;
  await startSealing({ runner, store, everyMs: 60_000, now: later })();
  t.equal((await sealsOf(store)).length, 2);
});

t.test('an outage is told, and is nobody else’s', async (t) => {
  const memory = createMemoryStore();
  const errors: unknown[] = [];
  const head = () => Promise.reject(new StoreUnavailable('unwritten', 'away'));
  const store = { ...memory, head };
  await startSealing({
    runner: openRunner(memory),
    store,
    everyMs: 60_000,
    onError: (e) => errors.push(e),
  })();
  t.match(errors, [{ message: 'away' }]);
});

/** Cursors are each store's own: a seal that is full between two events of a page must end just there on all of them. */
const STORES: readonly [string, (t: Test) => Promise<EventStore>][] = [
  [
    'Postgres',
    async (t) => {
      const server = await startPostgres();
      t.teardown(() => server.stop());
      return createPostgresStore({ connectionString: server.url });
    },
  ],
  [
    'EventStoreDB',
    async (t) => {
      const standIn = await startEventStoreDbStandIn();
      t.teardown(() => standIn.stop());
      return createEventStoreDbStore({ connectionString: standIn.url });
    },
  ],
];
for (const [name, open] of STORES) {
  t.test(`on ${name} full seals meet without a hole`, async (t) => {
    const opened = await open(t);
    // The streams claim no keys.
    const lookup = async (): Promise<KeyLookup> => ({ hits: new Map(), coveredTo: -1 });
    const store = Object.assign(opened, 'lookup' in opened ? {} : { lookup }) as EventStore & KeyIndex;
    const runners = [openRunner(store), openRunner(store)] as const;
    await write(runners[0], 1_120);
    const last = await readLastSeal(store);
    await Promise.all(runners.map((runner) => sealAfter({ runner, store }, last)));
    await sealAll(runners[1], store);
    await write(runners[0], 10);
    await sealAll(openRunner(store), store);
    t.same(
      (await sealsOf(store)).map(({ data }) => data.events),
      [1_000, 120, 10],
    );
    await assertSealed(t, store);
    await Promise.all(runners.map((runner) => runner.close()));
    await store.close();
  });
}
