/** The billing paths of the gateway that this ledger stands beside, with the names of its document. */
import type { Api, App } from '../../api.ts';
import { couponsRoute } from './coupons.ts';
import { plansRoute } from './plans.ts';
import { quotaWarningRoute } from './quota-warning.ts';
import { settingsRoutes } from './settings.ts';
import { statsRoute } from './stats.ts';

export function billingRoutes(app: App, api: Api): void {
  statsRoute(app, api);
  plansRoute(app, api);
  quotaWarningRoute(app, api);
  settingsRoutes(app, api);
  couponsRoute(app, api);
}
