/** Every bug that is planted in purchases, coupons, referrals and warnings is found. */
import { testMutations } from './find-mutations.ts';
import { SHOP_MUTATIONS } from './shop-mutations.ts';

await testMutations(SHOP_MUTATIONS);
