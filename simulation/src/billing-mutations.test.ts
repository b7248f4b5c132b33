/** Every bug that is planted in plans, quotas, purchases, coupons, referrals and warnings is found. */
import { BILLING_MUTATIONS } from './billing-mutations.ts';
import { testMutations } from './find-mutations.ts';

await testMutations(BILLING_MUTATIONS);
