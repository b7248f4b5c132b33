/**
 * Spans of deciding and recording: one for each round of a stream, and in it one for each append that is sent. A round
 * serves many requests: it stands below the first of them and is linked with the others.
 */
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { AppendObserver } from './observe-store.ts';
import type { AroundRound } from './runner-ports.ts';
import { contextOf, linkTo } from './trace-context.ts';

/** More links than this an SDK throws away. */
const LINKS_MAX = 128;

export function traceRounds(tracer: Tracer): AroundRound {
  return async (stream, causes, work) => {
    const [first, ...others] = new Set(causes.flatMap((cause) => cause.trace ?? []));
    // Not asked for by a request (a sweep, a first start), or by none whose trace is kept.
    if (first === undefined) return work();
    const span = tracer.startSpan(
      'decide and record',
      {
        links: others.slice(0, LINKS_MAX).map(linkTo),
        attributes: { 'tallystick.stream': stream, 'tallystick.orders': causes.length },
      },
      contextOf(first),
    );
    try {
      await context.with(trace.setSpan(ROOT_CONTEXT, span), work);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  };
}

const NOT_TRACED = (): void => undefined;

/** For the store of a runner whose rounds are traced: an append stands below its round. */
export function traceAppends(tracer: Tracer): AppendObserver {
  return ({ stream, events, expected }) => {
    if (trace.getActiveSpan() === undefined) return NOT_TRACED;
    const attributes = {
      'tallystick.stream': stream,
      'tallystick.events': events.length,
      'tallystick.expected_revision': expected,
    };
    const span = tracer.startSpan('append', { kind: SpanKind.CLIENT, attributes });
    return (outcome) => {
      span.setAttribute('tallystick.outcome', outcome);
      if (outcome === 'unwritten' || outcome === 'unknown' || outcome === 'failed')
        span.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
      span.end();
    };
  };
}
