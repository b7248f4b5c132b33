/** What holds have of quotas, as rows and as views, against the wallets that they are of. */
import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { startProjector } from '../projector.ts';
import { openReads } from '../reads.ts';
import { liveThrough, topUp } from '../testing/history.ts';
import { openTestLedger } from '../testing/ledger.ts';
import { getHold, listHolds } from './queries.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 6 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

const HOUR = 3_600_000;
const place = (hold: string, calls: number, expiresInMs = HOUR) =>
  ({ type: 'PlaceHold', hold, model: 'plain', estimate: { calls }, expiresInMs }) as const;

async function projecting(schema: string) {
  const ledger = await openTestLedger(createMemoryStore());
  const projector = startProjector({ store: ledger.store, pool, schema, gatherMs: 0, hurryMs: 0 });
  t.teardown(() => projector.stop());
  return { ledger, projector, reads: openReads(pool, schema, ledger.catalogues) };
}

t.test('a row is what the wallet has pinned, whatever happens in whatever order', async (t) => {
  let seen = 0;
  for (const seed of [41, 42, 43]) {
    const { ledger, projector, reads } = await projecting(`pinned${seed}`);
    const accounts = await liveThrough(ledger, { seed, steps: 120, subscriptions: true });
    await projector.caughtUp();
    for (const account of accounts) {
      const { state } = await ledger.wallet(account);
      const { rows } = await pool.query(
        `select hold, quota, quantity::text from ${reads.schema}.quota_pins where account = $1
         order by hold, quota`,
        [account],
      );
      const pinned = [...state.holds.values()].flatMap(({ id: hold, quotaPins }) =>
        quotaPins
          .filter(({ quantity }) => quantity > 0n)
          .map(({ quota, quantity }) => ({ hold, quota, quantity: `${quantity}` })),
      );
      const key = (row: { hold: string; quota: string }): string => `${row.hold} ${row.quota}`;
      t.same(new Map(rows.map((row) => [key(row), row])), new Map(pinned.map((row) => [key(row), row])));
      seen += pinned.length;
    }
  }
  t.ok(seen > 5, `${seen} pins were compared`);
});

t.test('a hold shows what it has of quotas: one sum for each kind, until it is over', async (t) => {
  const { ledger, projector, reads } = await projecting('shown');
  ledger.publishPlan('two', {
    name: 'Two lines',
    price: { credits: '1' },
    interval: 'month',
    anchor: 'subscription',
    included: [
      { unit: 'calls', model: 'plain', amount: '3', per: 'day' },
      { unit: 'calls', model: '*', amount: '5', per: 'period' },
    ],
    overage: 'credits',
  });
  await ledger.open('a');
  const subscribe = {
    type: 'Subscribe',
    plan: 'two',
    autoRenew: true,
    trial: false,
    pay: 'credits',
    reference: 's',
    timeZone: null,
    startAt: null,
  } as const;
  await ledger.run('a', topUp('t', 100), subscribe);
  const more = { unit: 'calls', model: '*', amount: 2n, expiresAt: ledger.now() + 2 * HOUR } as const;
  await ledger.run('a', { type: 'ExpandQuota', ...more, reason: 'more', reference: 'more' });
  await ledger.run('a', place('long', 9), place('none', 1_000), place('short', 1, HOUR / 2));
  await projector.caughtUp();
  const { state } = await ledger.wallet('a');
  const pins = state.holds.get('long')?.quotaPins ?? [];
  t.equal(pins.length, 3, 'the day, the period and the expansion');
  const long = await getHold(reads, 'a', 'long', ledger.now());
  t.same(
    new Set(long?.quota?.map(({ model, amount }) => `${amount} of ${model}`)),
    new Set(['3 of plain', '6 of *']),
  );
  const listed = await listHolds(reads, { account: 'a', now: ledger.now() });
  t.same(
    listed.data.map(({ id, quota }) => [id, quota?.length ?? 0]),
    [...state.holds.values()].map(({ id }) => [id, id === 'long' ? 2 : 1]).sort(),
  );
  await ledger.run('a', { type: 'VoidHold', hold: 'long' });
  ledger.advance(HOUR / 2);
  await projector.caughtUp();
  for (const hold of ['long', 'short']) {
    const view = await getHold(reads, 'a', hold, ledger.now());
    t.match(view, { credits: '0' });
    t.notOk(view !== null && 'quota' in view, `${hold} is over`);
  }
});
