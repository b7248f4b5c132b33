import { walletDecider } from '@tallystick/domain';
import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { startProjector } from '../projector.ts';
import { charge, topUp } from '../testing/history.ts';
import { openTestLedger } from '../testing/ledger.ts';
import { folderOf } from './folder.ts';
import { createSnapshotReader } from './queries.ts';

t.test('after a snapshot that cannot be used the next one is made from the beginning', async (t) => {
  const postgres = await startPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
  t.teardown(async () => {
    await pool.end();
    await postgres.stop();
  });
  const { store, open, run } = await openTestLedger(createMemoryStore());
  const spend = (round: string) =>
    run('long', ...Array.from({ length: 1_000 }, (_, n) => charge(round + n, 1)));
  await open('long');
  await run('long', topUp('t', 100_000));
  await spend('a');
  await project();
  const damage = await pool.query(
    `update reads.snapshots set state = regexp_replace(state, '"free":"\\d+n"', '"free":"999n"')`,
  );
  t.equal(damage.rowCount, 1);
  await spend('b');
  await project();
  const folding = folderOf(walletDecider).begin('long', null);
  for (const event of await store.readStream('wallet-long', { from: 0, limit: 2_000 })) folding.apply(event);
  const snapshot = await createSnapshotReader(pool, 'reads').read('wallet-long', walletDecider.foldVersion);
  t.match(snapshot, { revision: 1_999, state: folding.freeze() });

  async function project(): Promise<void> {
    const projector = startProjector({ store, pool, schema: 'reads', gatherMs: 0 });
    await projector.caughtUp();
    await projector.stop();
  }
});
