/** `POST /v1/billing/coupons/apply`: as `POST /v1/accounts/{id}/coupons`, told in the document's words. */
import { Type } from 'typebox';
import type { Api, App } from '../../api.ts';
import { firstOrAgain } from '../../orders.ts';
import { closed, Id, recorded } from '../../schemas.ts';
import { type AppliedAnswer, applyCoupon } from '../account-coupons.ts';
import { AccountQuery, accountOf } from './account.ts';
import { asNumber } from './as-number.ts';

const Kind = Type.Union([Type.Literal('percentage'), Type.Literal('fixed'), Type.Literal('credits')]);
const Value = Type.Number({ description: "Percent, an amount of the coupon's currency, or credits." });
const Applied = Type.Object({
  message: Type.String(),
  coupon: Type.Object({ code: Type.String(), type: Kind, value: Value }),
  discount: Type.Object({ type: Kind, value: Value, description: Type.String() }),
});

export function couponsRoute(app: App, api: Api): void {
  app.post(
    '/v1/billing/coupons/apply',
    {
      config: { access: { scopes: ['usage', 'manage'], ownAccount: 'checked' } },
      schema: {
        tags: ['billing'],
        summary: 'Apply a coupon: for its credits now, or for the next purchase',
        querystring: closed(AccountQuery),
        body: closed({ coupon_code: { ...Id, description: 'The same in capitals and not.' } }),
        response: recorded(Applied),
      },
    },
    async (request, reply) => {
      const account = accountOf(request.principal, request.query.account);
      const { answer, replayed } = await applyCoupon(api, request, account, request.body.coupon_code);
      firstOrAgain(reply, { replayed });
      const { type, value, words } = benefitOf(answer);
      const description = api.catalogue.coupons.get(answer.code)?.terms?.description ?? words;
      return {
        message: 'coupon applied successfully',
        coupon: { code: answer.code, type, value },
        discount: { type, value, description },
      };
    },
  );
}

/** With words for a coupon that has none of its own. */
function benefitOf({ code, percent, fixed, credits }: AppliedAnswer) {
  if (percent !== undefined)
    return { type: 'percentage', value: asNumber(percent), words: `Save ${percent}%` } as const;
  if (fixed !== undefined)
    return {
      type: 'fixed',
      value: asNumber(fixed.amount),
      words: `Save ${fixed.amount} ${fixed.currency}`,
    } as const;
  if (credits === undefined) throw new Error(`the coupon ${code} is worth nothing`);
  return { type: 'credits', value: asNumber(credits), words: `Get ${credits} credits` } as const;
}
