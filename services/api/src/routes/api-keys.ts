/** API keys: made, listed, revoked (rule 19). The key itself is shown once, when it is made. */
import { randomBytes } from 'node:crypto';
import { type ApiKeyCommand, apiKeyDecider, SCOPES } from '@tallystick/domain';
import { listApiKeys } from '@tallystick/projections';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { newApiKey } from '../auth.ts';
import { order, orderWallet, recordedBy } from '../orders.ts';
import { checkText, type Faults, settle } from '../parse.ts';
import { reading } from '../reads.ts';
import { closed, Id, MinPosition, orNull, PageQuery, pageOf, problems, shown, Text } from '../schemas.ts';

const Scopes = Type.Array(Type.Enum([...SCOPES]), { minItems: 1, maxItems: SCOPES.length });
const KeyTerms = {
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  account: orNull(Type.String()),
  created_at: Type.String(),
};
const CreatedKey = Type.Object({ ...KeyTerms, key: Type.String({ description: 'Shown this once.' }) });
const ListedKey = Type.Object({ ...KeyTerms, revoked_at: orNull(Type.String()) });

export function apiKeysRoutes(app: App, api: Api): void {
  const admin = { access: { scopes: ['admin'] } } as const;
  const tags = ['api keys'];

  app.post(
    '/v1/api-keys',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Make an API key; it is shown this once',
        body: closed({ name: Text, scopes: Scopes, account: Type.Optional(Id) }),
        response: { 201: CreatedKey, ...problems },
      },
    },
    async (request, reply) => {
      const { name, account = null } = request.body;
      const scopes = SCOPES.filter((scope) => request.body.scopes.includes(scope));
      const faults: Faults = [];
      checkText(name, 'name', faults);
      // The other scopes are for every account: a key that is bound to one reads it and manages it, no more.
      if (account !== null && scopes.some((scope) => scope !== 'read' && scope !== 'manage')) {
        faults.push({ field: 'scopes', rule: 'must be `read` or `manage` where an account is given' });
      }
      settle(faults);
      if (account !== null) {
        await orderWallet(api, request, account, { type: 'CarryOutDues', key: null, fingerprint: null });
      }
      const id = randomBytes(8).toString('hex');
      const { key, sha256 } = newApiKey(id);
      const terms = { id, name, scopes, account };
      const command: ApiKeyCommand = { type: 'CreateApiKey', key: null, fingerprint: null, terms, sha256 };
      const { event } = recordedBy(await order(api, request, apiKeyDecider, id, command));
      await takeEffect(api);
      reply.code(201);
      return { ...terms, created_at: new Date(event.recordedAt).toISOString(), key };
    },
  );

  app.get(
    '/v1/api-keys',
    {
      config: admin,
      schema: {
        tags,
        summary: 'List API keys',
        querystring: closed({ ...PageQuery, ...MinPosition }),
        response: shown(pageOf(ListedKey)),
      },
    },
    async ({ query: { cursor, page_size: pageSize, min_position: minPosition } }) => {
      return await reading(api, { minPosition }, () => listApiKeys(api.reads.queries, { cursor, pageSize }));
    },
  );

  app.delete(
    '/v1/api-keys/:id',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Revoke an API key',
        params: closed({ id: Id }),
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const command: ApiKeyCommand = { type: 'RevokeApiKey', key: null, fingerprint: null };
      await order(api, request, apiKeyDecider, request.params.id, command);
      await takeEffect(api);
      return reply.code(204).send(null);
    },
  );
}

/** Here at once; in other processes within the second. It is recorded in any case, so an outage now is no failure. */
async function takeEffect({ catalogue }: Api): Promise<void> {
  await catalogue.fresh().catch(() => undefined);
}
