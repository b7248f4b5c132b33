/**
 * A span for every request to the ledger, below the caller's where it sends a `traceparent`. What the request records
 * carries its trace along (`causeOf`).
 */
import {
  type Attributes,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from '@opentelemetry/api';
import { type Cause, traceparentOf } from '@tallystick/event-store';
import type { FastifyRequest } from 'fastify';
import type { App } from './api.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where traces are off, and for what is no request to the ledger. */
    span: Span | null;
  }
}

/** Health checks and scrapes come all the time and tell nothing. */
const isTraced = (route: string | undefined): route is string => route?.startsWith('/v1/') ?? false;

export function traceRequests(app: App, tracer: Tracer): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { url: route } = request.routeOptions;
    if (!isTraced(route)) return done();
    const { method, headers, id } = request;
    const attributes: Attributes = {
      'http.request.method': method,
      'http.route': route,
      'tallystick.request_id': id,
    };
    const caller = propagation.extract(ROOT_CONTEXT, headers);
    request.span = tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, caller);
    request.log = request.log.child({ trace_id: request.span.spanContext().traceId });
    done();
  });
  app.addHook('onResponse', ({ span }, { statusCode, problemCode }, done) => {
    span?.setAttribute('http.response.status_code', statusCode);
    if (problemCode !== null) span?.setAttribute('error.type', problemCode);
    if (statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    done();
  });
}

/** Who and what asked for a command. */
export function causeOf({ principal, id, span }: FastifyRequest): Cause {
  const trace = span === null ? undefined : traceparentOf(span);
  return trace === undefined
    ? { actor: principal.id, request: id }
    : { actor: principal.id, request: id, trace };
}
