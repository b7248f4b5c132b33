import { createMeter } from '@tallystick/connect';
import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { openTestLedger, topUp } from '@tallystick/projections/testing';
import pg from 'pg';
import t from 'tap';
import { lagOf, measureLags } from './lag.ts';
import { CATEGORIES, moveReactions, openCheckpoint } from './reactors/follow.ts';

const postgres = await startPostgres();
const pool = new pg.Pool({ connectionString: postgres.url });
t.teardown(async () => {
  await pool.end();
  await postgres.stop();
});

t.test('a lag is the age of the first event that was not come to, and none where all were', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const { store, now } = ledger;
  const schema = await openCheckpoint(pool, 'lagging');
  const follower = { name: 'reactions', schema, categories: CATEGORIES };
  const parts = { store, pool, now };
  t.equal(await lagOf(parts, follower), 0);
  await ledger.open('acme');
  ledger.advance(60_000);
  await ledger.run('acme', topUp('t', 10));
  ledger.advance(5_000);
  t.equal(await lagOf(parts, follower), 65_000, 'the oldest counts');
  let away = true;
  const reactor = {
    name: 'any',
    types: new Set(['TopUp']),
    react: async () => {
      if (away) throw new Error('not now');
    },
  };
  const move = () =>
    moveReactions({ store, pool, namespace: 'lagging', reactors: [reactor], onError: t.error }, schema);
  await t.rejects(move(), /not now/);
  t.equal(await lagOf(parts, follower), 5_000, 'one that fails keeps itself and what follows');
  away = false;
  await move();
  t.equal(await lagOf(parts, follower), 0);
});

t.test('of one that cannot be asked nothing is said, and of the others all the same', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  const { store, now } = ledger;
  const schema = await openCheckpoint(pool, 'there');
  const meter = createMeter();
  measureLags(meter, { store, pool, now }, [
    { name: 'there', schema, categories: CATEGORIES },
    { name: 'missing', schema: '"nowhere"', categories: CATEGORIES },
  ]);
  const lines = (await meter.text()).split('\n').filter((line) => line.startsWith('tallystick_follower'));
  t.same(lines, ['tallystick_follower_lag_seconds{follower="there"} 0']);
});
