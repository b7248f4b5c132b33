/**
 * Endpoints for outgoing webhooks, and their secrets. A secret is shown once, when it is made. What an endpoint is is
 * decided on its stream; the rows that are shown here are written after it, and by the outbox of the worker where that
 * could not be done.
 */
import { randomBytes } from 'node:crypto';
import {
  type WebhookEndpointChange,
  type WebhookEndpointCommand,
  webhookEndpointDecider,
} from '@tallystick/domain';
import { inTransaction } from '@tallystick/projections';
import {
  type EndpointView,
  faultOfTypes,
  faultOfUrl,
  findEndpoint,
  getEndpoint,
  insertEndpoint,
  listEndpoints,
  makeSecret,
  ROTATION_MS,
  rotateSecret,
  testEndpoint,
  updateEndpoint,
} from '@tallystick/webhooks';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { order, orderWallet, recordedBy } from '../orders.ts';
import { checkText, type Faults, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import { closed, found, Id, PageQuery, pageOf, problems, shown } from '../schemas.ts';
import { CreatedEndpoint, Endpoint, Events, Rotated, Scope, Tried, Url } from '../webhook-schemas.ts';
import { webhookDeliveriesRoutes } from './webhook-deliveries.ts';

const NO_KEY = { key: null, fingerprint: null } as const;

const admin = { access: { scopes: ['admin'] } } as const;
const tags = ['webhooks'];
const params = closed({ id: Id });

export function webhooksRoutes(app: App, api: Api): void {
  endpointRoutes(app, api);
  secretRoutes(app, api);
  webhookDeliveriesRoutes(app, api);
}

function endpointRoutes(app: App, api: Api): void {
  app.post(
    '/v1/webhook-endpoints',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Make an endpoint for webhooks; its secret is shown this once',
        body: closed({ url: Url, events: Events, scope: Scope, account: Type.Optional(Id) }),
        response: { 201: CreatedEndpoint, ...problems },
      },
    },
    async (request, reply) => {
      const { url, events, scope, account = null } = request.body;
      check(api, { url, events });
      if (account !== null) await orderWallet(api, request, account, { type: 'CarryOutDues', ...NO_KEY });
      const id = `whe_${randomBytes(8).toString('hex')}`;
      const terms = { id, url, events, scope, account };
      // First: an endpoint without a secret could not be told of anything, but a secret without an endpoint harms nobody.
      const secret = await makeSecret(api.webhooks.pool, api.webhooks, id, api.realNow());
      const command = { type: 'CreateWebhookEndpoint', terms, ...NO_KEY } as const;
      const { event } = recordedBy(await orderEndpoint(api, request, id, command));
      const state = webhookEndpointDecider.initial(id);
      webhookEndpointDecider.evolve(state, event, event.revision);
      await insertEndpoint(api.webhooks.pool, api.webhooks, state, event);
      reply.code(201);
      const view = await viewOf(api, id);
      return { ...view, events: [...view.events], secret };
    },
  );

  app.get(
    '/v1/webhook-endpoints',
    {
      config: admin,
      schema: {
        tags,
        summary: 'List endpoints, the newest first',
        querystring: closed(PageQuery),
        response: shown(pageOf(Endpoint)),
      },
    },
    async ({ query: { cursor, page_size: pageSize } }) => listEndpoints(api.webhooks, { cursor, pageSize }),
  );

  app.get(
    '/v1/webhook-endpoints/:id',
    { config: admin, schema: { tags, summary: 'An endpoint', params, response: shown(Endpoint) } },
    async (request) => viewOf(api, request.params.id),
  );

  app.patch(
    '/v1/webhook-endpoints/:id',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Change an endpoint, pause it, or let it go on',
        params,
        body: closed({
          url: Type.Optional(Url),
          events: Type.Optional(Events),
          scope: Type.Optional(Scope),
          active: Type.Optional(Type.Boolean({ description: 'False pauses it; true goes on.' })),
        }),
        response: shown(Endpoint),
      },
    },
    async (request) => {
      const { active, ...change } = request.body;
      check(api, change);
      const paused = active === undefined ? {} : { paused: active ? null : ('by_hand' as const) };
      return changeEndpoint(api, request, request.params.id, { ...change, ...paused });
    },
  );

  app.delete(
    '/v1/webhook-endpoints/:id',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Delete an endpoint; what has not been sent is canceled',
        params,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await orderEndpoint(api, request, id, { type: 'DeleteWebhookEndpoint', ...NO_KEY });
      await writeRow(api, id);
      return reply.code(204).send(null);
    },
  );
}

function secretRoutes(app: App, api: Api): void {
  app.post(
    '/v1/webhook-endpoints/:id/rotate-secret',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Make the next secret; it is shown this once, and for a day both sign',
        params,
        response: found(Rotated),
      },
    },
    async (request) => {
      const { id } = request.params;
      const now = api.realNow();
      const previousExpiresAt = now + ROTATION_MS;
      await orderEndpoint(api, request, id, { type: 'RotateWebhookSecret', previousExpiresAt, ...NO_KEY });
      const secret = await inTransaction(api.webhooks.pool, 'begin', (client) =>
        rotateSecret(client, api.webhooks, id, now),
      );
      await writeRow(api, id);
      return { secret, previous_expires_at: new Date(previousExpiresAt).toISOString() };
    },
  );

  app.post(
    '/v1/webhook-endpoints/:id/test',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Send a test now, and tell what came back',
        params,
        response: found(Tried),
      },
    },
    async (request) => {
      const endpoint = await findEndpoint(api.webhooks.pool, api.webhooks, request.params.id);
      if (endpoint === null) return refuse('webhook_endpoint_not_found');
      return testEndpoint(api.webhooks, endpoint, api.realNow());
    },
  );
}

function check(
  api: Api,
  { url, events }: { readonly url?: string; readonly events?: readonly string[] },
): void {
  const faults: Faults = [];
  const urlFault = url === undefined ? null : faultOfUrl(url, api.webhooks.sending.allowPrivate);
  if (urlFault !== null) faults.push({ field: 'url', rule: urlFault });
  checkText(url, 'url', faults);
  const typesFault = events === undefined ? null : faultOfTypes(events);
  if (typesFault !== null) faults.push({ field: 'events', rule: typesFault });
  settle(faults);
}

const orderEndpoint = (api: Api, request: FastifyRequest, id: string, command: WebhookEndpointCommand) =>
  order(api, request, webhookEndpointDecider, id, command);

async function changeEndpoint(
  api: Api,
  request: FastifyRequest,
  id: string,
  change: WebhookEndpointChange,
): Promise<EndpointView> {
  await orderEndpoint(api, request, id, { type: 'ChangeWebhookEndpoint', change, ...NO_KEY });
  await writeRow(api, id);
  return viewOf(api, id);
}

/** Here at once. It is recorded, so where the database is away now the outbox brings it later. */
async function writeRow({ runner, webhooks }: Api, id: string): Promise<void> {
  const { state, revision } = await runner.peek(webhookEndpointDecider, id);
  await inTransaction(webhooks.pool, 'begin', (client) => updateEndpoint(client, webhooks, state, revision));
}

async function viewOf({ webhooks }: Api, id: string): Promise<EndpointView> {
  return (await getEndpoint(webhooks, id)) ?? refuse('webhook_endpoint_not_found');
}
