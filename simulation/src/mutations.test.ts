/** Every bug that is planted in the store, the runner, the read models and the wallet's credits is found. */
import t from 'tap';
import { testMutations } from './find-mutations.ts';
import { simulationWith } from './mutate.ts';
import { LEDGER_MUTATIONS } from './mutations.ts';

await testMutations(LEDGER_MUTATIONS);

t.test('a mutation that fits nowhere is not taken for a bug that was not found', async (t) => {
  await t.rejects(simulationWith('unheard of'), { message: 'no mutation is called "unheard of"' });
});
