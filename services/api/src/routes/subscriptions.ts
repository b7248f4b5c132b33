/**
 * The subscription of an account: started, and looked at. For its owner (scope `manage`) and for the service
 * that sells the plans (`usage`). What it is charged comes from its credits, or is confirmed from outside.
 */
import { keys } from '@tallystick/domain';
import { listSubscriptions } from '@tallystick/projections';
import { Type } from 'typebox';
import { pageOfAccount } from '../account-page.ts';
import type { Api, App } from '../api.ts';
import { fingerprint } from '../fingerprint.ts';
import { firstOrAgain, orderWallet, recordedBy } from '../orders.ts';
import { type Faults, instantOf, settle } from '../parse.ts';
import {
  AccountPath,
  closed,
  found,
  Id,
  Instant,
  MinPosition,
  orNull,
  PageQuery,
  pageOf,
  recorded,
  shown,
} from '../schemas.ts';
import { SubscriptionAnswer, subscriptionAnswer } from '../subscription-answers.ts';
import { walletNow } from '../wallet-now.ts';
import { isTimeZone } from './accounts.ts';

const SubscribeBody = closed({
  plan: Id,
  pay: Type.Union([Type.Literal('credits'), Type.Literal('external')], {
    description:
      '`credits`: out of the account, at once. `external`: each period waits until finance says that it is paid.',
  }),
  reference: { ...Id, description: 'Names this order: the same again is answered as at first.' },
  auto_renew: Type.Optional(
    Type.Boolean({ description: 'False: it lapses with the period. Left out: true.' }),
  ),
  trial: Type.Optional(
    Type.Boolean({
      description: 'Begins with the `trial_days` of the plan, once per account. Left out: false.',
    }),
  ),
  time_zone: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: "Left out: the account's." }),
  ),
  start_at: Type.Optional(
    Type.String({
      ...Instant,
      description: 'RFC 3339 with its zone: of a period that has begun already. Left out: now.',
    }),
  ),
});
const OneAnswer = Type.Object({ subscription: SubscriptionAnswer });
const PerhapsAnswer = Type.Object({ subscription: orNull(SubscriptionAnswer) });
const PastAnswer = Type.Object({ ...SubscriptionAnswer.properties, started_at: Type.String() });

export function subscriptionsRoutes(app: App, api: Api): void {
  const manage = { access: { scopes: ['usage', 'manage'], ownAccount: 'path' } } as const;
  const read = { access: { scopes: ['read'], ownAccount: 'path' } } as const;
  const tags = ['subscriptions'];

  app.post(
    '/v1/accounts/:id/subscription',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Subscribe to a plan',
        params: AccountPath,
        body: SubscribeBody,
        response: recorded(OneAnswer),
      },
    },
    async (request, reply) => {
      const { plan, pay, reference, auto_renew, trial, time_zone } = request.body;
      const faults: Faults = [];
      const startAt = instantOf(request.body.start_at, 'start_at', faults);
      if (time_zone !== undefined && !isTimeZone(time_zone))
        faults.push({ field: 'time_zone', rule: 'must be a time zone of the IANA' });
      settle(faults);
      const done = await orderWallet(api, request, request.params.id, {
        type: 'Subscribe',
        key: keys.subscribe(reference),
        // A default that is spelled out is the same as one that is left out.
        fingerprint: fingerprint({
          plan,
          pay,
          auto_renew: auto_renew === false ? false : undefined,
          trial: trial === true ? true : undefined,
          time_zone,
          start_at: startAt ?? undefined,
        }),
        plan,
        pay,
        reference,
        autoRenew: auto_renew ?? true,
        trial: trial ?? false,
        timeZone: time_zone ?? null,
        startAt,
      });
      const { event, replayed } = recordedBy(done);
      if (event.type !== 'SubscriptionStarted') throw new Error(`a subscription made a ${event.type}`);
      firstOrAgain(reply, { replayed });
      return { subscription: subscriptionAnswer(event.data.subscription, plansOf(api)) };
    },
  );

  app.get(
    '/v1/accounts/:id/subscription',
    {
      config: read,
      schema: {
        tags,
        summary: 'Read the subscription of an account, as it is now',
        params: AccountPath,
        response: found(PerhapsAnswer),
      },
    },
    async ({ params: { id } }) => {
      const { subscription } = await walletNow(api, id);
      return {
        subscription: subscription === null ? null : subscriptionAnswer(subscription.now, plansOf(api)),
      };
    },
  );

  app.get(
    '/v1/accounts/:id/subscriptions',
    {
      config: read,
      schema: {
        tags,
        summary: 'List the subscriptions that an account has had',
        params: AccountPath,
        querystring: closed({ ...PageQuery, ...MinPosition }),
        response: shown(pageOf(PastAnswer)),
      },
    },
    async ({ params: { id: account }, query: { cursor, page_size: pageSize, min_position } }) => {
      const of = { account, cursor, minPosition: min_position };
      const page = await pageOfAccount(api, of, () =>
        listSubscriptions(api.reads.queries, { account, cursor, pageSize }),
      );
      const data = page.data.map(({ subscription, started_at }) => ({
        ...subscriptionAnswer(subscription, plansOf(api)),
        started_at,
      }));
      return { ...page, data };
    },
  );
}

const plansOf = (api: Api) => api.catalogue.current().plans;
