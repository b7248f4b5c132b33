/** All routes that the client knows, as `METHOD /path`: what each takes, and what it answers by status. */
import type { AccountRoutes } from './accounts.ts';
import type { ApiKeyRoutes } from './api-keys.ts';
import type { AuthorizeRoutes } from './authorize.ts';
import type { BookRoutes } from './books.ts';
import type { CreditRoutes } from './credits.ts';
import type { ExplainRoutes } from './explain.ts';
import type { HoldRoutes } from './holds.ts';
import type { PriceRoutes } from './prices.ts';
import type { ReadRoutes } from './reads.ts';
import type { ReceiptRoutes } from './receipts.ts';
import type { UsageRoutes } from './usage.ts';

export interface Routes
  extends AccountRoutes,
    ApiKeyRoutes,
    AuthorizeRoutes,
    BookRoutes,
    CreditRoutes,
    ExplainRoutes,
    HoldRoutes,
    PriceRoutes,
    ReadRoutes,
    ReceiptRoutes,
    UsageRoutes {}
