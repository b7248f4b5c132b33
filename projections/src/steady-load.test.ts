/** A load that never pauses: no page is ever the last one, and what is done at the end must be done all the same. */
import { walletDecider } from '@tallystick/domain';
import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { startProjector } from './projector.ts';
import { createSnapshotReader } from './snapshots/queries.ts';
import { openTestLedger } from './testing/ledger.ts';
import { realTime } from './time.ts';

const SECOND = 1_000;
const CHARGES_A_PAGE = 50;
const EVENTS_MAX = 2_400;

t.test('snapshots are taken, and the lag is that of what is not written yet', async (t) => {
  const postgres = await startPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
  const inner = createMemoryStore();
  const ledger = await openTestLedger(inner);
  await ledger.open('busy');
  await ledger.run('busy', {
    type: 'TopUpCredits',
    credits: 10_000_000_000n,
    expiresAt: null,
    priority: 100,
    source: 'test',
    reference: 'first',
    paid: null,
  });
  let events = 2;
  const lagsMs: number[] = [];
  const store = {
    ...inner,
    /** Each time that it is asked there is more, a second later; nobody can say that this was all. */
    async readAll(options: Parameters<typeof inner.readAll>[0]) {
      lagsMs.push(projector.lagMs);
      if (events < EVENTS_MAX) {
        ledger.advance(SECOND);
        await ledger.run(
          'busy',
          ...Array.from({ length: CHARGES_A_PAGE }, (_, n) => charge(`${events}-${n}`)),
        );
        events += CHARGES_A_PAGE;
      }
      return { ...(await inner.readAll(options)), atEnd: false };
    },
  };
  const reader = createSnapshotReader(pool, 'steady');
  const projector = startProjector({
    store,
    pool,
    schema: 'steady',
    gatherMs: 0,
    hurryMs: 0,
    time: { ...realTime, now: () => ledger.now() },
  });
  t.teardown(async () => {
    await projector.stop();
    await pool.end();
    await postgres.stop();
  });
  while (lagsMs.length < EVENTS_MAX / CHARGES_A_PAGE / 2) await realTime.pause(5);
  const snapshot = await reader.read('wallet-busy', walletDecider.foldVersion);
  t.ok(snapshot !== null && snapshot.revision >= 999, 'the stream has a snapshot');
  t.ok(Math.max(...lagsMs) <= 2 * SECOND, `at most two pages behind: ${Math.max(...lagsMs)} ms`);
});

function charge(id: string) {
  return {
    type: 'ChargeUsage',
    id,
    source: '',
    model: 'plain',
    usage: { calls: 1 },
    cost: null,
    mode: 'charge',
    hold: null,
    occurredAt: null,
    metadata: null,
  } as const;
}
