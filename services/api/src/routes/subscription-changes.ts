/**
 * What becomes of a subscription by its subscriber's word: changed, with a preview of what that comes to, cancelled, and
 * taken back. Each answers with a bill in credits.
 */
import { keys, type Wallet, type WalletCommand, type WalletEvent } from '@tallystick/domain';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { fingerprint } from '../fingerprint.ts';
import { again, type Done, firstOrAgain, orderWallet } from '../orders.ts';
import { AccountPath, closed, found, Id, recorded } from '../schemas.ts';
import { BillAnswer, billAnswer } from '../subscription-answers.ts';
import { walletNow, wouldRecord } from '../wallet-now.ts';

const When = Type.Union([Type.Literal('now'), Type.Literal('period_end')], {
  description: 'At once, or when the period is over.',
});
const Reference = { ...Id, description: 'Names this order: the same again is answered as at first.' };
const ChangeBody = closed({ plan: Id, when: When, reference: Reference });
const PreviewBody = closed({ plan: Id, when: When });
const CancelBody = closed({ when: When, reference: Reference });

export function subscriptionChangesRoutes(app: App, api: Api): void {
  const manage = { access: { scopes: ['usage', 'manage'], ownAccount: 'path' } } as const;
  const tags = ['subscriptions'];

  app.post(
    '/v1/accounts/:id/subscription/preview',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Say what a change of plan would come to, and change nothing',
        params: AccountPath,
        body: PreviewBody,
        response: found(BillAnswer),
      },
    },
    async ({ params: { id }, body: { plan, when } }) => {
      const command: WalletCommand = {
        type: 'ChangePlan',
        key: null,
        fingerprint: null,
        plan,
        when,
        reference: 'preview',
      };
      const [event] = await wouldRecord(api, id, command);
      if (event !== undefined) return billOf(api, event);
      return billNow(api, await walletNow(api, id));
    },
  );

  app.post(
    '/v1/accounts/:id/subscription/change',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Change to another plan, now or with the next period',
        params: AccountPath,
        body: ChangeBody,
        response: recorded(BillAnswer),
      },
    },
    async (request, reply) => {
      const { plan, when, reference } = request.body;
      const done = await orderWallet(api, request, request.params.id, {
        type: 'ChangePlan',
        key: keys.changePlan(reference),
        fingerprint: fingerprint({ plan, when }),
        plan,
        when,
        reference,
      });
      if (done.status === 'recorded') firstOrAgain(reply, done);
      return changed(api, done);
    },
  );

  app.post(
    '/v1/accounts/:id/subscription/cancel',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Cancel the subscription, now or at the end of its period',
        params: AccountPath,
        body: CancelBody,
        response: recorded(BillAnswer),
      },
    },
    async (request, reply) => {
      const { when, reference } = request.body;
      const done = await orderWallet(api, request, request.params.id, {
        type: 'CancelSubscription',
        key: keys.cancelSubscription(reference),
        fingerprint: fingerprint({ when }),
        when,
        reference,
      });
      if (done.status === 'recorded') firstOrAgain(reply, done);
      return changed(api, done);
    },
  );

  app.post(
    '/v1/accounts/:id/subscription/resume',
    {
      config: manage,
      schema: {
        tags,
        summary: 'Take back a cancellation or a change that waits for the end of the period',
        params: AccountPath,
        response: found(BillAnswer),
      },
    },
    async (request, reply) => {
      const command: WalletCommand = { type: 'ResumeSubscription', key: null, fingerprint: null };
      const done = await orderWallet(api, request, request.params.id, command);
      again(reply, done);
      return changed(api, done);
    },
  );
}

/** What was done; where there was nothing to do, how things stand. */
function changed(api: Api, done: Done<Wallet, WalletEvent>): BillAnswer {
  return done.status === 'recorded' ? billOf(api, done.event) : billNow(api, done.state);
}

function billOf(api: Api, event: WalletEvent): BillAnswer {
  if (event.type !== 'SubscriptionChanged' && event.type !== 'SubscriptionEnded')
    throw new Error(`a change of a subscription made a ${event.type}`);
  const { lines, subscription, quotas } = event.data;
  return billAnswer(lines, quotas?.granted ?? [], subscription, api.catalogue.current().plans);
}

function billNow(api: Api, { subscription }: Readonly<Wallet>): BillAnswer {
  if (subscription === null) throw new Error('a subscription that is not there was left unchanged');
  return billAnswer([], [], subscription.now, api.catalogue.current().plans);
}
