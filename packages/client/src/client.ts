/** The client of one ledger: all calls, one gathering of charges, and an end that leaves nothing unsent. */
import { accountCouponCalls } from './account-coupons.ts';
import { accountCalls } from './accounts.ts';
import { alertCalls } from './alerts.ts';
import { apiKeyCalls } from './api-keys.ts';
import { authorizeCall } from './authorize.ts';
import { autoTopUpCalls } from './auto-top-up.ts';
import { billingCalls } from './billing.ts';
import { bookCalls } from './books.ts';
import { couponCalls } from './coupons.ts';
import { creditCalls } from './credits.ts';
import { explainCalls } from './explain.ts';
import type { Spent } from './holds.ts';
import { holdCalls } from './holds.ts';
import { type HoldRequest, type OpenHold, openHold, type RanUnderHold, withHold } from './open-hold.ts';
import { packageCalls } from './packages.ts';
import { planCalls } from './plans.ts';
import { priceBookCalls, quoteCall } from './prices.ts';
import { purchaseCalls } from './purchases.ts';
import { quotaCalls } from './quotas.ts';
import { balanceCalls } from './reads.ts';
import { receiptCalls } from './receipts.ts';
import { referralCalls } from './referrals.ts';
import { subscriptionCalls } from './subscriptions.ts';
import { testClockCalls } from './test-clock.ts';
import { type Connection, openTransport } from './transport.ts';
import { type Batching, usageCalls } from './usage.ts';
import { webhookDeliveryCalls, webhookEndpointCalls } from './webhooks.ts';

export interface ClientOptions extends Connection {
  readonly batching?: Batching;
  /** How long the settle of a hold may take, all its tries together: the call has run. 60 s unless given. */
  readonly settleWithinMs?: number;
}

export type Client = ReturnType<typeof createClient>;

export function createClient(options: ClientOptions) {
  const transport = openTransport(options);
  const usage = usageCalls(transport, options.batching ?? {});
  const authorize = authorizeCall(transport);
  const holds = holdCalls(transport);
  const { settleWithinMs = 60_000 } = options;
  const context = { transport, authorize, holds, settleWithinMs };

  return {
    usage: usage.calls,
    authorize,
    holds: {
      ...holds,
      /** For `await using`: at the end of its scope it is settled with what was streamed, else void. */
      open: (request: HoldRequest): Promise<OpenHold> => openHold(request, context),
    },
    withHold<R extends Spent>(
      request: HoldRequest,
      work: (hold: OpenHold) => Promise<R>,
    ): Promise<RanUnderHold<R>> {
      return withHold(request, work, context);
    },
    quote: quoteCall(transport),
    accounts: { ...accountCalls(transport), ...balanceCalls(transport), ...explainCalls(transport) },
    credits: creditCalls(transport),
    subscriptions: subscriptionCalls(transport),
    quotas: quotaCalls(transport),
    priceBooks: priceBookCalls(transport),
    plans: planCalls(transport),
    packages: packageCalls(transport),
    coupons: { ...couponCalls(transport), ...accountCouponCalls(transport) },
    purchases: purchaseCalls(transport),
    autoTopUp: autoTopUpCalls(transport),
    referrals: referralCalls(transport),
    alerts: alertCalls(transport),
    billing: billingCalls(transport),
    books: bookCalls(transport),
    receipts: receiptCalls(transport),
    apiKeys: apiKeyCalls(transport),
    webhookEndpoints: webhookEndpointCalls(transport),
    webhookDeliveries: webhookDeliveryCalls(transport),
    testClock: testClockCalls(transport),
    /** Sends the charges that wait, and resolves when each has its answer. */
    flush: (): Promise<void> => usage.gathering.flush(),
    /** Takes no more charges and flushes. For the shutdown of a process, after its last request has ended. */
    close: (): Promise<void> => usage.gathering.close(),
    [Symbol.asyncDispose]: (): Promise<void> => usage.gathering.close(),
  };
}
