/** The OpenAPI document of this process, and a page over it. All assets come from this process. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { App } from './api.ts';

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
          'Amounts are decimal strings; problems are RFC 9457 with a stable `code`; refusals burn no id.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
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
