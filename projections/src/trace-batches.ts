/**
 * Spans of the projector's batches. A batch holds events of many requests, and those have been answered long before: so
 * it is a trace of its own, linked with theirs. Of several partitions each is linked with all traces of the pages it read.
 */
import { ROOT_CONTEXT, SpanKind, type Tracer } from '@opentelemetry/api';
import { type EventStore, linkTo, observeStore, type Page, traceOf } from '@tallystick/event-store';
import type { BatchReport } from './progress.ts';

/** More links than this an SDK throws away. */
const LINKS_MAX = 128;
/** Pages that were read and not reported yet: a few, unless the database is away. */
const PAGES_MAX = 64;

export interface TracedBatches {
  /** To be read by the projector in place of the store itself. */
  readonly store: EventStore;
  readonly onBatch: (batch: BatchReport) => void;
}

export function traceBatches(store: EventStore, tracer: Tracer): TracedBatches {
  /** By the position that a page ends with, which is what a batch made of it reports. */
  const pages = new Map<bigint, readonly string[]>();

  function onPage({ events, position }: Page): void {
    const traces = new Set(events.flatMap((event) => traceOf(event) ?? []));
    if (traces.size === 0) return;
    pages.delete(position);
    pages.set(position, [...traces].slice(0, LINKS_MAX));
    const [oldest] = pages.keys();
    if (pages.size > PAGES_MAX && oldest !== undefined) pages.delete(oldest);
  }

  function onBatch({ position, events, writeMs }: BatchReport): void {
    const traces = pages.get(position);
    if (traces === undefined) return;
    const endTime = Date.now();
    const options = {
      kind: SpanKind.CONSUMER,
      startTime: endTime - writeMs,
      links: traces.map(linkTo),
      attributes: { 'tallystick.events': events, 'tallystick.position': position.toString() },
    };
    tracer.startSpan('project a batch', options, ROOT_CONTEXT).end(endTime);
  }

  return { store: observeStore(store, { onPage }), onBatch };
}
