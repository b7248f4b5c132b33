/** All read models, in the order in which they are written. */
import { accountsModel } from './accounts/project.ts';
import { alertsModel } from './alerts/project.ts';
import { apiKeysModel } from './api-keys/project.ts';
import { balancesModel } from './balances/project.ts';
import { dailyModel } from './daily/project.ts';
import { entriesModel } from './entries/project.ts';
import { holdsModel } from './holds/project.ts';
import { keysModel } from './keys/project.ts';
import { lotsModel } from './lots/project.ts';
import { purchasesModel } from './purchases/project.ts';
import { quotasModel } from './quotas/project.ts';
import type { ReadModel } from './read-model.ts';
import { sealsModel } from './seals/project.ts';
import { subscriptionsModel } from './subscriptions/project.ts';
import { totalsModel } from './totals/project.ts';

const MODELS: readonly ReadModel[] = [
  accountsModel,
  lotsModel,
  holdsModel,
  subscriptionsModel,
  quotasModel,
  purchasesModel,
  alertsModel,
  balancesModel,
  entriesModel,
  dailyModel,
  totalsModel,
  apiKeysModel,
  sealsModel,
];

/** The key index is written only for stores that do not enforce keys themselves. */
export function modelsFor(enforcesKeys: boolean): readonly ReadModel[] {
  return enforcesKeys ? MODELS : [...MODELS, keysModel];
}

export const ALL_MODELS: readonly ReadModel[] = modelsFor(false);
