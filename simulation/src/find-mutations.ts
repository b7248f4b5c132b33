/** Tests that every planted bug is found within a few seeds: without this, a simulation that finds nothing says nothing. */
import { startPostgres } from '@tallystick/event-store/testing';
import t from 'tap';
import { openDatabases } from './database.ts';
import { simulationWith } from './mutate.ts';
import type { Mutation } from './mutations.ts';

/** Seeds that a bug may take. */
const SEEDS_MAX = 100;

export async function testMutations(mutations: { readonly [name: string]: Mutation }): Promise<void> {
  const server = await startPostgres();
  const databases = await openDatabases(server.url, 'mutated');
  t.teardown(async () => {
    await databases.close();
    await server.stop();
  });

  async function find(name: string, from: number): Promise<string | null> {
    const { simulate } = await simulationWith(name);
    for (let seed = from; seed < from + SEEDS_MAX; seed++) {
      const { failure } = await simulate(seed, databases);
      if (failure !== null) return `seed ${seed}: ${failure.split('\n')[0]}`;
    }
    return null;
  }

  for (const [name, { from = 1 }] of Object.entries(mutations)) {
    t.test(`it is found: ${name}`, async (t) => {
      const found = await find(name, from);
      t.not(found, null, `within ${SEEDS_MAX} seeds`);
      t.comment(found?.slice(0, 200));
    });
  }
}
