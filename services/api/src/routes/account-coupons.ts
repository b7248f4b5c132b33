/**
 * Coupons on an account: one that is worth credits gives them at once; any other waits for the next purchase that it fits.
 * For the account's owner (scope `manage`) and the service that sells (`usage`).
 */
import { formatPosition } from '@tallystick/connect';
import {
  COUPON_GRANT_USE,
  type CouponTerms,
  couponId,
  keys,
  type WalletEvent,
  walletStream,
} from '@tallystick/domain';
import { listAccountCoupons } from '@tallystick/projections';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { pageOfAccount } from '../account-page.ts';
import type { Api, App } from '../api.ts';
import { attempt } from '../coupon-attempts.ts';
import { confirmUse, isExhausted, publishedCoupon, reserveUse, withUse } from '../coupon-uses.ts';
import { firstOrAgain, orderWallet, recordedBy } from '../orders.ts';
import { refuse } from '../problems.ts';
import { positionOf } from '../purchase-answers.ts';
import {
  AccountPath,
  closed,
  Decimal,
  Id,
  MinPosition,
  MoneyBody,
  orNull,
  PageQuery,
  Position,
  pageOf,
  problems,
  recorded,
  shown,
} from '../schemas.ts';
import { walletNow } from '../wallet-now.ts';

const Code = { ...Id, description: 'The same in capitals and not.' };
const AppliedAnswer = Type.Object({
  code: Type.String(),
  status: Type.Union([Type.Literal('granted'), Type.Literal('saved')], {
    description: '`granted`: its credits are there. `saved`: it waits for the next purchase.',
  }),
  percent: Type.Optional(Decimal),
  fixed: Type.Optional(MoneyBody),
  credits: Type.Optional(Decimal),
  lot: Type.Optional(Type.String({ description: 'Where the credits are.' })),
  position: Type.Optional(Position),
});
export type AppliedAnswer = Static<typeof AppliedAnswer>;
const CouponRow = Type.Object({
  code: Type.String(),
  status: Type.Union([Type.Literal('saved'), Type.Literal('used'), Type.Literal('freed')], {
    description: '`freed`: its purchase was canceled, or taken back whole; it may be used again.',
  }),
  purchase: orNull(Type.String({ description: 'That it was used for.' })),
  credits: orNull(Type.String({ description: 'That it granted.' })),
  at: Type.String({ description: 'When it was saved or used.' }),
  freed_at: orNull(Type.String()),
});

export function accountCouponsRoutes(app: App, api: Api): void {
  const manage = { access: { scopes: ['usage', 'manage'], ownAccount: 'path' } } as const;
  const tags = ['coupons'];

  app.post(
    '/v1/accounts/:id/coupons',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Apply a coupon: for its credits now, or for the next purchase',
        params: AccountPath,
        body: closed({ code: Code }),
        response: recorded(AppliedAnswer),
      },
    },
    async (request, reply) => {
      const { id: account } = request.params;
      const { answer, replayed } = await applyCoupon(api, request, account, request.body.code);
      firstOrAgain(reply, { replayed });
      return answer;
    },
  );

  app.get(
    '/v1/accounts/:id/coupons',
    {
      config: { access: { scopes: ['read'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'List the coupons of an account, saved and used, the latest first',
        params: AccountPath,
        querystring: closed({ ...PageQuery, ...MinPosition }),
        response: shown(pageOf(CouponRow)),
      },
    },
    ({ params: { id: account }, query: { cursor, page_size: pageSize, min_position: minPosition } }) =>
      pageOfAccount(api, { account, cursor, minPosition }, () =>
        listAccountCoupons(api.reads.queries, { account, cursor, pageSize }),
      ),
  );

  app.delete(
    '/v1/accounts/:id/coupons/:code',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Forget a coupon that waits for a purchase; nothing where none does',
        params: closed({ id: Id, code: Code }),
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const { id, code } = request.params;
      const command = { type: 'ForgetCoupon', key: null, fingerprint: null, code: couponId(code) } as const;
      await orderWallet(api, request, id, command);
      return reply.code(204).send(null);
    },
  );
}

interface Applied {
  readonly answer: AppliedAnswer;
  readonly replayed: boolean;
}

export function applyCoupon(
  api: Api,
  request: FastifyRequest,
  account: string,
  code: string,
): Promise<Applied> {
  return attempt(api, account, () => apply(api, request, account, couponId(code)));
}

async function apply(api: Api, request: FastifyRequest, account: string, code: string): Promise<Applied> {
  const granted = await tellGrant(api, request, account, code);
  if (granted !== null) return granted;
  const coupon = await publishedCoupon(api, code);
  if ('credits' in coupon.terms) return grant(api, request, account, code);
  const { terms, version } = coupon;
  const wallet = await walletNow(api, account);
  // Saving takes no use: it only spares a customer from learning at the counter that there is none.
  if (!wallet.coupons.saved.includes(code) && isExhausted(coupon.state, api.now()))
    return refuse('coupon_exhausted');
  const command = { type: 'ApplyCoupon', key: null, fingerprint: null, code, version, terms } as const;
  const done = await orderWallet(api, request, account, command);
  const answer: AppliedAnswer = { code, status: 'saved', ...benefitOf(terms) };
  if (done.status === 'unchanged') return { answer, replayed: true };
  return { answer: { ...answer, position: formatPosition(api.epoch, done.position) }, replayed: false };
}

function benefitOf(terms: CouponTerms): Pick<AppliedAnswer, 'percent' | 'fixed'> {
  if ('percent' in terms) return { percent: terms.percent };
  return 'fixed' in terms ? { fixed: { ...terms.fixed } } : {};
}

/** Given before, by a call that may have ended before it was confirmed. Null where it was not. */
async function tellGrant(
  api: Api,
  request: FastifyRequest,
  account: string,
  code: string,
): Promise<Applied | null> {
  const key = keys.couponGrant(code);
  const event = (await api.runner.find<WalletEvent>(walletStream(account), [key])).get(key);
  if (event?.type !== 'CouponApplied') return null;
  await confirmUse(api, request, code, { account, purchase: COUPON_GRANT_USE });
  const { credits = '0', lot } = event.data;
  const position = await positionOf(api, event);
  return {
    answer: { code, status: 'granted', credits, ...(lot === undefined ? {} : { lot }), position },
    replayed: true,
  };
}

async function grant(api: Api, request: FastifyRequest, account: string, code: string): Promise<Applied> {
  await walletNow(api, account);
  const use = { account, purchase: COUPON_GRANT_USE };
  const offer = await reserveUse(api, request, code, use);
  const key = keys.couponGrant(code);
  const done = await withUse(api, request, code, use, () =>
    orderWallet(api, request, account, { type: 'ApplyCoupon', key, fingerprint: key, ...offer }),
  );
  const { event, position, replayed } = recordedBy(done);
  if (event.type !== 'CouponApplied') throw new Error(`a coupon made a ${event.type}`);
  await confirmUse(api, request, code, use);
  const { credits = '0', lot } = event.data;
  const answer: AppliedAnswer = {
    code,
    status: 'granted',
    credits,
    ...(lot === undefined ? {} : { lot }),
    position: formatPosition(api.epoch, position),
  };
  return { answer, replayed };
}
