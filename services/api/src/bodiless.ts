/**
 * Routes that take no body: none, an empty one and `{}` say the same. Whatever else comes is refused as a member that a
 * schema does not know is: somebody means something by it, and it would not happen.
 */
import type { RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { App } from './api.ts';
import { Refused } from './problems.ts';
import { problemWith } from './validation.ts';

const NOTHING = Compile(Type.Object({}, { additionalProperties: false }));

/** Bodies of these are never read. */
const UNREAD: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Must be called before the routes are added. */
export function refuseStrayBodies(app: App): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    const isRead = [route.method].flat().some((method) => !UNREAD.has(method));
    if (!isRead || route.schema?.body !== undefined) return;
    route.preValidation = [...[route.preValidation ?? []].flat(), refuseStray];
  });
}

function refuseStray({ body }: { readonly body: unknown }, _reply: unknown, done: (error?: Error) => void) {
  if (body === undefined || NOTHING.Check(body)) done();
  else done(new Refused(problemWith(NOTHING, body)));
}
