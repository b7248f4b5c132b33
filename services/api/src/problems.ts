/**
 * Everything that can go wrong, as its callers see it: RFC 9457 problems from one table. A refusal code that is missing
 * here does not compile. No internal message ever goes in: what is not in the table is `internal_error` with a
 * request id, and the log has the rest.
 */
import type {
  AmountRefusal,
  ApiKeyRefusal,
  CouponRefusal,
  DiscountRefusal,
  PlanRefusal,
  TestClockRefusal,
  WalletRefusal,
  WebhookEndpointRefusal,
} from '@tallystick/domain';
import type { Unavailable } from '@tallystick/event-store';

export type ProblemCode =
  | WalletRefusal['code']
  | ApiKeyRefusal['code']
  | TestClockRefusal['code']
  | WebhookEndpointRefusal['code']
  | PlanRefusal['code']
  | CouponRefusal['code']
  | DiscountRefusal['code']
  | AmountRefusal['code']
  | Unavailable
  | 'malformed_request'
  | 'invalid_value'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'account_exists'
  | 'price_book_not_found'
  | 'rate_limited'
  | 'plan_not_found'
  | 'package_not_found'
  | 'too_many_attempts'
  | 'webhook_delivery_not_found'
  | 'not_sealed_yet'
  | 'test_clock_off'
  | 'test_clock_not_acknowledged'
  | 'advance_unfinished'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'queue_full'
  | 'projection_behind'
  | 'catalogue_stale'
  | 'reads_unavailable'
  | 'internal_error';

interface Row {
  readonly status: number;
  readonly title: string;
  /** Seconds after which it makes sense to try again. */
  readonly retryAfter?: number;
}

export const PROBLEMS: Readonly<Record<ProblemCode, Row>> = {
  malformed_request: { status: 400, title: 'The request is not of the documented shape' },
  unauthorized: { status: 401, title: 'The API key is missing, wrong or revoked' },
  insufficient_credits: { status: 402, title: 'The credits do not suffice' },
  quota_exhausted: { status: 402, title: 'The quota of the plan is used up' },
  cap_reached: { status: 402, title: 'A cap of the plan is reached' },
  forbidden: { status: 403, title: 'The API key does not allow this' },
  account_frozen: { status: 403, title: 'The account is frozen' },
  model_not_allowed: { status: 403, title: 'The plan does not allow this model' },
  not_found: { status: 404, title: 'There is no such resource' },
  account_not_found: { status: 404, title: 'There is no such account' },
  hold_not_found: { status: 404, title: 'There is no such hold' },
  usage_not_found: { status: 404, title: 'There is no such usage' },
  entry_not_found: { status: 404, title: 'There is no such entry' },
  subscription_not_found: { status: 404, title: 'The account has no subscription' },
  api_key_not_found: { status: 404, title: 'There is no such API key' },
  webhook_endpoint_not_found: { status: 404, title: 'There is no such endpoint' },
  webhook_delivery_not_found: { status: 404, title: 'There is no such delivery' },
  price_book_not_found: { status: 404, title: 'There is no such price book' },
  plan_not_found: { status: 404, title: 'There is no such plan' },
  package_not_found: { status: 404, title: 'There is no such package' },
  purchase_not_found: { status: 404, title: 'There is no such purchase' },
  referral_not_found: { status: 404, title: 'Nothing has accrued on this entry' },
  auto_top_up_not_found: { status: 404, title: 'There is no such request to top up' },
  coupon_not_found: { status: 404, title: 'There is no such coupon' },
  coupon_use_not_found: { status: 404, title: 'This purchase has not used the coupon' },
  method_not_allowed: { status: 405, title: 'This resource does not know the method' },
  account_exists: { status: 409, title: 'An account of that id exists with other content' },
  api_key_exists: { status: 409, title: 'An API key of that id exists' },
  webhook_endpoint_exists: { status: 409, title: 'An endpoint of that id exists' },
  not_sealed_yet: { status: 409, title: 'The entry has not been sealed yet', retryAfter: 10 },
  test_clock_off: { status: 409, title: 'This ledger was not opened with a clock that can be moved' },
  test_clock_forward_only: { status: 409, title: 'The clock only goes forward' },
  advance_under_way: { status: 409, title: 'The clock is being moved elsewhere; go on with that first' },
  coupon_inactive: { status: 409, title: 'The coupon is not given out at present' },
  coupon_not_yet_valid: { status: 409, title: 'The coupon is not valid yet' },
  coupon_expired: { status: 409, title: 'The coupon has expired' },
  coupon_exhausted: { status: 409, title: 'The coupon has been used as often as it may be' },
  coupon_already_used: { status: 409, title: 'The account has used the coupon as often as it may' },
  coupon_not_for_plan: { status: 409, title: 'The coupon is for subscribers of other plans' },
  purchase_already_paid: { status: 409, title: 'The purchase has been paid; it can only be taken back' },
  referral_fixed: { status: 409, title: 'The account was referred by another one, for good' },
  referral_too_late: { status: 409, title: 'An account is referred before it first tops up, or never' },
  referral_cycle: { status: 409, title: 'Two accounts cannot refer each other' },
  coupon_not_for_purchases: { status: 409, title: 'The coupon grants credits and takes nothing off a price' },
  subscription_exists: { status: 409, title: 'The account has a subscription already' },
  subscription_ended: { status: 409, title: 'The subscription has ended; a new one can be started' },
  plan_not_active: { status: 409, title: 'The plan can no longer be subscribed to' },
  free_period_used: {
    status: 409,
    title: 'A plan that costs nothing is not begun anew before its last period has passed',
  },
  trial_not_ended: { status: 409, title: 'Another plan begins when the trial has ended' },
  plan_not_in_credits: { status: 409, title: 'The plan has no price in credits' },
  paid_outside: { status: 409, title: 'A subscription that is paid outside changes with its next period' },
  cancellation_scheduled: { status: 409, title: 'The subscription is to end; take that back first' },
  plan_unchanged: { status: 409, title: 'The subscription is of this plan already' },
  trial_not_offered: { status: 409, title: 'The plan has no trial' },
  trial_already_used: { status: 409, title: 'The account has had its trial' },
  downgrade_waits: { status: 409, title: 'A cheaper plan can only begin with the next period' },
  quota_shrinks: { status: 409, title: 'A plan with less of a quota can only begin with the next period' },
  interval_differs: { status: 409, title: 'A plan of another interval can only begin with the next period' },
  period_unpaid: { status: 409, title: 'The period is not paid; it cannot be changed half-way' },
  hold_closed: { status: 409, title: 'The hold is closed' },
  usage_already_charged: { status: 409, title: 'The usage has been charged already' },
  entry_not_reversible: { status: 409, title: 'The entry cannot be reversed' },
  credits_already_spent: {
    status: 409,
    title: 'Credits of this entry have been spent already, or have expired',
  },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  invalid_value: { status: 422, title: 'A value breaks a rule' },
  idempotency_conflict: { status: 422, title: 'The same id has been used with another body' },
  no_price: { status: 422, title: 'There is no price for this' },
  expires_in_past: { status: 422, title: 'Credits that are recorded now must not have expired already' },
  effective_from_in_past: { status: 422, title: 'A version must not take effect before it is published' },
  coupon_wrong_currency: { status: 422, title: 'The coupon is for purchases in another currency' },
  self_referral: { status: 422, title: 'An account cannot refer itself' },
  minimum_purchase: { status: 422, title: 'The purchase is smaller than the coupon asks for' },
  currency_not_offered: { status: 422, title: 'This is not sold in that currency' },
  amount_out_of_range: { status: 422, title: 'The amount buys no whole credit, or more than can be counted' },
  start_out_of_range: { status: 422, title: 'The first period must contain the present' },
  balance_limit: { status: 422, title: 'The account would hold more credits than can be counted' },
  too_many_holds: { status: 429, title: 'The account has too many open holds', retryAfter: 5 },
  too_many_lots: { status: 429, title: 'The account has too many open lots', retryAfter: 5 },
  too_many_coupons: { status: 429, title: 'The account has too many coupons that wait for a purchase' },
  too_many_attempts: {
    status: 429,
    title: 'Too many codes that were refused; wait a minute',
    retryAfter: 60,
  },
  too_many_open_uses: {
    status: 429,
    title: 'Too many purchases with this coupon wait for payment',
    retryAfter: 5,
  },
  too_many_quotas: { status: 429, title: 'The account has too many quotas', retryAfter: 5 },
  too_many_concurrent: { status: 429, title: 'The plan allows no more calls at once', retryAfter: 1 },
  rate_limited: { status: 429, title: 'The plan allows no more calls in this minute', retryAfter: 5 },
  queue_full: { status: 429, title: 'Too many requests are waiting; nothing was done', retryAfter: 1 },
  internal_error: { status: 500, title: 'Something went wrong inside the ledger' },
  append_rejected: { status: 500, title: 'The store cannot take what this comes to; nothing was done' },
  store_unavailable: { status: 503, title: 'The event store is away; send it again', retryAfter: 1 },
  outcome_unknown: {
    status: 503,
    title: 'It is not known whether this was recorded; send it again',
    retryAfter: 1,
  },
  deadline_passed: { status: 503, title: 'The time for this request was over; send it again', retryAfter: 1 },
  key_index_behind: {
    status: 503,
    title: 'The read models are too far behind to tell repeats from new calls; send it again',
    retryAfter: 5,
  },
  clock_behind: { status: 503, title: 'This process has a wrong clock; send it again', retryAfter: 5 },
  stream_unreadable: { status: 503, title: 'This account cannot be served at present', retryAfter: 30 },
  shutting_down: { status: 503, title: 'This process is shutting down; send it again', retryAfter: 1 },
  projection_behind: { status: 503, title: 'The read models have not come that far yet', retryAfter: 1 },
  catalogue_stale: { status: 503, title: 'This process has lost the feed of keys and prices', retryAfter: 1 },
  test_clock_not_acknowledged: {
    status: 503,
    title: 'Not every process goes by the new time yet; send it again',
    retryAfter: 1,
  },
  advance_unfinished: { status: 503, title: 'The clock is on its way; send it again', retryAfter: 1 },
  reads_unavailable: { status: 503, title: 'The read models are away', retryAfter: 1 },
};

/** A field of the request, as a path with dots, and the rule that it breaks. */
export interface Fault {
  readonly field: string;
  readonly rule: string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly errors?: readonly Fault[];
  readonly [fact: string]: unknown;
}

/** `facts` are members beside the standard ones: `available` and `required` of a 402. */
export function problemOf(code: ProblemCode, facts: object = {}): Problem {
  const { status, title } = PROBLEMS[code];
  // The standard members last: a fact must not pass for one of them.
  return { ...facts, type: `urn:tallystick:problem:${code}`, title, status, code };
}

export function malformed(...errors: Fault[]): Problem {
  return problemOf('malformed_request', { errors });
}

export function invalid(errors: readonly Fault[]): Problem {
  return problemOf('invalid_value', { errors });
}

/** Ends a request with a problem. Expected, so it is thrown without a log line. */
export class Refused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.code);
    this.name = 'Refused';
    this.problem = problem;
  }
}

export function refuse(code: ProblemCode, facts: object = {}): never {
  throw new Refused(problemOf(code, facts));
}
