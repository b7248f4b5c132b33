/** Reads one stream from its beginning, up to a moment; the next page is on its way while one is worked on. */
import type { EventStore } from '@tallystick/event-store';
import { type AsOf, includes } from './as-of.ts';
import { type AuditedEvent, readEvent } from './event.ts';

/** Writers' clocks differ by seconds (rule 9): within one stream, and from stream to stream, times may step back by as much. */
export const CLOCKS_MS = 10_000;

const PAGE_SIZE = 1_000;

export async function* eventsOf(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  asOf: AsOf | null,
): AsyncGenerator<AuditedEvent, void> {
  const read = (from: number) => store.readStream(stream, { from, limit: PAGE_SIZE });
  let next = read(0);
  for (;;) {
    const page = await next;
    const last = page.at(-1);
    if (last === undefined) return;
    if (page.length === PAGE_SIZE) {
      next = read(last.revision + 1);
      // Whoever stops listening half-way leaves it unread: its failure is nobody's.
      next.catch(() => undefined);
    }
    for (const recorded of page) {
      const event = readEvent(recorded);
      if (isPast(asOf, event)) return;
      if (includes(asOf, event)) yield event;
    }
    if (page.length < PAGE_SIZE) return;
  }
}

/** Nothing that follows it in its stream can be of the moment. */
function isPast(asOf: AsOf | null, event: AuditedEvent): boolean {
  if (asOf === null) return false;
  if ('position' in asOf) return event.position > asOf.position;
  return Date.parse(event.recordedAt) > asOf.at + CLOCKS_MS;
}
