/** Every bug that is planted in plans, periods, quotas and limits is found. */
import { testMutations } from './find-mutations.ts';
import { PLAN_MUTATIONS } from './plan-mutations.ts';

await testMutations(PLAN_MUTATIONS);
