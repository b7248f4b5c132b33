/**
 * Purchases: packages and free amounts, pending until finance (or, later, a payment) says that they are paid. For the
 * account's owner (scope `manage`) and the service that sells (`usage`); that money has come only finance may say.
 */
import { formatPosition } from '@tallystick/connect';
import { keys } from '@tallystick/domain';
import { listPurchases } from '@tallystick/projections';
import { pageOfAccount } from '../account-page.ts';
import type { Api, App } from '../api.ts';
import { NOT_FOR_OWNERS, type Principal } from '../auth.ts';
import { attempt } from '../coupon-attempts.ts';
import { confirmUse, releaseUse } from '../coupon-uses.ts';
import { fingerprint } from '../fingerprint.ts';
import { OpenBody, openPurchase, readWish, tellAgain } from '../open-purchase.ts';
import { again, firstOrAgain, orderWallet, recordedBy } from '../orders.ts';
import { type Faults, moneyOf, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import {
  PaymentAnswer,
  PurchaseAnswer,
  PurchaseRow,
  purchaseAnswer,
  purchaseNow,
} from '../purchase-answers.ts';
import {
  AccountPath,
  closed,
  found,
  Id,
  MinPosition,
  MoneyBody,
  PageQuery,
  pageOf,
  recorded,
  shown,
} from '../schemas.ts';

const PaidBody = closed({
  paid: { ...MoneyBody, description: 'What has come; applied where it is the `total`, to the cent.' },
  reference: { ...Id, description: 'Of the payment: one payment pays one thing.' },
});
const PurchasePath = closed({ id: Id, purchase: Id });

export function purchasesRoutes(app: App, api: Api): void {
  const buy = { access: { scopes: ['usage', 'manage', 'finance'], ownAccount: 'path' } } as const;
  const finance = { access: { scopes: ['finance'] } } as const;
  const read = { access: { scopes: ['read'], ownAccount: 'path' } } as const;
  const tags = ['purchases'];

  app.post(
    '/v1/accounts/:id/purchases',
    {
      config: buy,
      schema: {
        tags,
        summary: 'Buy a package, or credits for an amount',
        params: AccountPath,
        body: OpenBody,
        response: recorded(PurchaseAnswer),
      },
    },
    async (request, reply) => {
      const { params, body, principal } = request;
      const wish = readWish(body);
      if (wish.paid) mayTellOfMoney(principal);
      const told = await tellAgain(api, request, params.id, wish);
      if (told !== null) {
        firstOrAgain(reply, { replayed: true });
        return told;
      }
      const made =
        wish.code === null
          ? await openPurchase(api, request, params.id, wish)
          : await attempt(api, params.id, () => openPurchase(api, request, params.id, wish));
      firstOrAgain(reply, made);
      return made.answer;
    },
  );

  app.post(
    '/v1/accounts/:id/purchases/:purchase/paid',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Say that money has come for a purchase',
        params: PurchasePath,
        body: PaidBody,
        response: recorded(PaymentAnswer),
      },
    },
    async (request, reply) => {
      const { id: account, purchase } = request.params;
      const { reference } = request.body;
      const faults: Faults = [];
      const paid = moneyOf(request.body.paid, 'paid', faults);
      settle(faults);
      if (paid === null) throw new Error('a payment without money');
      const done = await orderWallet(api, request, account, {
        type: 'RecordPurchasePayment',
        key: keys.purchasePayment(reference),
        fingerprint: fingerprint({ purchase, paid }),
        purchase,
        paid,
        reference,
      });
      const { event, position, replayed } = recordedBy(done);
      firstOrAgain(reply, { replayed });
      const place = { position: formatPosition(api.epoch, position) };
      if (event.type === 'PurchasePaid') {
        const { purchase: bought, lot } = event.data;
        if (bought.coupon !== null) await confirmUse(api, request, bought.coupon.code, { account, purchase });
        return { applied: true, ...purchaseAnswer({ purchase: bought, status: 'paid', lot }), ...place };
      }
      if (event.type !== 'PurchasePaymentUnapplied') throw new Error(`a payment made a ${event.type}`);
      const { reason } = event.data;
      return {
        applied: false,
        reason,
        ...purchaseAnswer(await purchaseNow(api, account, purchase)),
        ...place,
      };
    },
  );

  app.post(
    '/v1/accounts/:id/purchases/:purchase/cancel',
    {
      config: buy,
      schema: {
        tags,
        summary: 'Cancel a purchase that is pending',
        params: PurchasePath,
        response: found(PurchaseAnswer),
      },
    },
    async (request, reply) => {
      const { id: account, purchase } = request.params;
      const command = { type: 'CancelPurchase', key: null, fingerprint: null, purchase } as const;
      again(reply, await orderWallet(api, request, account, command));
      const now = await purchaseNow(api, account, purchase);
      const { coupon } = now.purchase;
      if (coupon !== null) await releaseUse(api, request, coupon.code, { account, purchase });
      return purchaseAnswer(now);
    },
  );

  app.get(
    '/v1/accounts/:id/purchases/:purchase',
    {
      config: read,
      schema: { tags, summary: 'Read a purchase', params: PurchasePath, response: found(PurchaseAnswer) },
    },
    async ({ params: { id, purchase } }) => purchaseAnswer(await purchaseNow(api, id, purchase)),
  );

  app.get(
    '/v1/accounts/:id/purchases',
    {
      config: read,
      schema: {
        tags,
        summary: 'List the purchases of an account, the latest first',
        params: AccountPath,
        querystring: closed({ ...PageQuery, ...MinPosition }),
        response: shown(pageOf(PurchaseRow)),
      },
    },
    ({ params: { id: account }, query: { cursor, page_size: pageSize, min_position: minPosition } }) =>
      pageOfAccount(api, { account, cursor, minPosition }, () =>
        listPurchases(api.reads.queries, { account, cursor, pageSize }),
      ),
  );
}

function mayTellOfMoney({ scopes, account }: Principal): void {
  if (account !== null) refuse('forbidden', NOT_FOR_OWNERS);
  if (!scopes.has('finance')) refuse('forbidden', { required_scopes: ['finance'] });
}
