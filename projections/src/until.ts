/** A store as it was at a moment of the past, for whoever reads it from its beginning to its end. */
import type { EventStore, Page, ReadAll, RecordedEvent } from '@tallystick/event-store';

/** The last position, or milliseconds since 1970; both inclusive. By time it is no prefix of the store: clocks differ. */
export type Until = { readonly position: bigint } | { readonly at: number };

export function upTo(store: EventStore, until: Until): EventStore {
  return {
    ...store,
    readAll: (options) =>
      'position' in until ? readPrefix(store, until.position, options) : readBefore(store, until.at, options),
  };
}

/** The cursor has to stand at the moment itself: so what lies beyond is not cut off a page but never read into one. */
async function readPrefix(store: EventStore, position: bigint, options: ReadAll): Promise<Page> {
  const page = await store.readAll(options);
  const fitting = page.events.filter((event) => event.position <= position).length;
  if (fitting === page.events.length) return page;
  if (fitting > 0) return { ...(await store.readAll({ ...options, limit: fitting })), atEnd: true };
  return { events: [], cursor: options.after, position, atEnd: true };
}

/** Times in a stream grow, so each stream is cut off at one place. */
async function readBefore(store: EventStore, at: number, options: ReadAll): Promise<Page> {
  const page = await store.readAll(options);
  return { ...page, events: page.events.filter((event) => recordedAt(event) <= at) };
}

const recordedAt = ({ data }: RecordedEvent): number =>
  Date.parse((JSON.parse(data) as { recorded_at: string }).recorded_at);
