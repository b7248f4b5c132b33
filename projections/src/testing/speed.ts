/**
 * How fast the projector folds and writes: `node projections/src/testing/speed.ts [charges] [wallets] [batch]`.
 * Charges are made in memory by the real runner, then projected into a durable PostgreSQL. Prints CPU per event.
 */
import { readFileSync } from 'node:fs';
import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import { modelsFor } from '../models.ts';
import { startProjector } from '../projector.ts';
import { foldBatch } from '../write-batch.ts';
import { charge, topUp } from './history.ts';
import { openTestLedger } from './ledger.ts';

const [charges = 50_000, wallets = 1_000, batchMax = 4_000] = process.argv.slice(2).map(Number);
const ledger = await openTestLedger(createMemoryStore());
for (let n = 0; n < wallets; n++) {
  await ledger.open(`w${n}`);
  await ledger.run(`w${n}`, topUp('t', 1_000_000, { paid: { amount: '9999.99', currency: 'EUR' } }));
}
const perTurn = 50;
for (let n = 0; n < charges; n += perTurn) {
  await Promise.all(
    Array.from({ length: perTurn }, (_, i) => {
      const usage = charge(`u${n + i}`, 3, { model: 'maker/costly' });
      return ledger.run(`w${(n + i * 7) % wallets}`, usage);
    }),
  );
}
const { events } = await ledger.store.readAll({ after: null, limit: 10_000_000 });
const tables = { pool: new pg.Pool(), schema: 'x', partition: 0, partitions: 1, models: modelsFor(true) };
const folding = process.cpuUsage();
for (let from = 0; from < events.length; from += batchMax) {
  foldBatch(tables, events.slice(from, from + batchMax));
}
const folded = process.cpuUsage(folding);

const server = await startPostgres({ durable: true });
const pool = new pg.Pool({ connectionString: server.url, max: 4 });
const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
const before = process.cpuUsage();
const began = performance.now();
const writes: number[] = [];
const projector = startProjector({
  store: ledger.store,
  pool,
  schema: 'speed',
  batchMax,
  gatherMs: 0,
  hurryMs: 0,
  onBatch: ({ writeMs }) => writes.push(writeMs),
});
await projector.caughtUp();
const seconds = (performance.now() - began) / 1_000;
const cpu = process.cpuUsage(before);
const each = (us: number): string => (us / events.length).toFixed(1);
const [, utime = 0, stime = 0] = /^\S+ \(.*\) (?:\S+ ){11}(\d+) (\d+)/
  .exec(readFileSync(`/proc/${rows[0]?.pid}/stat`, 'utf8'))
  ?.map(Number) ?? [0, 0, 0];
console.log(
  `${events.length} events of ${wallets} wallets in batches of ${batchMax}: ${Math.round(events.length / seconds)} per second;`,
  `node ${each(cpu.user + cpu.system)} us each (parsing and folding ${each(folded.user + folded.system)}),`,
  `its Postgres backend ${each((utime + stime) * 10_000)} us; longest write ${Math.round(Math.max(...writes))} ms`,
);
await projector.stop();
await pool.end();
await server.stop();
