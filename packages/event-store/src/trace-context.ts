/**
 * How a trace goes from a request to its events, and from there to whoever reads them: as a `traceparent` of the W3C
 * (version, trace, span, flags) in the cause of a command and in the metadata of an event.
 */
import { type Context, type Link, ROOT_CONTEXT, type Span, TraceFlags, trace } from '@opentelemetry/api';

/** Undefined where the span is not recorded: then nobody has a use for it. */
export function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return (traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : `00-${traceId}-${spanId}-01`;
}

export function linkTo(traceparent: string): Link {
  const [, traceId = '', spanId = ''] = traceparent.split('-');
  return { context: { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true } };
}

export function contextOf(traceparent: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, linkTo(traceparent).context);
}
