/** All routes that the client knows, as `METHOD /path`: what each takes, and what it answers by status. */
import type { AccountCouponRoutes } from './account-coupons.ts';
import type { AccountRoutes } from './accounts.ts';
import type { AlertRoutes } from './alerts.ts';
import type { ApiKeyRoutes } from './api-keys.ts';
import type { AuthorizeRoutes } from './authorize.ts';
import type { AutoTopUpRoutes } from './auto-top-up.ts';
import type { BillingRoutes } from './billing.ts';
import type { BookRoutes } from './books.ts';
import type { CouponRoutes } from './coupons.ts';
import type { CreditRoutes } from './credits.ts';
import type { ExplainRoutes } from './explain.ts';
import type { HoldRoutes } from './holds.ts';
import type { PackageRoutes } from './packages.ts';
import type { PlanRoutes } from './plans.ts';
import type { PriceRoutes } from './prices.ts';
import type { PurchaseRoutes } from './purchases.ts';
import type { QuotaRoutes } from './quotas.ts';
import type { ReadRoutes } from './reads.ts';
import type { ReceiptRoutes } from './receipts.ts';
import type { ReferralRoutes } from './referrals.ts';
import type { SubscriptionRoutes } from './subscriptions.ts';
import type { TestClockRoutes } from './test-clock.ts';
import type { UsageRoutes } from './usage.ts';
import type { WebhookRoutes } from './webhooks.ts';

export interface Routes
  extends AccountCouponRoutes,
    AccountRoutes,
    AlertRoutes,
    ApiKeyRoutes,
    AuthorizeRoutes,
    AutoTopUpRoutes,
    BillingRoutes,
    BookRoutes,
    CouponRoutes,
    CreditRoutes,
    ExplainRoutes,
    HoldRoutes,
    PackageRoutes,
    PlanRoutes,
    PriceRoutes,
    PurchaseRoutes,
    QuotaRoutes,
    ReadRoutes,
    ReceiptRoutes,
    ReferralRoutes,
    SubscriptionRoutes,
    TestClockRoutes,
    UsageRoutes,
    WebhookRoutes {}
