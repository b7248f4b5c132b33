/** What holds have of quotas, as rows and as views, against the wallets that they are of. */
import type { Wallet } from '@tallystick/domain';
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
    const compare = async (): Promise<void> => {
      await projector.caughtUp();
      for (const account of accounts) {
        const { state } = await ledger.wallet(account);
        const pinned = pinnedBy(state);
        const { rows } = await pool.query(
          `select hold, quota, quantity::text from ${reads.schema}.quota_pins where account = $1`,
          [account],
        );
        t.same(new Set(rows.map(({ hold, quota, quantity }) => `${hold} ${quota} ${quantity}`)), pinned);
        seen += pinned.size;
      }
    };
    await compare();
    const expiresAt = ledger.now() + 20 * HOUR;
    const more = { unit: 'calls', model: 'plain', expiresAt, reason: 'more' } as const;
    for (const account of accounts) {
      await ledger.run(account, { type: 'ExpandQuota', ...more, amount: 20n, reference: 'more' });
      await ledger.run(account, topUp('more', 500), place('a', 5), place('b', 9), place('c', 30));
    }
    await compare();
    for (const account of accounts) {
      await ledger.run(account, { type: 'VoidHold', hold: 'a' });
      const extend = { type: 'ExtendHold', hold: 'b', estimate: { calls: 12 }, expiresInMs: null } as const;
      await ledger.run(account, extend, place('d', 2, 40 * HOUR));
    }
    await compare();
    // The quota is over, and an hour later so is what is pinned of it.
    ledger.advance(30 * HOUR);
    for (const account of accounts) await ledger.run(account, { type: 'CarryOutDues' });
    await compare();
  }
  t.ok(seen > 30, `${seen} pins were compared`);
});

/** "hold quota quantity" */
function pinnedBy({ holds }: Readonly<Wallet>): Set<string> {
  return new Set(
    [...holds.values()].flatMap(({ id, quotaPins }) =>
      quotaPins
        .filter(({ quantity }) => quantity > 0n)
        .map(({ quota, quantity }) => `${id} ${quota} ${quantity}`),
    ),
  );
}

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
