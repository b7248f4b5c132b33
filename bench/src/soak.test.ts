/** The soak's load against a real ledger, small: each act must be answered as it says, and the books must agree. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startChild } from './children.ts';
import { drain, prepare, readBooks, startLedger } from './ledger.ts';
import type { SoakJob, SoakReport } from './soak-load.ts';
import { readLedger, slopePerMinute } from './soak-memory.ts';

t.test('a slope is what is gained in a minute, whatever the noise on both sides of the line', async (t) => {
  t.equal(
    slopePerMinute([
      [0, 10],
      [1, 12],
      [2, 14],
    ]),
    2,
  );
  t.equal(
    slopePerMinute([
      [0, 5],
      [1, 7],
      [2, 7],
      [3, 5],
    ]),
    0,
  );
  t.throws(() => slopePerMinute([[0, 1]]), RangeError);
});

t.test('the mix is answered as it says, and what was charged is in the books', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tallystick-soak-'));
  const generator = startChild<SoakJob, SoakReport>('soak-load.ts');
  const ledger = await startLedger({ folder, esdbUrl: null });
  t.teardown(async () => {
    await generator.stop();
    await ledger.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await prepare(ledger, 5);
  const { url, key } = ledger;
  const job = { url, key, prefix: 'soak', wallets: 5, connections: 4, seconds: 2, perSecond: 100 };
  const report = await generator.ask(job);
  t.equal(report.firstFailure, null);
  t.equal(report.acts, 200);
  t.ok(report.requests > report.acts, 'some acts are of several requests');
  t.not(await drain(ledger, BigInt(report.position)), null);
  t.same(await readBooks(ledger), { unbalanced: [], charged: report.credits });
  const reading = await readLedger(ledger);
  t.ok(reading.heapBytes > 0 && reading.wallets >= 9, 'four customers were opened');
});
