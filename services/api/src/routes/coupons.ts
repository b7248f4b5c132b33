/** Coupons: terms by version, and how often they have been used. For admins: whoever knows a code may use it. */
import {
  type CouponState,
  type CouponTerms,
  canonicalDecimal,
  canonicalMoney,
  checkCoupon,
  couponDecider,
  couponId,
  couponOrders,
} from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { pageOfCatalogue } from '../catalogue-page.ts';
import { firstOrAgain, order } from '../orders.ts';
import { type Faults, instantOf, metadataOf, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import { Amount, closed, Id, Instant, MoneyBody, PageQuery, pageOf, recorded, shown } from '../schemas.ts';

const Terms = {
  percent: Type.Optional({ ...Amount, description: 'Off the price of a purchase.' }),
  fixed: Type.Optional({ ...MoneyBody, description: 'Off the price of a purchase in this currency.' }),
  credits: Type.Optional({ ...Amount, description: 'Granted at once, when it is applied.' }),
  description: Type.Optional(Type.String({ maxLength: 1_000, description: 'In your words.' })),
  max_uses: Type.Optional(Type.Integer({ description: 'By all accounts together. Left out: no limit.' })),
  minimum_purchase: Type.Optional({
    ...MoneyBody,
    description: 'The least that a purchase costs; of this currency only.',
  }),
  valid_from: Type.Optional({ ...Instant, description: 'RFC 3339 with its zone. Left out: at once.' }),
  expires_at: Type.Optional({
    ...Instant,
    description: 'RFC 3339 with its zone, itself not included. Left out: never.',
  }),
  plans: Type.Optional(
    Type.Array(Id, {
      maxItems: 100,
      description:
        'Only for subscribers of these, and not while a period is unpaid. Left out: for everybody.',
    }),
  ),
  active: Type.Optional(Type.Boolean({ description: 'False: it is not given out. Left out: true.' })),
};
const PutBody = closed(
  {
    ...Terms,
    max_uses_per_account: Type.Optional(Type.Integer({ description: 'Left out: 1.' })),
  },
  { description: 'With one of `percent`, `fixed` and `credits`.' },
);
const Published = { code: Type.String(), version: Type.Integer() };
const Coupon = Type.Object({
  ...Published,
  ...Terms,
  max_uses_per_account: Type.Integer({ description: 'One that grants credits is had once in any case.' }),
  uses: Type.Integer({ description: 'By paid purchases that were not refunded since.' }),
  open_uses: Type.Integer({ description: 'Reserved by purchases that wait for payment.' }),
  over_limit: Type.Integer({ description: 'How many were paid after their reservation had gone to others.' }),
});
const CouponPath = closed({ code: Id });
const admin = { access: { scopes: ['admin'] } } as const;
const tags = ['coupons'];

export function couponsRoutes(app: App, api: Api): void {
  app.put(
    '/v1/coupons/:code',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Publish a version of a coupon; its counters go on',
        params: CouponPath,
        body: PutBody,
        response: recorded(Type.Object(Published)),
      },
    },
    async (request, reply) => {
      const code = couponId(request.params.code);
      const command = couponOrders.publish(readCoupon(request.body));
      const done = await order(api, request, couponDecider, code, command);
      firstOrAgain(reply, { replayed: done.status === 'unchanged' });
      if (done.status === 'unchanged') return { code, version: done.state.version };
      await api.catalogue.fresh().catch(() => undefined);
      const { event } = done;
      if (event.type !== 'CouponPublished') throw new Error(`a coupon was published by ${event.type}`);
      return { code, version: event.data.version };
    },
  );

  app.get(
    '/v1/coupons',
    {
      config: admin,
      schema: {
        tags,
        summary: 'List coupons',
        querystring: closed(PageQuery),
        response: shown(pageOf(Coupon)),
      },
    },
    async ({ query: { cursor, page_size: pageSize } }) => {
      const now = api.now();
      const listed = [...api.catalogue.coupons.values()].map((coupon) => ({ id: coupon.code, coupon }));
      return pageOfCatalogue('coupons', listed, { cursor, pageSize }, ({ coupon }) => viewOf(coupon, now));
    },
  );

  app.get(
    '/v1/coupons/:code',
    {
      config: admin,
      schema: { tags, summary: 'Read a coupon', params: CouponPath, response: shown(Coupon) },
    },
    async ({ params: { code } }) => {
      await api.catalogue.fresh();
      const coupon = api.catalogue.coupons.get(couponId(code));
      return coupon === undefined
        ? refuse('coupon_not_found', { coupon: couponId(code) })
        : viewOf(coupon, api.now());
    },
  );
}

const BODY_BYTES_MAX = 60_000;

function readCoupon(body: Static<typeof PutBody>): CouponTerms {
  const faults: Faults = [];
  metadataOf(body, 'body', BODY_BYTES_MAX, faults);
  const valid_from = isoOf(body.valid_from, 'valid_from', faults);
  const expires_at = isoOf(body.expires_at, 'expires_at', faults);
  settle(faults);
  const { percent, fixed, credits, minimum_purchase, max_uses_per_account = 1, ...rest } = body;
  const terms = {
    ...rest,
    max_uses_per_account,
    ...(percent === undefined ? {} : { percent: canonicalDecimal(percent) }),
    ...(fixed === undefined ? {} : { fixed: canonicalMoney(fixed) }),
    ...(credits === undefined ? {} : { credits: canonicalDecimal(credits) }),
    ...(minimum_purchase === undefined ? {} : { minimum_purchase: canonicalMoney(minimum_purchase) }),
    ...(valid_from === null ? {} : { valid_from }),
    ...(expires_at === null ? {} : { expires_at }),
  };
  // That there is one benefit, and one only, is checked with the rest.
  const fault = checkCoupon(terms as CouponTerms);
  if (fault !== null) settle([fault]);
  return terms as CouponTerms;
}

function isoOf(text: string | undefined, field: string, faults: Faults): string | null {
  const at = instantOf(text, field, faults);
  return at === null ? null : new Date(at).toISOString();
}

/** A reservation that is over is let go by the next command; what is shown does without it already (rule 28). */
function viewOf({ code, version, terms, uses, overLimit, open }: Readonly<CouponState>, now: number): object {
  const open_uses = [...open.values()].filter(({ expiresAt }) => expiresAt > now).length;
  return { code, version, ...terms, uses, open_uses, over_limit: overLimit };
}
