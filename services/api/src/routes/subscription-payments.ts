/** What the outside world says of a period that is paid there: paid, or not. For finance (billing rule 2). */
import { formatPosition } from '@tallystick/connect';
import { entryId, keys } from '@tallystick/domain';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { fingerprint } from '../fingerprint.ts';
import { firstOrAgain, orderWallet, recordedBy } from '../orders.ts';
import { type Faults, instantOf, moneyOf, settle } from '../parse.ts';
import { AccountPath, closed, Id, Instant, MoneyBody, orNull, Position, recorded } from '../schemas.ts';
import { SubscriptionAnswer, subscriptionAnswer } from '../subscription-answers.ts';

const Result = Type.Union([Type.Literal('paid'), Type.Literal('failed')], {
  description: '`failed`: it was tried; what there is of grace goes on.',
});
const PaymentBody = closed({
  period_start: Type.String({
    ...Instant,
    description: "Which period, by its beginning: the subscription's `current_period_start`.",
  }),
  result: Result,
  paid: Type.Optional({
    ...MoneyBody,
    description: 'What has come: the price, in full. Left out: it counts as that, and no money is booked.',
  }),
  reference: { ...Id, description: 'Of the payment: one payment pays one thing.' },
});
const PaymentAnswer = Type.Object({
  entry_id: Type.String(),
  period_start: Type.String(),
  result: Result,
  applied: Type.Boolean({ description: 'False: it is booked, and waits for finance to say what it is for.' }),
  reason: Type.Optional(
    Type.String({
      description: 'Why it was not: not_the_period, paid_already, amount_differs, canceled, too_late.',
    }),
  ),
  subscription: orNull(SubscriptionAnswer),
  position: Position,
});

export function subscriptionPaymentsRoutes(app: App, api: Api): void {
  app.post(
    '/v1/accounts/:id/subscription/payments',
    {
      config: { access: { scopes: ['finance'] } },
      schema: {
        tags: ['subscriptions'],
        summary: 'Say that a period has been paid outside, or that it was not',
        params: AccountPath,
        body: PaymentBody,
        response: recorded(PaymentAnswer),
      },
    },
    async (request, reply) => {
      const { result, reference } = request.body;
      const faults: Faults = [];
      const periodStart = instantOf(request.body.period_start, 'period_start', faults) ?? 0;
      const paid = moneyOf(request.body.paid, 'paid', faults);
      if (result === 'failed' && paid !== null)
        faults.push({ field: 'paid', rule: 'must be left out where the payment has failed' });
      settle(faults);
      const done = await orderWallet(api, request, request.params.id, {
        type: 'RecordSubscriptionPayment',
        key: keys.subscriptionPayment(reference),
        fingerprint: fingerprint({ period_start: periodStart, result, paid: paid ?? undefined }),
        periodStart,
        result,
        paid,
        reference,
      });
      const { event, position, replayed } = recordedBy(done);
      if (event.type !== 'SubscriptionPaymentRecorded') throw new Error(`a payment made a ${event.type}`);
      firstOrAgain(reply, { replayed });
      const { period_start, applied, reason, subscription } = event.data;
      return {
        entry_id: entryId(event.stream, event.revision),
        period_start,
        result: event.data.result,
        applied,
        ...(reason === undefined ? {} : { reason }),
        subscription:
          subscription === undefined ? null : subscriptionAnswer(subscription, api.catalogue.current().plans),
        position: formatPosition(api.epoch, position),
      };
    },
  );
}
