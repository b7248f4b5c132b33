/** Who referred an account, and what its friends have brought it. The worker accrues; here is only asked and looked. */
import { listReferralAccruals } from '@tallystick/projections';
import { Type } from 'typebox';
import { pageOfAccount } from '../account-page.ts';
import type { Api, App } from '../api.ts';
import { firstOrAgain, orderWallet } from '../orders.ts';
import { Refused, refuse } from '../problems.ts';
import {
  AccountPath,
  closed,
  Decimal,
  Id,
  MinPosition,
  orNull,
  PageQuery,
  pageOf,
  recorded,
  shown,
} from '../schemas.ts';
import { walletNow } from '../wallet-now.ts';

const LinkedAnswer = Type.Object({ account: Type.String(), referred_by: Type.String() });
const AccrualRow = Type.Object({
  from: Type.String({ description: 'The friend.' }),
  entry_id: Type.String({ description: "The friend's entry." }),
  reason: Type.Union([Type.Literal('purchase'), Type.Literal('top_up')]),
  credits: Decimal,
  withheld: Type.String({ description: 'Of these: kept for what was taken back before.' }),
  status: Type.Union([Type.Literal('pending'), Type.Literal('granted'), Type.Literal('clawed_back')]),
  lot: orNull(Type.String()),
  available_at: Type.String(),
  accrued_at: Type.String(),
});

export function referralsRoutes(app: App, api: Api): void {
  const tags = ['referrals'];

  app.post(
    '/v1/accounts/:id/referral',
    {
      config: { access: { scopes: ['usage', 'manage'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'Say who referred an account, before it first tops up',
        params: AccountPath,
        body: closed({ referred_by: Id }),
        response: recorded(LinkedAnswer),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { referred_by } = request.body;
      const done = await orderWallet(api, request, id, {
        type: 'LinkReferral',
        key: null,
        fingerprint: null,
        referredBy: referred_by,
        referrerReferredBy: referred_by === id ? null : await referrerOf(api, referred_by),
      });
      firstOrAgain(reply, { replayed: done.status === 'unchanged' });
      return { account: id, referred_by };
    },
  );

  app.get(
    '/v1/accounts/:id/referrals',
    {
      config: { access: { scopes: ['read'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'List what an account has earned by its friends, the latest first',
        params: AccountPath,
        querystring: closed({ ...PageQuery, ...MinPosition }),
        response: shown(pageOf(AccrualRow)),
      },
    },
    ({ params: { id: account }, query: { cursor, page_size: pageSize, min_position: minPosition } }) =>
      pageOfAccount(api, { account, cursor, minPosition }, () =>
        listReferralAccruals(api.reads.queries, { account, cursor, pageSize }),
      ),
  );
}

/** Ends the request where the referrer does not exist. */
async function referrerOf(api: Api, account: string): Promise<string | null> {
  try {
    return (await walletNow(api, account)).referral.referredBy;
  } catch (error) {
    if (error instanceof Refused && error.problem.code === 'account_not_found')
      return refuse('account_not_found', { account });
    throw error;
  }
}
