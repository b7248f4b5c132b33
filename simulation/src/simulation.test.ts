/** A few seeds, the same world twice, and whether the troubles really happen. */
import { startPostgres } from '@tallystick/event-store/testing';
import t from 'tap';
import { openDatabases } from './database.ts';
import { type Run, simulate } from './simulate.ts';

const server = await startPostgres();
const databases = await openDatabases(server.url, 'sim');
t.teardown(async () => {
  await databases.close();
  await server.stop();
});

const SEEDS = Array.from({ length: 16 }, (_, index) => index + 1);
const runs: Run[] = [];

t.test('nothing is broken in the first worlds', async (t) => {
  for (const seed of SEEDS) {
    const run = await simulate(seed, databases);
    runs.push(run);
    t.equal(run.failure, null, `pnpm sim --seed ${seed} --log`);
  }
});

t.test('the same seed makes the same world, step by step', async (t) => {
  for (const before of runs.slice(0, 3)) {
    const again = await simulate(before.seed, databases, { keepsLog: true });
    t.equal(again.digest, before.digest);
    t.equal(again.log.length > before.steps, true, 'and its log tells every step');
  }
  t.equal(new Set(runs.map(({ digest }) => digest)).size, runs.length, 'another seed makes another');
});

t.test(
  'processes die everywhere: on the way of an append, of a read, of a batch of rows, of an answer',
  (t) => {
    const crashes = runs.flatMap((run) => run.crashes);
    for (const where of [/^append/, /^read/, /^(begin|insert|update|commit)/, /^(request|response)/])
      t.equal(
        crashes.some((label) => where.test(label)),
        true,
        String(where),
      );
    t.end();
  },
);
