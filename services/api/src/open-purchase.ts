/**
 * Opening a purchase: from the request's words to orders in two streams, a coupon's and the account's. Each step is named
 * after the purchase, so the same request again goes on where the last one stopped.
 */
import { formatPosition } from '@tallystick/connect';
import {
  AUTO_TOP_UP_PREFIX,
  type CouponOffer,
  couponId,
  keys,
  type Offer,
  type WalletEvent,
  walletStream,
} from '@tallystick/domain';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Api } from './api.ts';
import { confirmUse, keepUse, releaseUse, reserveUse, withUse } from './coupon-uses.ts';
import { fingerprint } from './fingerprint.ts';
import { orderWallet, recordedBy } from './orders.ts';
import { type Faults, moneyOf, settle } from './parse.ts';
import { Refused, refuse } from './problems.ts';
import { openedAnswer, type PurchaseAnswer, positionOf, purchaseNow } from './purchase-answers.ts';
import { bestSaved, offerOf, type Wanted } from './purchase-offers.ts';
import { Currency, closed, Id, MoneyBody } from './schemas.ts';
import { walletNow } from './wallet-now.ts';

export const OpenBody = closed(
  {
    package: Type.Optional({ ...Id, description: 'Which package, by its id.' }),
    amount: Type.Optional({
      ...MoneyBody,
      description: 'A free amount: credits for so much money, by the rate of its currency.',
    }),
    currency: Type.Optional({
      ...Currency,
      description: "Of a package that is sold in several. Left out: the account's own.",
    }),
    coupon: Type.Optional({ ...Id, description: 'Left out: of the saved ones the one that takes off most.' }),
    reference: { ...Id, description: `Names the purchase. Must not begin with \`${AUTO_TOP_UP_PREFIX}\`.` },
    paid: Type.Optional(
      Type.Literal(true, {
        description: 'The money has been received. Finance only, with a key of no account.',
      }),
    ),
  },
  { description: 'With one of `package` and `amount`.' },
);
export type OpenBody = Static<typeof OpenBody>;

/** What a request wishes, parsed. */
export interface Wish {
  readonly id: string;
  readonly wanted: Wanted;
  /** The coupon that it names. */
  readonly code: string | null;
  readonly paid: boolean;
  readonly fingerprint: string;
}

export function readWish(body: OpenBody): Wish {
  const faults: Faults = [];
  const amount = moneyOf(body.amount, 'amount', faults);
  if ((body.package === undefined) === (body.amount === undefined))
    faults.push({ field: 'body', rule: 'must have one of package and amount' });
  if (body.reference.startsWith(AUTO_TOP_UP_PREFIX))
    faults.push({ field: 'reference', rule: `must not begin with ${AUTO_TOP_UP_PREFIX}` });
  settle(faults);
  const code = body.coupon === undefined ? null : couponId(body.coupon);
  return {
    id: body.reference,
    wanted: { package: body.package ?? null, amount, currency: body.currency ?? null },
    code,
    paid: body.paid ?? false,
    fingerprint: fingerprint({
      package: body.package,
      amount: amount ?? undefined,
      currency: body.currency,
      coupon: code ?? undefined,
      paid: body.paid,
    }),
  };
}

/** The purchase was made before: what was said then, without asking whether it is sold still. Null where it was not. */
export async function tellAgain(
  api: Api,
  request: FastifyRequest,
  account: string,
  wish: Wish,
): Promise<PurchaseAnswer | null> {
  const key = keys.purchase(wish.id);
  const event = (await api.runner.find<WalletEvent>(walletStream(account), [key])).get(key);
  if (event?.type !== 'PurchaseOpened') return null;
  if (event.fingerprint !== wish.fingerprint) return refuse('idempotency_conflict');
  const { coupon } = event.data.purchase;
  if (coupon !== null) await settleUse(api, request, coupon.code, account, wish.id);
  return { ...openedAnswer(event.data), position: await positionOf(api, event) };
}

/** A call may have ended between the order to the wallet and what follows it in the coupon's stream. */
async function settleUse(
  api: Api,
  request: FastifyRequest,
  code: string,
  account: string,
  purchase: string,
): Promise<void> {
  const { status } = await purchaseNow(api, account, purchase);
  if (status === 'paid') await confirmUse(api, request, code, { account, purchase });
  else if (status === 'canceled') await releaseUse(api, request, code, { account, purchase });
}

export async function openPurchase(
  api: Api,
  request: FastifyRequest,
  account: string,
  wish: Wish,
): Promise<{ readonly answer: PurchaseAnswer; readonly replayed: boolean }> {
  const wallet = await walletNow(api, account);
  const offer = await offerOf(api, wish.wanted, wallet.currency);
  const use = { account, purchase: wish.id };
  const buyWith = (coupon: CouponOffer | null) =>
    withUse(api, request, coupon?.code ?? null, use, () =>
      orderWallet(api, request, account, commandOf(wish, offer, coupon)),
    );
  const coupon =
    wish.code === null
      ? await reserveSaved(api, request, bestSaved(api, wallet, offer), use)
      : await reserveUse(api, request, wish.code, use);
  const done = await buyWith(coupon).catch((error: unknown) => {
    // Nobody has asked for it by name: where another purchase of the account has just taken it, this one goes without.
    if (wish.code === null && coupon !== null && isAboutCoupon(error)) return buyWith(null);
    throw error;
  });
  const { event, position, replayed } = recordedBy(done);
  if (event.type !== 'PurchaseOpened') throw new Error(`a purchase made a ${event.type}`);
  const { purchase, paid } = event.data;
  // The same request at the same instant, in another process, may have taken another of the saved ones.
  if (coupon !== null && purchase.coupon?.code !== coupon.code)
    await releaseUse(api, request, coupon.code, use);
  if (purchase.coupon !== null) {
    const settled = paid === undefined ? keepUse : confirmUse;
    // Told again it may have been canceled since, or its use have run out: that stays so.
    if (paid !== undefined || !replayed) await settled(api, request, purchase.coupon.code, use);
  }
  const answer = { ...openedAnswer(event.data), position: formatPosition(api.epoch, position) };
  return { answer, replayed };
}

const isAboutCoupon = (error: unknown): boolean =>
  error instanceof Refused && error.problem.code.startsWith('coupon_');

const commandOf = ({ id, paid, fingerprint }: Wish, offer: Offer, coupon: CouponOffer | null) =>
  ({ type: 'OpenPurchase', key: keys.purchase(id), fingerprint, id, offer, coupon, paid }) as const;

/** Where the last use of a saved one has just gone to another account, the purchase goes on without. */
async function reserveSaved(
  api: Api,
  request: FastifyRequest,
  saved: CouponOffer | null,
  use: { readonly account: string; readonly purchase: string },
): Promise<CouponOffer | null> {
  if (saved === null) return null;
  try {
    return await reserveUse(api, request, saved.code, use);
  } catch (error) {
    if (error instanceof Refused && error.problem.status < 500) return null;
    throw error;
  }
}
