/**
 * Is this the ledger's answer to this request? Asked of every call that moves or holds credits: a 200 of something in
 * between, another request's answer or a status that is not known must never count as a charge. What does not fit is
 * treated as a lost answer; the same id finds out.
 */
import type { Routes } from './routes.ts';
import type { Problem } from './shapes.ts';
import type { Parts } from './transport.ts';

export type Fits = (answer: unknown) => boolean;

type Members = Readonly<Record<string, unknown>>;
type Check<K extends keyof Routes> = (answer: Members, parts: Parts<Routes[K]>) => boolean;

const CHECKS: { readonly [K in keyof Routes]?: Check<K> } = {
  'POST /v1/usage': (answer, { body }) =>
    Array.isArray(body) ? areResults(answer, body) : isChargeOf(body as Named, answer),
  'POST /v1/accounts/{id}/usage/{usage_id}/reprice': (answer, { path }) =>
    answer.id === path.usage_id && isRecorded(answer) && answer.status === 'charged',
  'POST /v1/accounts/{id}/holds/{hold}/settle': (answer, { path: { hold } }) =>
    isChargeOf({ id: hold, hold }, answer),
  'POST /v1/accounts/{id}/holds/{hold}/void': (answer, { path }) =>
    answer.id === path.hold && (answer.status === 'voided' || answer.status === 'expired'),
  'POST /v1/accounts/{id}/holds/{hold}/extend': (answer, { path }) => isHeld(answer.hold, path.hold),
  'POST /v1/authorize': (answer, { body: { hold } }) =>
    typeof answer.allowed === 'boolean' &&
    Array.isArray(answer.reasons) &&
    (hold === undefined || !answer.allowed || isHeld(answer.hold, hold.id)),
  'POST /v1/accounts/{id}/top-ups': isEntered,
  'POST /v1/accounts/{id}/grants': isEntered,
  'POST /v1/accounts/{id}/adjustments': isEntered,
  'POST /v1/accounts/{id}/entries/{entry_id}/reversal': isEntered,
  'POST /v1/accounts/{id}/quotas': isEntered,
  'POST /v1/accounts/{id}/subscription': hasSubscription,
  'POST /v1/accounts/{id}/subscription/change': hasSubscription,
  'POST /v1/accounts/{id}/subscription/cancel': hasSubscription,
  'POST /v1/accounts/{id}/subscription/payments': isEntered,
  'POST /v1/accounts/{id}/purchases': (answer, { body }) =>
    answer.id === body.reference && isText(answer.status) && isText(answer.credits),
  'POST /v1/accounts/{id}/purchases/{purchase}/paid': (answer, { path }) =>
    answer.id === path.purchase && typeof answer.applied === 'boolean' && isText(answer.position),
  'POST /v1/accounts/{id}/purchases/{purchase}/cancel': (answer, { path }) =>
    answer.id === path.purchase && answer.status === 'canceled',
  'POST /v1/accounts/{id}/coupons': (answer, { body: { code } }) =>
    isText(answer.status) && String(answer.code).toUpperCase() === code.toUpperCase(),
  'POST /v1/billing/coupons/apply': ({ coupon }, { body }) =>
    isObject(coupon) && String(coupon.code).toUpperCase() === body.coupon_code.toUpperCase(),
  'POST /v1/accounts/{id}/auto-top-ups/{request}/result': (answer, { path }) =>
    answer.id === path.request && isText(answer.result),
};

/** Undefined where any JSON will do: reads, and commands that say what is to be. */
export function fitsOf<K extends keyof Routes>(route: K, parts: Parts<Routes[K]>): Fits | undefined {
  const check: Check<K> | undefined = CHECKS[route];
  return check === undefined ? undefined : (answer) => isObject(answer) && check(answer, parts);
}

/** What names an item in its result. */
export interface Named {
  readonly id: unknown;
  readonly hold?: unknown;
}

/** One result per item, in order, each naming its item: else callers would get each other's answers. */
export function areResults(answer: unknown, items: readonly Named[]): boolean {
  if (!isObject(answer) || !Array.isArray(answer.results)) return false;
  const results: readonly unknown[] = answer.results;
  return results.length === items.length && items.every((item, index) => isResult(results[index], item));

  function isResult(result: unknown, item: Named): boolean {
    if (!isObject(result)) return false;
    if (result.status === 'refused') return result.id === toldBack(item.id) && isProblem(result.problem);
    if (result.id === item.id) return isRecorded(result);
    if (result.replayed !== true && !isChargeOf(item, result)) return false;
    const other = results[items.findIndex(({ id }) => id === result.id)];
    return isRecorded(result) && (!isObject(other) || other.entry_id === result.entry_id);
  }
}

/** A hold is settled once: another usage that names it is answered as the one that has settled it, under that one's id. */
function isChargeOf({ id, hold }: Named, answer: Members): boolean {
  return isRecorded(answer) && (answer.id === id || (hold !== undefined && isText(answer.id)));
}

/** A refused item is named as far as it could be read. */
function toldBack(id: unknown): string {
  return typeof id === 'string' ? id.slice(0, 128) : '';
}

function isRecorded(answer: Members): boolean {
  if (answer.status === 'unpriced') return isText(answer.position);
  return answer.status === 'charged' && isEntered(answer);
}

function isEntered({ entry_id, position }: Members): boolean {
  return isText(entry_id) && isText(position);
}

function hasSubscription({ subscription }: Members): boolean {
  return isObject(subscription) && isText(subscription.id);
}

function isHeld(hold: unknown, id: string): boolean {
  return isObject(hold) && hold.id === id;
}

export function isProblem(body: unknown): body is Problem {
  if (!isObject(body)) return false;
  const { code, title, status } = body;
  return typeof code === 'string' && typeof title === 'string' && typeof status === 'number';
}

function isObject(value: unknown): value is Members {
  return value !== null && typeof value === 'object';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
