/**
 * The documented billing paths, by their own names and with JSON numbers, rounded from what is exact inside: for users of
 * a platform, whose key names the account. Everything here is said elsewhere too, exactly, in decimals.
 */
import type { Reading } from './shapes.ts';
import type { Transport } from './transport.ts';

/** With a key that names no account; else it is that of the key. */
export interface BillingAccount {
  readonly account?: string;
}

/** Costs are in credits. */
export interface BillingStats {
  readonly current_month_cost: number;
  readonly current_month_tokens: number;
  /** The plan's id. */
  readonly subscription_plan: string | null;
  readonly tokens_quota: number | null;
  readonly tokens_used: number;
  readonly tokens_remaining: number | null;
  readonly total_cost: number;
}

export interface BillingPlan {
  readonly id: string;
  readonly name: string;
  readonly monthly_quota: number | null;
  readonly monthly_price: number;
  readonly extra_token_price: number | null;
  readonly features: readonly string[];
}

export interface QuotaWarning {
  readonly quota_warning: boolean;
  readonly message: string;
}

export interface BillingSettings {
  /** Where warnings are mailed to. */
  readonly billing_email: string | null;
  /** False too after many were declined in a row; to set it again is to trust it again. */
  readonly auto_topup: boolean;
  /** Credits. */
  readonly auto_topup_threshold: number;
  /** Money, in the account's currency. */
  readonly auto_topup_amount: number;
  readonly enable_alerts: boolean;
  /** Credits; 0: no warning of the balance. */
  readonly alert_threshold: number;
}

interface CouponBenefit {
  readonly type: 'percentage' | 'fixed' | 'credits';
  /** Percent, an amount of the coupon's currency, or credits. */
  readonly value: number;
}

export interface CouponBenefits {
  readonly message: string;
  readonly coupon: CouponBenefit & { readonly code: string };
  readonly discount: CouponBenefit & { readonly description: string };
}

export interface BillingRoutes {
  readonly 'GET /v1/billing/stats': {
    readonly path: undefined;
    readonly query: BillingAccount & Reading;
    readonly body: undefined;
    readonly answers: { readonly 200: BillingStats };
  };
  readonly 'GET /v1/billing/plans': {
    readonly path: undefined;
    readonly query: BillingAccount;
    readonly body: undefined;
    readonly answers: { readonly 200: { readonly plans: readonly BillingPlan[] } };
  };
  readonly 'GET /v1/billing/quota-warning': {
    readonly path: undefined;
    readonly query: BillingAccount & Reading;
    readonly body: undefined;
    readonly answers: { readonly 200: QuotaWarning };
  };
  readonly 'GET /v1/billing/settings': {
    readonly path: undefined;
    readonly query: BillingAccount & Reading;
    readonly body: undefined;
    readonly answers: { readonly 200: BillingSettings };
  };
  readonly 'PUT /v1/billing/settings': {
    readonly path: undefined;
    readonly query: BillingAccount;
    readonly body: Partial<BillingSettings>;
    readonly answers: { readonly 200: BillingSettings };
  };
  readonly 'POST /v1/billing/coupons/apply': {
    readonly path: undefined;
    readonly query: BillingAccount;
    readonly body: { readonly coupon_code: string };
    readonly answers: { readonly 200: CouponBenefits; readonly 201: CouponBenefits };
  };
}

export function billingCalls({ send }: Transport) {
  return {
    stats(query: BillingAccount & Reading = {}): Promise<BillingStats> {
      return send('GET /v1/billing/stats', { query });
    },
    async plans(query: BillingAccount = {}): Promise<readonly BillingPlan[]> {
      return (await send('GET /v1/billing/plans', { query })).plans;
    },
    quotaWarning(query: BillingAccount & Reading = {}): Promise<QuotaWarning> {
      return send('GET /v1/billing/quota-warning', { query });
    },
    settings(query: BillingAccount & Reading = {}): Promise<BillingSettings> {
      return send('GET /v1/billing/settings', { query });
    },
    /** What is left out stays. */
    changeSettings(change: Partial<BillingSettings>, query: BillingAccount = {}): Promise<BillingSettings> {
      return send('PUT /v1/billing/settings', { query, body: change });
    },
    /** Once: the same code again is answered as at first. */
    applyCoupon(code: string, query: BillingAccount = {}): Promise<CouponBenefits> {
      return send('POST /v1/billing/coupons/apply', { query, body: { coupon_code: code } });
    },
  };
}
