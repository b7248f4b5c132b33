/** The log of what was sent to endpoints, and sending again: one delivery, or all that an endpoint is for since a position. */
import { formatPosition, POSITION_PATTERN, parsePosition } from '@tallystick/connect';
import {
  askForReplay,
  DELIVERY_STATUSES,
  type DeliveryView,
  findEndpoint,
  getDelivery,
  listDeliveries,
  replayDelivery,
} from '@tallystick/webhooks';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { checkText, type Faults, settle } from '../parse.ts';
import { invalid, Refused, refuse } from '../problems.ts';
import { closed, Id, PageQuery, pageOf, problems, shown } from '../schemas.ts';
import { Delivery, QueuedDelivery, Replay } from '../webhook-schemas.ts';

const admin = { access: { scopes: ['admin'] } } as const;
const tags = ['webhooks'];
const params = closed({ id: Id });

export function webhookDeliveriesRoutes(app: App, api: Api): void {
  app.post(
    '/v1/webhook-endpoints/:id/replay',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Send everything again that has happened since a position',
        params,
        body: closed({
          from: Type.String({ pattern: POSITION_PATTERN, description: 'A position; 0: from the beginning.' }),
        }),
        response: { 202: Replay, ...problems },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const from = parsePosition(api.epoch, request.body.from);
      if (from === null)
        throw new Refused(invalid([{ field: 'from', rule: 'must be a position of this ledger' }]));
      if ((await findEndpoint(api.webhooks.pool, api.webhooks, id)) === null)
        return refuse('webhook_endpoint_not_found');
      const replay = await askForReplay(api.webhooks, id, from, api.realNow());
      reply.code(202);
      const positions = {
        from: formatPosition(api.epoch, replay.from),
        until: formatPosition(api.epoch, replay.until),
      };
      return { ...replay, ...positions };
    },
  );

  app.get(
    '/v1/webhook-deliveries',
    {
      config: admin,
      schema: {
        tags,
        summary: 'The log of deliveries, the newest first',
        querystring: closed({
          endpoint: Type.Optional(Id),
          status: Type.Optional(Type.Enum([...DELIVERY_STATUSES])),
          type: Type.Optional(Type.String({ maxLength: 64 })),
          account: Type.Optional(Id),
          ...PageQuery,
        }),
        response: shown(pageOf(Delivery)),
      },
    },
    async ({ query: { page_size: pageSize, ...query } }) => {
      const faults: Faults = [];
      checkText(query.type, 'type', faults);
      settle(faults);
      const { data, next_cursor } = await listDeliveries(api.webhooks, { ...query, pageSize });
      return { data: data.map((view) => outside(api, view)), next_cursor };
    },
  );

  app.get(
    '/v1/webhook-deliveries/:id',
    { config: admin, schema: { tags, summary: 'A delivery', params, response: shown(Delivery) } },
    async (request) => {
      const view = await getDelivery(api.webhooks, request.params.id);
      return view === null ? refuse('webhook_delivery_not_found') : outside(api, view);
    },
  );

  app.post(
    '/v1/webhook-deliveries/:id/replay',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Send a delivery again, whatever became of it',
        params,
        response: { 202: QueuedDelivery, ...problems },
      },
    },
    async (request, reply) => {
      const view = await replayDelivery(api.webhooks, request.params.id, api.realNow());
      if (view === null) return refuse('webhook_delivery_not_found');
      reply.code(202);
      return { ...outside(api, view), log: [...view.log] };
    },
  );
}

function outside({ epoch }: Api, view: DeliveryView): DeliveryView {
  const { position } = view;
  return position === null ? view : { ...view, position: formatPosition(epoch, BigInt(position)) };
}
