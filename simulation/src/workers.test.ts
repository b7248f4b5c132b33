/** Many seeds on several workers: which failure is told, and when they stop. */
import t from 'tap';
import { Chance } from './chance.ts';
import { drawShape } from './shape.ts';
import type { Run } from './simulate.ts';
import { findFailure, type Worker } from './workers.ts';

/** A worker that only says which seeds are broken. */
function workerOf(isBroken: (seed: number) => boolean, seen: number[]): Worker {
  return {
    async simulate(seed): Promise<Run> {
      seen.push(seed);
      return {
        seed,
        shape: drawShape(new Chance(seed)),
        failure: isBroken(seed) ? `broken: ${seed}` : null,
        digest: '',
        steps: 0,
        events: 0,
        attempts: 0,
        crashes: [],
        log: [],
      };
    },
    stop: async () => undefined,
  };
}

t.test('the first failure is told, and nothing is begun after it', async (t) => {
  const seen: number[] = [];
  const workers = [1, 2, 3].map(() => workerOf((seed) => seed >= 15, seen));
  const found = await findFailure(workers, { from: 10, count: 1_000 });
  t.equal(found?.seed, 15);
  t.ok(Math.max(...seen) < 20, 'those under way are finished, no more');
});

t.test('without a failure every seed is simulated, once', async (t) => {
  const seen: number[] = [];
  const told: number[] = [];
  const workers = [1, 2].map(() => workerOf(() => false, seen));
  const found = await findFailure(workers, { from: 5, count: 20 }, ({ seed }) => told.push(seed));
  t.equal(found, null);
  const all = Array.from({ length: 20 }, (_, index) => index + 5);
  t.strictSame(
    seen.sort((a, b) => a - b),
    all,
  );
  t.strictSame(
    told.sort((a, b) => a - b),
    all,
  );
});
