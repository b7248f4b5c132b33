/** The subscription of an account, for its owner and for the service that sells the plans. Each order has an id of yours. */
import type { Money, OfAccount, Page, Paging, QuotaPart } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface Subscription {
  readonly id: string;
  readonly plan: string;
  readonly plan_version: number;
  readonly status: 'trialing' | 'active' | 'past_due' | 'canceled' | 'lapsed';
  readonly current_period_start: string;
  readonly current_period_end: string;
  /** `external`: finance says of each period that it is paid. */
  readonly pay: 'credits' | 'external';
  readonly auto_renew: boolean;
  readonly trial_end: string | null;
  readonly cancel_at: string | null;
  readonly ended_at: string | null;
  /** Takes effect then. */
  readonly pending_change: { readonly plan: string; readonly at: string } | null;
  /** By what is published now; null where nothing more will be charged in credits. */
  readonly next_charge: { readonly at: string; readonly credits: string } | null;
  readonly grace_ends_at: string | null;
}

/** As its last event told it. */
export interface PastSubscription extends Subscription {
  readonly started_at: string;
}

/** Its id is `reference`. */
export interface NewSubscription {
  readonly plan: string;
  /** `external`: each period is confirmed by finance. */
  readonly pay: 'credits' | 'external';
  readonly reference: string;
  /** True unless given. */
  readonly auto_renew?: boolean;
  /** False unless given. */
  readonly trial?: boolean;
  /** The account's unless given. */
  readonly time_zone?: string;
  /** Of a period that has begun already. */
  readonly start_at?: string;
}

export interface PlanChange {
  readonly plan: string;
  readonly when: 'now' | 'period_end';
}

/** What a change comes to. */
export interface Bill {
  readonly charged: string;
  readonly credited: string;
  readonly lines: readonly { readonly description: string; readonly credits: string }[];
  /** What is granted at once, beside what there is. */
  readonly quota: readonly QuotaPart[];
  readonly subscription: Subscription;
}

/** The outside world's word on a period. Its id is `reference`. */
export interface PeriodPayment {
  readonly period_start: string;
  readonly result: 'paid' | 'failed';
  readonly paid?: Money;
  readonly reference: string;
}

export interface RecordedPeriodPayment {
  readonly entry_id: string;
  readonly period_start: string;
  readonly result: 'paid' | 'failed';
  /** False: it is booked, and waits for finance to say what it is for. */
  readonly applied: boolean;
  /** Why it was not. */
  readonly reason?: string;
  readonly subscription: Subscription | null;
  readonly position: string;
}

/** Its id is `reference`. */
export interface PlanChangeOrder extends PlanChange {
  readonly reference: string;
}

/** Its id is `reference`. */
export interface Cancellation {
  readonly when: 'now' | 'period_end';
  readonly reference: string;
}

type Recorded<T> = { readonly 200: T; readonly 201: T };

export interface SubscriptionRoutes {
  readonly 'POST /v1/accounts/{id}/subscription': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: NewSubscription;
    readonly answers: Recorded<{ readonly subscription: Subscription }>;
  };
  readonly 'GET /v1/accounts/{id}/subscription': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: { readonly subscription: Subscription | null } };
  };
  readonly 'GET /v1/accounts/{id}/subscriptions': {
    readonly path: OfAccount;
    readonly query: Paging;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<PastSubscription> };
  };
  readonly 'POST /v1/accounts/{id}/subscription/preview': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: PlanChange;
    readonly answers: { readonly 200: Bill };
  };
  readonly 'POST /v1/accounts/{id}/subscription/change': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: PlanChangeOrder;
    readonly answers: Recorded<Bill>;
  };
  readonly 'POST /v1/accounts/{id}/subscription/cancel': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: Cancellation;
    readonly answers: Recorded<Bill>;
  };
  readonly 'POST /v1/accounts/{id}/subscription/resume': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: Bill };
  };
  readonly 'POST /v1/accounts/{id}/subscription/payments': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: PeriodPayment;
    readonly answers: Recorded<RecordedPeriodPayment>;
  };
}

export function subscriptionCalls({ send }: Transport) {
  return {
    async start(account: string, subscription: NewSubscription): Promise<Subscription> {
      const path = { id: account };
      return (await send('POST /v1/accounts/{id}/subscription', { path, body: subscription })).subscription;
    },
    /** As it is now; null where there never was one. */
    async get(account: string): Promise<Subscription | null> {
      return (await send('GET /v1/accounts/{id}/subscription', { path: { id: account } })).subscription;
    },
    /** All that the account has had, the latest first. */
    list(account: string, query: Paging = {}): Promise<Page<PastSubscription>> {
      return send('GET /v1/accounts/{id}/subscriptions', { path: { id: account }, query });
    },
    /** What `change` would come to. */
    preview(account: string, change: PlanChange): Promise<Bill> {
      return send('POST /v1/accounts/{id}/subscription/preview', { path: { id: account }, body: change });
    },
    change(account: string, change: PlanChangeOrder): Promise<Bill> {
      return send('POST /v1/accounts/{id}/subscription/change', { path: { id: account }, body: change });
    },
    cancel(account: string, cancellation: Cancellation): Promise<Bill> {
      const path = { id: account };
      return send('POST /v1/accounts/{id}/subscription/cancel', { path, body: cancellation });
    },
    /** Takes back a cancellation or a change that waits for the end of the period. */
    resume(account: string): Promise<Bill> {
      return send('POST /v1/accounts/{id}/subscription/resume', { path: { id: account } });
    },
    /** For finance. */
    recordPayment(account: string, payment: PeriodPayment): Promise<RecordedPeriodPayment> {
      const path = { id: account };
      return send('POST /v1/accounts/{id}/subscription/payments', { path, body: payment });
    },
  };
}
