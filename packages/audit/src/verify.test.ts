import { SEAL_ID, sealDecider, walletDecider } from '@tallystick/domain';
import {
  createMemoryStore,
  createPostgresStore,
  createRunner,
  type EventStore,
  expectedHash,
  hashOf,
  type RecordedEvent,
} from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { folderOf, startProjector } from '@tallystick/projections';
import { charge, liveThrough, openTestLedger, topUp } from '@tallystick/projections/testing';
import pg from 'pg';
import t from 'tap';
import { gatherSeal } from './seal/gather.ts';
import type { Finding } from './verify/finding.ts';
import { type Verdict, verifyLedger } from './verify.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 6 });
const store = await createPostgresStore({ connectionString: server.url });
t.teardown(async () => {
  await store.close();
  await pool.end();
  await server.stop();
});

const schema = 'reads';
const ledger = await openTestLedger(store);
await liveThrough(ledger, { seed: 11, steps: 150 });
await ledger.open('acme');
await ledger.run('acme', topUp('t1', 100, { paid: { amount: '90', currency: 'EUR' } }));
for (let n = 0; n < 8; n++) await ledger.run('acme', charge(`u${n}`, 2, { model: 'maker/costly' }));
await ledger.run('acme', {
  type: 'PlaceHold',
  hold: 'h',
  model: 'plain',
  estimate: { calls: 3 },
  expiresInMs: 9e9,
});
await seal();
await project();
await pool.query(
  'create table backup as table ledger_events.events; alter table backup drop column category',
);

/** One seal over everything so far. */
async function seal(): Promise<void> {
  const gathered = await gatherSeal(store, null);
  if (gathered === null) throw new Error('there is nothing to seal');
  const runner = createRunner<null>({
    store,
    keyIndex: store,
    snapshots: { read: async () => null },
    catalogue: { current: () => null, fresh: async () => null },
    now: ledger.now,
  });
  const command = {
    type: 'SealLedger',
    key: null,
    fingerprint: null,
    after: 0,
    ...gathered.content,
  } as const;
  const order = { id: SEAL_ID, command, cause: { actor: 'test', request: '' } };
  await runner.execute(sealDecider, [order], ledger.now() + 60_000);
}

async function project(of: EventStore = store, into = schema): Promise<void> {
  const projector = startProjector({ store: of, pool, schema: into, batchMax: 40, gatherMs: 0 });
  await projector.caughtUp();
  await projector.stop();
}

const verifyWith = (threads: number): Promise<Verdict> =>
  verifyLedger({ store, pool, schema, shownMax: 1_000, threads });

let turns = 0;

/** Every third time in several threads, whose start is most of what that takes; what is found must be the same. */
function verify(): Promise<Verdict> {
  turns += 1;
  return verifyWith(turns % 3 === 0 ? 2 : 0);
}

const EVENTS = 'ledger_events.events';
const ACME = `stream = 'wallet-acme'`;

async function restoreEvents(): Promise<void> {
  await pool.query(`truncate ${EVENTS};
    insert into ${EVENTS} (position, stream, revision, id, type, key, data, meta)
    select position, stream, revision, id, type, key, data, meta from backup`);
}

/** Changes an event of acme, and mends the hashes from it up to `mendedTo`, as someone who knows how would do it. */
async function change(
  at: number,
  how: (event: RecordedEvent) => Partial<RecordedEvent>,
  mendedTo: number,
): Promise<void> {
  const events = await store.readStream('wallet-acme', { from: at - 1, limit: 100 });
  let previous: string | null = null;
  for (const event of events) {
    const changed = event.revision === at ? { ...event, ...how(event) } : event;
    if (previous !== null && event.revision <= mendedTo) {
      const meta = changed.meta.replace(hashOf(changed), expectedHash(previous, changed));
      await pool.query(
        `update ${EVENTS} set data = $2, meta = $3, key = $4 where ${ACME} and revision = $1`,
        [event.revision, changed.data, meta, changed.key],
      );
      previous = hashOf({ meta });
    } else if (previous === null) previous = hashOf(event);
  }
}

t.test('a sound ledger agrees, event for event and row for row', async (t) => {
  t.match(await verify(), { count: 0, findings: [], behind: 0 });
  for (const seed of [21, 22, 23]) {
    const other = await openTestLedger(createMemoryStore(), `store-${seed}`);
    await liveThrough(other, { seed, steps: 250 });
    // As on a store that does not enforce keys: then there is a key index to be compared.
    const keyless = { ...other.store, enforcesKeys: false };
    const into = `seed_${seed}`;
    await project(keyless, into);
    for (const threads of [0, 3])
      t.match(await verifyLedger({ store: keyless, pool, schema: into, threads }), {
        count: 0,
        findings: [],
      });
    await pool.query(`update ${into}.stream_keys set revision = revision + 1 where key = (
      select min(key) from ${into}.stream_keys)`);
    await pool.query(
      `update ${into}.key_coverage set revision = 0 where stream = 'wallet-acme+1@example.org'`,
    );
    const { findings } = await verifyLedger({ store: keyless, pool, schema: into });
    t.match(
      findings.map(({ table }) => table),
      ['stream_keys', 'key_coverage'],
    );
  }
});

t.test('read models that are behind are compared at the position that they have come to', async (t) => {
  const { rows } = await pool.query(`select max(position) as last from ${EVENTS}`);
  const late = await openTestLedger(store);
  await late.run('acme', charge('late', 1), { type: 'VoidHold', hold: 'h' }, topUp('late', 5));
  t.match(await verify(), { count: 0, behind: 3, position: BigInt(rows[0].last) + 3n });
  await restoreEvents();
});

type Wanted = Partial<Record<keyof Finding, unknown>>;

function fits(finding: Finding, wanted: Wanted): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const found = finding[name as keyof Finding];
    return value instanceof RegExp ? value.test(String(found)) : found === value;
  });
}

t.test('an event that was tampered with is named', async (t) => {
  const raise = ({ data }: RecordedEvent) => ({
    data: data.replaceAll('3.5894', '3.5895'),
  });
  const cases: [string, string | (() => Promise<void>), Wanted, number | null][] = [
    [
      'its data',
      `update ${EVENTS} set data = data || ' ' where ${ACME} and revision = 4`,
      { revision: 4, what: /hash chain breaks/ },
      1,
    ],
    [
      'its meta',
      `update ${EVENTS} set meta = replace(meta, '"actor":"test"', '"actor":"mine"') where ${ACME} and revision = 4`,
      { revision: 4, what: /hash chain breaks/ },
      1,
    ],
    [
      'the last event',
      `update ${EVENTS} set data = data || ' ' where ${ACME} and revision = 10`,
      { revision: 10, what: /hash chain breaks/ },
      1,
    ],
    [
      'its facts',
      `update ${EVENTS} set meta = replace(meta, '"supplier":"Maker & Co"', '"supplier":"Mine"') where ${ACME} and revision = 4`,
      { revision: 4, what: /hash chain breaks/ },
      null,
    ],
    [
      'its type',
      `update ${EVENTS} set type = 'Charged' where ${ACME} and revision = 4`,
      { revision: 4, what: 'the type is not known', found: 'Charged' },
      null,
    ],
    [
      'its key column',
      `update ${EVENTS} set key = 'usage::mine' where ${ACME} and revision = 4`,
      {
        revision: 4,
        what: 'the key column is not the key in meta',
        expected: 'usage::u2',
        found: 'usage::mine',
      },
      1,
    ],
    [
      'its version',
      `update ${EVENTS} set data = replace(data, '{"v":1', '{"v":2') where ${ACME} and revision = 4`,
      { revision: 4, what: /version of the envelope/, found: '2 and 1' },
      2,
    ],
    [
      'not JSON any more',
      `update ${EVENTS} set data = 'gone' where ${ACME} and revision = 4`,
      { revision: 4, what: 'the event cannot be read' },
      null,
    ],
    [
      'its price not JSON any more',
      `update ${EVENTS} set meta = replace(meta, '"round_to":', '"round_to"') where ${ACME} and revision = 4`,
      { revision: 4, what: 'the event cannot be read' },
      null,
    ],
    [
      'no hash any more',
      `update ${EVENTS} set meta = replace(meta, '"hash"', '"hush"') where ${ACME} and revision = 4`,
      { revision: 4, what: 'the event carries no hash' },
      2,
    ],
    [
      'missing',
      `delete from ${EVENTS} where ${ACME} and revision = 4`,
      { revision: 4, what: 'events are missing', expected: 'revision 4' },
      null,
    ],
    [
      'several missing',
      `delete from ${EVENTS} where ${ACME} and revision between 4 and 6`,
      { revision: 4, what: 'events are missing', expected: 'revisions 4 to 6' },
      null,
    ],
    [
      'missing, and with it every trace in its stream',
      cutUnseen,
      {
        stream: 'wallet-later',
        revision: 0,
        what: 'events are missing from the store before this one',
        expected: /^positions \d+ to \d+$/,
      },
      1,
    ],
    [
      'swapped with the next',
      swap,
      { revision: 4, what: 'two events are swapped', found: 'with revision 5' },
      null,
    ],
    ['one inserted before it', insert, { revision: 4, what: 'an event was inserted' }, null],
    [
      'its hash mended, not those after it',
      () => change(4, (event) => ({ data: `${event.data} ` }), 4),
      { revision: 5, what: /this event was changed, or the one before it/ },
      2,
    ],
    [
      'its hash mended, which was sealed',
      () => change(4, (event) => ({ data: `${event.data} ` }), 100),
      { stream: 'wallet-acme', what: 'the root of sealed events' },
      1,
    ],
    [
      'its amount, and all hashes mended',
      () => change(4, raise, 100),
      {
        revision: 4,
        account: undefined,
        what: 'a read model differs',
        column: 'credits',
        expected: '3.5895',
        found: '3.5894',
      },
      null,
    ],
    [
      'its move, and all hashes mended',
      () => change(4, raiseMove, 100),
      {
        revision: 4,
        account: 'acme',
        unit: 'credits',
        what: 'available after the event is not what its moves make',
      },
      null,
    ],
    [
      'the quantity of its lot, and all hashes mended',
      () => change(1, lowerQuantity, 100),
      { revision: 1, what: 'lot-1 has more than has come into it', expected: '50', found: '100' },
      null,
    ],
    [
      'its posting, and all hashes mended',
      () => change(4, raisePosting, 100),
      { revision: 4, unit: 'credits', what: 'the entry does not come to zero' },
      null,
    ],
    [
      'its key as well, and all hashes mended',
      repeatKey,
      { revision: 6, what: 'a business key comes twice', expected: 'usage::u2 at 4 only' },
      null,
    ],
    [
      'the tail of its stream cut off',
      `delete from ${EVENTS} where ${ACME} and revision >= 9`,
      { account: 'acme', table: 'balances', column: 'revision', expected: '8', found: '10' },
      null,
    ],
    [
      'the last event of the store cut off',
      `delete from ${EVENTS} where stream = 'seal-ledger'`,
      { what: 'the checkpoint of partition 0 is of an event that is missing' },
      null,
    ],
    [
      'its whole stream gone',
      `delete from ${EVENTS} where ${ACME}`,
      { account: 'acme', table: 'balances', what: 'a row that no event makes' },
      null,
    ],
    [
      'the store another one',
      `update ${EVENTS} set data = replace(data, 'store-1', 'store-2') where stream = 'ledger-genesis'`,
      { what: 'the read models are those of another store' },
      2,
    ],
  ];
  for (const [name, damage, wanted, count] of cases) {
    if (typeof damage === 'string') await pool.query(damage);
    else await damage();
    const verdict = await verify();
    const named = verdict.findings.some((finding) => fits(finding, wanted));
    t.ok(named, `${name}: ${JSON.stringify(verdict.findings.slice(0, 4))}`);
    if (count !== null) t.equal(verdict.count, count, `${name}: one damage, so many findings`);
    await restoreEvents();
  }
  t.match(await verify(), { count: 0 });

  function raiseMove({ data }: RecordedEvent) {
    return { data: data.replace(/("to":"spent","credits":")[^"]+/, '$10.05') };
  }
  function lowerQuantity({ data }: RecordedEvent) {
    return { data: data.replace('"quantity":"100"', '"quantity":"50"') };
  }
  function raisePosting({ data }: RecordedEvent) {
    return { data: data.replace(/(:available","unit":"credits","amount":")[^"]+/, '$10.05') };
  }
  /** Neither a seal nor a read model has seen them. */
  async function cutUnseen(): Promise<void> {
    const late = await openTestLedger(store);
    await late.run('acme', charge('late', 1), charge('later', 1));
    await late.open('later');
    await pool.query(`delete from ${EVENTS} where ${ACME} and revision >= 11`);
  }
  async function repeatKey(): Promise<void> {
    await pool.query('drop index ledger_events.events_stream_key');
    const key = 'usage::u2';
    await change(6, ({ meta }) => ({ key, meta: meta.replace('usage::u4', key) }), 100);
  }
  async function swap(): Promise<void> {
    await pool.query(`update ${EVENTS} e set id = b.id, type = b.type, key = 'x' || b.key, data = b.data, meta = b.meta
      from backup b where e.stream = b.stream and e.${ACME} and e.revision in (4, 5) and b.revision = 9 - e.revision`);
    await pool.query(`update ${EVENTS} set key = substr(key, 2) where key like 'xusage%'`);
  }
  async function insert(): Promise<void> {
    const { rows } = await pool.query(`select position from ${EVENTS} where ${ACME} and revision = 4`);
    const { position } = rows[0];
    for (const [column, where, from] of [
      ['position', 'true', position],
      ['revision', ACME, 4],
    ]) {
      await pool.query(
        `update ${EVENTS} set ${column} = ${column} + 1000000 where ${where} and ${column} >= ${from}`,
      );
      await pool.query(`update ${EVENTS} set ${column} = ${column} - 999999 where ${column} >= 1000000`);
    }
    await pool.query(
      `insert into ${EVENTS} (position, stream, revision, id, type, key, data, meta)
      select $1, stream, 4, gen_random_uuid(), type, null, data, replace(meta, '"key":"usage::u2"', '"key":null')
      from backup where ${ACME} and revision = 4`,
      [position],
    );
  }
});

t.test('a row that was changed by hand is named, in whatever table', async (t) => {
  const account = 'acme';
  const cases: [string, Wanted][] = [
    [
      `update reads.balances set available = available + 1 where account = 'acme'`,
      {
        table: 'balances',
        column: 'available',
        account,
        unit: 'credits',
        expected: '68.2848',
        found: '68.284801',
      },
    ],
    [
      `update reads.balances set next_due_at = now() where account = 'acme'`,
      { table: 'balances', column: 'next_due_at' },
    ],
    [
      `delete from reads.balances where account = 'acme'`,
      { table: 'balances', account, what: 'a row is missing' },
    ],
    [
      `update reads.lots set free = free + 1 where account = 'acme'`,
      { table: 'lots', account, column: 'free', row: 'lot lot-1' },
    ],
    [
      `update reads.lots set paid_in_all = 0 where account = 'acme'`,
      { table: 'lots', column: 'paid_in_all', expected: '90' },
    ],
    [
      `update reads.holds set status = 'voided' where account = 'acme'`,
      { table: 'holds', account, column: 'status', row: 'hold h', expected: 'open' },
    ],
    [
      `update reads.pins set credits = 0 where account = 'acme'`,
      { table: 'pins', account, column: 'credits', expected: '3', found: '0' },
    ],
    [
      `update reads.platform_totals set balance = 0 where account = 'income:usage:plain' and unit = 'credits'`,
      { table: 'platform_totals', account: 'income:usage:plain', unit: 'credits', column: 'balance' },
    ],
    [
      `update reads.daily_totals set calls = calls + 1 where (day, model) in (select day, model from reads.daily_totals limit 1)`,
      { table: 'daily_totals', column: 'calls' },
    ],
    [
      `update reads.accounts set overdraft_limit = 7000000 where account = 'acme'`,
      { table: 'accounts', account, expected: '0', found: '7' },
    ],
    [
      `insert into reads.freezes values ('acme', 'f', 'why', now())`,
      { table: 'freezes', account, what: 'a row that no event makes' },
    ],
    [
      `update reads.profiles set metadata = '{}' where account like 'acme+1%'`,
      { table: 'profiles', column: 'metadata', expected: '{"plan":1}' },
    ],
    [
      `update reads.api_keys set scopes = '{admin}' where id = 'k1'`,
      { table: 'api_keys', row: 'id k1', expected: '["read"]', found: '["admin"]' },
    ],
    [
      `update reads.api_keys set revoked_at = null where id = 'k2'`,
      { table: 'api_keys', column: 'revoked_at', found: null },
    ],
    [
      `update reads.entries set cost = cost + 1 where ${ACME} and revision = 4`,
      { table: 'entries', column: 'cost', stream: 'wallet-acme', revision: 4 },
    ],
    [
      `update reads.entries set usage = '{"calls":3}' where ${ACME} and revision = 4`,
      { table: 'entries', column: 'usage', expected: '{"calls":2}' },
    ],
    [
      `update reads.entries set postings = '[]' where ${ACME} and revision = 4`,
      { table: 'entries', column: 'postings', expected: null },
    ],
    [
      `update reads.entries set reversed_by = 9 where ${ACME} and revision = 4`,
      { table: 'entries', what: 'a row that no event makes', revision: 4 },
    ],
    [
      `delete from reads.entries where ${ACME} and revision = 4`,
      { table: 'entries', what: 'a row is missing', revision: 4 },
    ],
    [
      `update reads.checkpoints set hash = 'other'`,
      { what: 'the checkpoint of partition 0 is of another event' },
    ],
    [
      `update reads.checkpoints set cursor = '3'`,
      { table: 'checkpoints', row: 'partition 0', column: 'cursor', found: '3' },
    ],
    [
      `update reads.checkpoints set cursor = '9000', position = 9000`,
      { what: 'a checkpoint is ahead of the store', found: '9000' },
    ],
    [
      `insert into reads.snapshots values ('wallet-acme', ${walletDecider.foldVersion}, 4, 'other', '{}')`,
      { what: 'a snapshot is of another event', revision: 4 },
    ],
    [
      `insert into reads.snapshots values ('wallet-acme', ${walletDecider.foldVersion}, 99, 'other', '{}')`,
      { what: 'a snapshot is of an event that is missing' },
    ],
    [`update reads.seals set data = data || ' '`, { table: 'seals', row: 'number 1', column: 'data' }],
    [`update reads.seals set internal = 'other'`, { table: 'seals', column: 'internal', found: 'other' }],
    [`update reads.seals set events = 1`, { table: 'seals', row: 'number 1', column: 'events', found: '1' }],
    [
      `update reads.sealed_ranges set seal = 2 where ${ACME}`,
      { table: 'sealed_ranges', stream: 'wallet-acme', row: 'to_revision 10', column: 'seal', expected: '1' },
    ],
    [`update reads.meta set store_id = 'other'`, { what: 'the read models are those of another store' }],
    [
      `update reads.meta set version = 0`,
      { what: 'there is nothing to compare the events with', found: 'version 0' },
    ],
  ];
  for (const [damage, wanted] of cases) {
    await pool.query(`create schema reads_before`);
    const table = /(?:update|into|from) reads\.(\w+)/.exec(damage)?.[1];
    await pool.query(`create table reads_before.kept as table reads.${table}`);
    // The tables check themselves; whoever damages them by hand can switch that off.
    await pool.query('alter table reads.balances drop constraint if exists closed_identity');
    await pool.query(damage);
    const { findings } = await verify();
    t.ok(
      findings.some((finding) => fits(finding, wanted)),
      `${damage}: ${JSON.stringify(findings.slice(0, 3))}`,
    );
    await pool.query(`truncate reads.${table}; insert into reads.${table} table reads_before.kept`);
    await pool.query('drop schema reads_before cascade');
  }
  t.match(await verify(), { count: 0 });
});

/** As the projector would take it. */
async function takeSnapshot(of: EventStore, account: string, upTo: number, into: string): Promise<string> {
  const stream = `wallet-${account}`;
  const folding = folderOf(walletDecider).begin(account, null);
  const events = await of.readStream(stream, { from: 0, limit: upTo + 1 });
  for (const event of events) folding.apply(event);
  const last = events.at(-1);
  if (last === undefined) throw new Error(`${account} has no events`);
  const state = folding.freeze();
  await pool.query(
    `insert into ${into}.snapshots values ($1, $2, $3, $4, $5) on conflict (stream, fold_version)
     do update set revision = excluded.revision, hash = excluded.hash, state = excluded.state`,
    [stream, walletDecider.foldVersion, last.revision, hashOf(last), state],
  );
  return state;
}

t.test('snapshots of a sound ledger agree, wherever they were taken', async (t) => {
  const other = await openTestLedger(createMemoryStore(), 'store-31');
  const accounts = await liveThrough(other, { seed: 31, steps: 300 });
  await project(other.store, 'snapped');
  for (const part of [0.2, 0.4, 0.6, 0.8, 1]) {
    for (const account of accounts) {
      const head = await other.store.head(`wallet-${account}`);
      await takeSnapshot(other.store, account, Math.floor(head * part), 'snapped');
    }
    t.match(await verifyLedger({ store: other.store, pool, schema: 'snapped', threads: 0 }), {
      count: 0,
      findings: [],
    });
  }
});

t.test('a snapshot whose state was changed is named, whatever of it', async (t) => {
  const state = await takeSnapshot(store, 'acme', 10, schema);
  t.match(await verify(), { count: 0, findings: [] });
  const changes: [column: string, from: string, to: string][] = [
    ['account', '{"account":"acme"', '{"account":"other"'],
    ['opened', '"opened":true', '"opened":false'],
    ['priceBook', '"priceBook":null', '"priceBook":"mine"'],
    ['overdraftLimit', '"overdraftLimit":"0n"', '"overdraftLimit":"9000000n"'],
    ['timeZone', '"UTC"', '"Etc/GMT+1"'],
    ['currency', '"currency":null', '"currency":"EUR"'],
    ['frozen.f', '"frozen":[]', '"frozen":[["f","why"]]'],
    ['totals.available', '"available":"68284800n"', '"available":"1n"'],
    ['totals.debt', '"debt":"0n"', '"debt":"1n"'],
    ['lots.lot-1.unit', '"unit":"credits"', '"unit":"seats"'],
    ['lots.lot-1.priority', '"priority":100', '"priority":1'],
    ['lots.lot-1.expiresAt', '"expiresAt":null', '"expiresAt":1'],
    ['lots.lot-1.withdrawable', '"withdrawable":"0n"', '"withdrawable":"1n"'],
    ['lots.lot-1.origin.kind', '"kind":"top_up"', '"kind":"grant"'],
    ['lots.lot-1.born', '"born":1', '"born":2'],
    ['lots.lot-1.quantity', '"quantity":"100000000n"', '"quantity":"100000001n"'],
    ['lots.lot-1.currency', '"currency":"EUR"', '"currency":"USD"'],
    ['lots.lot-1.paidInAll', '"90000000000n"', '"90000000001n"'],
    ['lots.lot-1.free', '"free":"68284800n"', '"free":"68284801n"'],
    ['lots.lot-1.paid', '"paid":"61456320000n"', '"paid":"0n"'],
    ['lots.lot-1.pinned', '"pinned":"3000000n"', '"pinned":"0n"'],
    ['revision', '"revision":10', '"revision":9'],
    ['holds.h.purpose', '"call"', '"dispute"'],
    ['holds.h.model', '"model":"plain"', '"model":"maker/costly"'],
    ['holds.h.estimate.calls', '"calls":3', '"calls":2'],
    ['holds.h.book.version', '"version":2', '"version":1'],
    ['holds.h.expiresAt', '"expiresAt":1', '"expiresAt":2'],
    ['holds.h.credits', '"credits":"3000000n","uncovered"', '"credits":"1n","uncovered"'],
    ['holds.h.uncovered', '"uncovered":"0n"', '"uncovered":"1n"'],
    ['holds.h.pins.lot-1.paid', '"paid":"2700000000n"', '"paid":"0n"'],
  ];
  const columns = changes.map(([column]) => column);
  // The last first: what one puts in is not what another looks for.
  const changed = changes.reduceRight((text, [column, from, to]) => {
    t.ok(text.includes(from), `${column}: ${from}`);
    return text.replace(from, to);
  }, state);
  await pool.query('update reads.snapshots set state = $1', [changed]);
  const { findings } = await verify();
  t.same(findings.map(({ column }) => column).sort(), columns.sort());
  t.match(
    findings.find(({ column }) => column === 'lots.lot-1.free'),
    { table: 'snapshots', stream: 'wallet-acme', revision: 10, expected: '68284800n', found: '68284801n' },
  );
  await pool.query(`update reads.snapshots set state = 'gone'`);
  t.match((await verify()).findings, [{ what: 'a snapshot cannot be read', revision: 10, found: 'gone' }]);
  await pool.query('delete from reads.snapshots');
});

t.test('a snapshot of another fold has another shape, and nobody reads it', async (t) => {
  await takeSnapshot(store, 'acme', 10, schema);
  await pool.query(`update reads.snapshots set fold_version = fold_version + 1, state = '{}'`);
  t.match(await verify(), { count: 0, findings: [] });
  await pool.query('delete from reads.snapshots');
});

t.test('equal grants that join a lot are no more than has come into it', async (t) => {
  const other = await openTestLedger(createMemoryStore(), 'store-41');
  await other.open('acme');
  const grants = Array.from({ length: 1_030 }, (_, n) => grantOf(`g${n}`));
  await other.run('acme', ...grants);
  await other.run('acme', charge('u', 900), charge('v', 100));
  const reversed = [1, 1_010, 1_030, 1_031, 1_032];
  await other.run('acme', ...reversed.map(reversalOf));
  const { state } = await other.wallet('acme');
  t.ok(
    state.lots.some(({ quantity, free }) => free > quantity),
    'some lot has more than it was born with',
  );
  await project(other.store, 'merged');
  const { rows } = await pool.query('select revision from merged.snapshots');
  t.same(rows, [{ revision: '999' }]);
  t.match(await verifyLedger({ store: other.store, pool, schema: 'merged' }), { count: 0, findings: [] });

  function grantOf(reference: string) {
    const more = { credits: 1_000_000n, expiresAt: null, priority: 100 };
    return { type: 'GrantCredits', kind: 'welcome', reference, ...more } as const;
  }
  function reversalOf(revision: number) {
    return { type: 'ReverseEntry', revision, reason: 'mistake', allowDebt: true } as const;
  }
});

t.test('many differences are counted and a few are kept', async (t) => {
  await pool.query('update reads.entries set position = position + 1');
  const verdict = await verifyLedger({ store, pool, schema, shownMax: 5 });
  t.equal(verdict.findings.length, 5);
  t.ok(verdict.count > 50);
});

t.test('it writes nothing, not even read models that are missing', async (t) => {
  const verdict = await verifyLedger({ store, pool, schema: 'not_there' });
  t.match(verdict.findings, [{ what: 'there is nothing to compare the events with', found: null }]);
  const { rows } = await pool.query(`select to_regnamespace('not_there') as found`);
  t.same(rows, [{ found: null }]);
});
