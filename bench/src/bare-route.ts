/** The yardstick of single calls: a Fastify route that checks the same body against the same schema, and answers. */
import Fastify from 'fastify';
import { serveJobs } from './children.ts';

export interface BareRouteJob {
  /** The JSON schema of one usage, as the ledger's own OpenAPI document has it. */
  readonly schema: object;
}

serveJobs(async ({ schema }: BareRouteJob): Promise<string> => {
  // Refusing what the schema does not name, as the ledger does; by default it would be dropped, and `"5"` taken for 5.
  const customOptions = { removeAdditional: false, coerceTypes: false, strict: false } as const;
  const app = Fastify({ logger: false, ajv: { customOptions } });
  const answer = { type: 'object', properties: { id: { type: 'string' }, status: { type: 'string' } } };
  app.post('/v1/usage', { schema: { body: schema, response: { 201: answer } } }, (request, reply) => {
    reply.code(201).send({ id: (request.body as { id: string }).id, status: 'charged' });
  });
  return app.listen({ host: '127.0.0.1', port: 0 });
});
