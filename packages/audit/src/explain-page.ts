/**
 * One page of a wallet's events, straight from the event store. Where it begins is found by halving, because times in a
 * stream grow (but for clocks that differ by seconds): as quick with a million events as with ten.
 */
import type { EventStore } from '@tallystick/event-store';
import { type AuditedEvent, readEvent } from './event.ts';
import { CLOCKS_MS } from './examine/examiner.ts';

type Streams = Pick<EventStore, 'readStream' | 'head'>;

export interface EventsQuery {
  readonly stream: string;
  /** By the time of recording, milliseconds since 1970; `from` inclusive, `to` exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly order: 'newest' | 'oldest';
  readonly size: number;
  /** Revision of the last event of the page before. */
  readonly after: number | null;
}

export interface EventsPage {
  readonly events: readonly AuditedEvent[];
  /** Null where this was the last page. */
  readonly next: number | null;
}

/** Null where there is no such stream. */
export async function readEventsPage(store: Streams, query: EventsQuery): Promise<EventsPage | null> {
  const { stream, from, to, order, size, after } = query;
  const head = await store.head(stream);
  if (head < 0) return null;
  const earliest = from === undefined ? 0 : await revisionAt(store, stream, head, from - CLOCKS_MS);
  const end = to === undefined ? head + 1 : await revisionAt(store, stream, head, to + CLOCKS_MS);
  const low = order === 'oldest' && after !== null ? Math.max(earliest, after + 1) : earliest;
  const high = order === 'newest' && after !== null ? Math.min(end, after) : end;
  const fits = ({ recordedAt }: AuditedEvent): boolean => {
    const at = Date.parse(recordedAt);
    return (from === undefined || at >= from) && (to === undefined || at < to);
  };
  // One more than asked for: whether there is a next page.
  const events = await gather(store, stream, { low, high, order, size: size + 1 }, fits);
  const shown = events.slice(0, size);
  return { events: shown, next: events.length > size ? (shown.at(-1)?.revision ?? null) : null };
}

interface Range {
  readonly low: number;
  /** Exclusive. */
  readonly high: number;
  readonly order: 'newest' | 'oldest';
  readonly size: number;
}

async function gather(
  store: Streams,
  stream: string,
  { low, high, order, size }: Range,
  fits: (event: AuditedEvent) => boolean,
): Promise<AuditedEvent[]> {
  const events: AuditedEvent[] = [];
  for (let [from, to] = [low, high]; from < to && events.length < size; ) {
    const limit = Math.min(size, to - from);
    const start = order === 'oldest' ? from : to - limit;
    const read = (await store.readStream(stream, { from: start, limit })).map(readEvent);
    events.push(...(order === 'oldest' ? read : read.reverse()).filter(fits));
    if (order === 'oldest') from += limit;
    else to -= limit;
  }
  return events.slice(0, size);
}

/** The first revision that was recorded at or after an instant; one past the head where none was. */
async function revisionAt(store: Streams, stream: string, head: number, at: number): Promise<number> {
  let [low, high] = [0, head + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [event] = await store.readStream(stream, { from: middle, limit: 1 });
    if (event !== undefined && Date.parse(readEvent(event).recordedAt) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
