/** The OpenAPI document of this process, and a page over it. All assets come from this process. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { Scope } from '@tallystick/domain';
import type { App } from './api.ts';
import type { Access } from './auth.ts';
import { EXAMPLES } from './examples.ts';

const NAME = 'Tallystick';

/** Must be called before the routes are added. */
export async function describe(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: NAME,
        version: '0.1.0',
        description:
          'An event-sourced, double-entry credit ledger for platforms that sell AI and API usage. ' +
          'Amounts are decimal strings; problems are RFC 9457 with a stable `code`; refusals burn no id. ' +
          'Each route names the scopes that suffice; `manage` and `finance` include `read`, `admin` includes all.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: ({ schema, url, route }) => {
      const { access } = route.config ?? {};
      const body = withExample(schema.body, EXAMPLES.get(`${route.method} ${url}`));
      const description = [schema.description, access === undefined ? undefined : scopesOf(access)]
        .filter((text) => text !== undefined)
        .join('\n\n');
      return { schema: { ...schema, ...body, ...(description === '' ? {} : { description }) }, url };
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject;
      for (const operations of Object.values(document.openapiObject.paths ?? {})) {
        for (const [method, operation] of Object.entries(operations ?? {})) {
          const { responses } = operation as { readonly responses?: Responses };
          if (responses !== undefined) describeAnswers(method, responses);
        }
      }
      return document.openapiObject;
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', theme: { title: NAME } });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** Of a key that names an account. */
const OWNERS: ReadonlySet<Scope> = new Set<Scope>(['read', 'manage']);

/** Who may call a route, in words: from the very thing that the door asks. */
function scopesOf({ scopes, ownAccount }: Access): string {
  if (scopes.length === 0) return 'Needs no key.';
  const some = scopes.map((scope) => `\`${scope}\``);
  const last = some.pop();
  const which = some.length === 0 ? last : `${some.join(', ')} or ${last}`;
  const isForOwners = ownAccount !== undefined && scopes.some((scope) => OWNERS.has(scope));
  return `Scope: ${which}. ${isForOwners ? 'Also with a key of the account.' : 'Not with a key of one account.'}`;
}

/** A schema's own examples would be told to the validator as well; this is for readers only. */
function withExample(body: unknown, example: object | undefined): { readonly body?: object } {
  if (example === undefined || body === null || typeof body !== 'object') return {};
  return { body: { ...body, examples: [example] } };
}

type Responses = Record<string, { description: string }>;

/** What the generator says where a schema says nothing. */
const UNSAID = 'Default Response';

function describeAnswers(method: string, responses: Responses): void {
  for (const [status, response] of Object.entries(responses)) {
    if (response.description === UNSAID) response.description = meaningOf(method, status, '201' in responses);
  }
}

function meaningOf(method: string, status: string, makesNew: boolean): string {
  switch (status) {
    case '200':
      if (method === 'get') return 'What there is.';
      return makesNew ? 'It had been recorded before: the same answer again.' : 'Done.';
    case '201':
      return 'Recorded now.';
    case '202':
      return 'Recorded, but parked: it has no price yet. Sent again: the same.';
    case '204':
      return 'Done; there is nothing to say.';
    case '503':
      return 'Not now.';
    default:
      throw new Error(`an answer ${status} that nobody describes`);
  }
}
