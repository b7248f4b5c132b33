/**
 * Topping up by itself: the account's owner says when and how much; the wallet asks; a provider charges, outside; finance
 * tells what came of it.
 */
import { formatPosition } from '@tallystick/connect';
import { type AutoTopUpTerms, creditsForAmount, formatCredits, keys } from '@tallystick/domain';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { fingerprint } from '../fingerprint.ts';
import { firstOrAgain, orderWallet } from '../orders.ts';
import { creditsOf, type Faults, moneyOf, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import { PurchaseAnswer, purchaseAnswer } from '../purchase-answers.ts';
import { freeAmount } from '../purchase-offers.ts';
import {
  AccountPath,
  Amount,
  closed,
  Decimal,
  found,
  Id,
  MoneyBody,
  orNull,
  Position,
  recorded,
} from '../schemas.ts';
import { walletNow } from '../wallet-now.ts';

export const COOL_OFF_SECONDS = 3_600;
const COOL_OFF_SECONDS_MAX = 30 * 24 * 3_600;
export const DAILY_CAP = 3;

const SetBody = closed({
  enabled: Type.Boolean({ description: 'False: nothing is asked for.' }),
  threshold: { ...Amount, description: 'In credits: asked for when available and held together are less.' },
  amount: { ...MoneyBody, description: 'What is asked for, in a currency that free amounts are sold in.' },
  cool_off_seconds: Type.Optional(
    Type.Integer({ minimum: 0, maximum: COOL_OFF_SECONDS_MAX, description: 'Left out: 3600.' }),
  ),
  daily_cap: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description: "Requests in a day of the account's time zone. Left out: 3.",
    }),
  ),
});
const Settings = Type.Object({
  enabled: Type.Boolean(),
  threshold: Decimal,
  amount: Type.Object(MoneyBody.properties, { description: 'What is asked for.' }),
  cool_off_seconds: Type.Integer({ description: 'From one request to the next, at least.' }),
  daily_cap: Type.Integer({ description: "Requests in a day of the account's time zone, at most." }),
  off: Type.Boolean({ description: 'Too many were declined in a row; setting it again trusts it again.' }),
  open: orNull(
    Type.Object(
      {
        id: Type.String(),
        amount: MoneyBody,
        requested_at: Type.String(),
      },
      { description: 'The request that waits for its result.' },
    ),
  ),
});
const ResultBody = closed({
  result: Type.Union([Type.Literal('paid'), Type.Literal('declined')], {
    description: 'What came of the charge.',
  }),
  paid: Type.Optional({ ...MoneyBody, description: 'With `paid`: what has come.' }),
  reference: { ...Id, description: 'Of the payment, or of the attempt.' },
});
const ResultAnswer = Type.Object({
  id: Type.String(),
  result: Type.Union([Type.Literal('paid'), Type.Literal('declined'), Type.Literal('unapplied')], {
    description: '`unapplied`: money came that is not what was asked for; it waits for finance.',
  }),
  purchase: orNull(PurchaseAnswer),
  position: Type.Optional(Position),
});

export function autoTopUpRoutes(app: App, api: Api): void {
  const tags = ['auto top-up'];

  app.put(
    '/v1/accounts/:id/auto-top-up',
    {
      config: { access: { scopes: ['usage', 'manage'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'Say when an account tops itself up, and how much',
        params: AccountPath,
        body: SetBody,
        response: found(Settings),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { enabled, cool_off_seconds = COOL_OFF_SECONDS, daily_cap = DAILY_CAP } = request.body;
      const faults: Faults = [];
      const threshold = formatCredits(creditsOf(request.body.threshold, 'threshold', 'not_negative', faults));
      const amount = moneyOf(request.body.amount, 'amount', faults);
      settle(faults);
      if (amount === null) throw new Error('a top-up without an amount');
      await setAutoTopUp(api, request, id, { enabled, threshold, amount, cool_off_seconds, daily_cap });
      return settingsOf(api, id);
    },
  );

  app.get(
    '/v1/accounts/:id/auto-top-up',
    {
      config: { access: { scopes: ['read'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'Read when an account tops itself up; 404 where it was never said',
        params: AccountPath,
        response: found(Settings),
      },
    },
    ({ params: { id } }) => settingsOf(api, id),
  );

  app.post(
    '/v1/accounts/:id/auto-top-ups/:request/result',
    {
      config: { access: { scopes: ['finance'] } },
      schema: {
        tags,
        summary: 'Tell what came of a request to top up',
        params: closed({ id: Id, request: Id }),
        body: ResultBody,
        response: recorded(ResultAnswer),
      },
    },
    async (request, reply) => {
      const { id: account, request: id } = request.params;
      const { result, reference } = request.body;
      const faults: Faults = [];
      const paid = moneyOf(request.body.paid, 'paid', faults);
      if ((result === 'paid') !== (paid !== null))
        faults.push({ field: 'paid', rule: 'must be given where the result is paid, and only there' });
      settle(faults);
      const { packages } = await api.catalogue.fresh();
      const isSold = paid !== null && packages.freeAmount(paid.currency) !== undefined;
      const done = await orderWallet(api, request, account, {
        type: 'ResolveAutoTopUp',
        key: keys.purchasePayment(reference),
        fingerprint: fingerprint({ request: id, result, paid: paid ?? undefined }),
        id,
        reference,
        paid,
        offer: isSold ? freeAmount(packages, paid) : null,
      });
      if (done.status === 'unchanged') return { id, result, purchase: null };
      firstOrAgain(reply, done);
      const { event } = done;
      const position = formatPosition(api.epoch, done.position);
      if (event.type === 'PurchasePaymentUnapplied')
        return { id, result: 'unapplied' as const, purchase: null, position };
      if (event.type !== 'AutoTopUpResolved') throw new Error(`a result made a ${event.type}`);
      const { paid: bought } = event.data;
      const purchase =
        bought === undefined
          ? null
          : purchaseAnswer({ purchase: bought.purchase, status: 'paid', lot: bought.lot });
      return { id, result: event.data.result, purchase, position };
    },
  );
}

/** Ends the request where the amount is not sold, unless it is turned off: that must always be possible. */
export async function setAutoTopUp(
  api: Api,
  request: FastifyRequest,
  account: string,
  terms: AutoTopUpTerms,
): Promise<void> {
  if (terms.enabled) {
    // What nobody sells would be found out only when it has been paid.
    const { packages } = await api.catalogue.fresh();
    const { terms: offered } = freeAmount(packages, terms.amount);
    const worth = 'rate' in offered ? creditsForAmount(offered, terms.amount) : null;
    if (worth !== null && 'code' in worth) return refuse(worth.code);
  }
  await orderWallet(api, request, account, { type: 'SetAutoTopUp', key: null, fingerprint: null, terms });
}

async function settingsOf(api: Api, account: string) {
  const { autoTopUp } = await walletNow(api, account);
  if (autoTopUp === null) return refuse('not_found');
  const { terms, isOff, open } = autoTopUp;
  return {
    ...terms,
    amount: { ...terms.amount },
    off: isOff,
    open: open === null ? null : { id: open.id, amount: { ...open.amount }, requested_at: open.requested_at },
  };
}
