/** Reads the whole store in the order of positions; the next page is on its way while one is worked on. */
import type { Cursor, EventStore, Page, RecordedEvent } from '@tallystick/event-store';

export interface ScanOptions {
  /** Nothing after this position; the whole store as it was when the scan came to its end, where left out. */
  readonly until?: bigint;
  readonly categories?: readonly string[];
  readonly pageSize?: number;
}

/** Of one page, where nothing else is asked for. */
export const PAGE_EVENTS = 4_000;

export async function* scan(
  store: EventStore,
  { until, categories, pageSize = PAGE_EVENTS }: ScanOptions = {},
): AsyncGenerator<readonly RecordedEvent[], void> {
  const read = (after: Cursor | null): Promise<Page> =>
    store.readAll({ after, limit: pageSize, ...(categories === undefined ? {} : { categories }) });
  let next = read(null);
  for (;;) {
    const page = await next;
    const isLast = page.atEnd || (until !== undefined && page.position >= until);
    if (!isLast) {
      next = read(page.cursor);
      // Whoever stops listening half-way leaves it unread: its failure is nobody's.
      next.catch(() => undefined);
    }
    const events =
      until === undefined ? page.events : page.events.filter(({ position }) => position <= until);
    if (events.length > 0) yield events;
    if (isLast) return;
  }
}
