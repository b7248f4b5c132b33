/**
 * A use of a coupon lies in two streams, the coupon's and the account's (billing rule 18):
 *
 *   reserve in the coupon's  ->  order to the wallet  ->  confirm in the coupon's
 *
 * Every step is named after the purchase that it is for, so the same call again goes on where the last one stopped. What was
 * reserved and never ordered runs out by itself; what was paid and never confirmed is confirmed by the worker, which
 * follows the wallets.
 */
import {
  COUPON_GRANT_USE,
  type CouponCommand,
  type CouponOffer,
  type CouponState,
  couponDecider,
  couponOrders,
  keys,
  type WalletEvent,
  walletStream,
  whyUnusable,
} from '@tallystick/domain';
import { StoreUnavailable } from '@tallystick/event-store';
import type { FastifyRequest } from 'fastify';
import type { Api } from './api.ts';
import { order } from './orders.ts';
import { Refused, refuse } from './problems.ts';

/** How long a purchase that is not paid keeps its use. */
export const RESERVATION_MS = 30 * 60_000;

export interface Use {
  readonly account: string;
  readonly purchase: string;
}

/** The coupon as it was published last. Ends the request with 404 where there is none. */
export async function publishedCoupon(
  api: Api,
  code: string,
): Promise<CouponOffer & { readonly state: Readonly<CouponState> }> {
  await api.catalogue.fresh();
  const state = api.catalogue.coupons.get(code);
  if (state === undefined || state.terms === null) return refuse('coupon_not_found', { coupon: code });
  return { code, version: state.version, terms: state.terms, state };
}

/** Whether all uses are taken, those that wait for payment too. @param but one of these that does not count */
export function isExhausted({ uses, open, terms }: Readonly<CouponState>, now: number, but?: Use): boolean {
  if (terms?.max_uses === undefined) return false;
  let taken = uses;
  for (const use of open.values()) if (use.expiresAt > now && !isSame(use, but)) taken += 1;
  return taken >= terms.max_uses;
}

const isSame = (a: Use, b: Use | undefined): boolean => a.account === b?.account && a.purchase === b.purchase;

/** A use for this purchase, and the terms that it is on. Ends the request where there is none left. */
export async function reserveUse(
  api: Api,
  request: FastifyRequest,
  code: string,
  use: Use,
): Promise<CouponOffer> {
  const expiresAt = api.now() + RESERVATION_MS;
  const done = await order(api, request, couponDecider, code, couponOrders.reserve({ ...use, expiresAt }));
  const { version, terms, state } = await publishedCoupon(api, code);
  if (done.status === 'recorded' && done.replayed) {
    // It was reserved by an earlier call, and may have run out since: then it is asked for as if for the first time.
    const now = api.now();
    const unusable = whyUnusable(terms, now);
    if (unusable !== null) return refuse(unusable.code, unusable);
    if (isExhausted(state, now, use)) return refuse('coupon_exhausted');
  }
  return { code, version, terms };
}

/** Of a purchase that has been paid: it always goes through (over the limit it says so). */
export function confirmUse(api: Api, request: FastifyRequest, code: string, use: Use): Promise<void> {
  return inTheEnd(api, request, code, couponOrders.confirm(use));
}

/** Of a purchase that was canceled, or has gone without this coupon. */
export function releaseUse(api: Api, request: FastifyRequest, code: string, use: Use): Promise<void> {
  return inTheEnd(api, request, code, couponOrders.release(use));
}

/**
 * Of a purchase that waits for its money: another request of the same reference, which was refused, may have released the
 * use before the purchase was there. Where none is left by now the purchase stands, and counts over the limit once paid.
 */
export function keepUse(api: Api, request: FastifyRequest, code: string, use: Use): Promise<void> {
  const expiresAt = api.now() + RESERVATION_MS;
  return inTheEnd(api, request, code, couponOrders.reserve({ ...use, expiresAt }));
}

/**
 * Of an order that the wallet has refused. A use is its reference's, not its request's: another request of the same
 * reference may have come about with it in the meantime. So the wallet is looked at before, and once more after: what comes
 * about later than that keeps its use itself.
 */
async function releaseUnused(api: Api, request: FastifyRequest, code: string, use: Use): Promise<void> {
  if (await isInUse(api, code, use)) return;
  await releaseUse(api, request, code, use);
  if (await isInUse(api, code, use)) await keepUse(api, request, code, use);
}

/** Whether the wallet has what a use is for, as its stream says now. */
async function isInUse({ runner }: Api, code: string, { account, purchase }: Use): Promise<boolean> {
  const [opening, closing, granting] = [
    keys.purchase(purchase),
    keys.purchaseClosed(purchase),
    keys.couponGrant(code),
  ];
  const asked = purchase === COUPON_GRANT_USE ? [granting] : [opening, closing];
  const found = await runner.find<WalletEvent>(walletStream(account), asked);
  if (purchase === COUPON_GRANT_USE) return found.has(granting);
  const [opened, closed] = [found.get(opening), found.get(closing)];
  if (closed?.type === 'PurchaseClosed' && closed.data.by === 'canceled') return false;
  return opened?.type === 'PurchaseOpened' && opened.data.purchase.coupon?.code === code;
}

/** The order to the wallet stands: an outage here is no reason to tell anyone that it does not. */
async function inTheEnd(
  api: Api,
  request: FastifyRequest,
  code: string,
  command: CouponCommand,
): Promise<void> {
  try {
    await order(api, request, couponDecider, code, command);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    request.log.warn({ coupon: code, step: command.type, code: error.problem.code }, 'left to the worker');
  }
}

/** Where the store is away the refusal stands all the same, and the use runs out by itself. */
async function orLeft(request: FastifyRequest, code: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    request.log.warn({ coupon: code }, 'left to run out');
  }
}

/** Runs an order to a wallet that a use was reserved for; where the wallet says no, the use is free at once. */
export async function withUse<T>(
  api: Api,
  request: FastifyRequest,
  code: string | null,
  use: Use,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // After an outage nobody knows what became of it: the use runs out by itself, or is confirmed.
    // Nor is it this call's where the reference stands for another request: the use is that one's.
    const isOurs =
      error instanceof Refused && error.problem.status < 500 && error.problem.code !== 'idempotency_conflict';
    if (code !== null && isOurs) await orLeft(request, code, () => releaseUnused(api, request, code, use));
    throw error;
  }
}
