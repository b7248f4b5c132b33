/** Reads what has come since the last seal, as far as it fits into one. */
import type { SealContent } from '@tallystick/domain';
import type { Cursor, EventStore, Page } from '@tallystick/event-store';
import { SealDraft } from './seal.ts';

/** Not large: it is read beside charges, and what does not fit any more is read once more. */
const PAGE = 1_000;

/** `more`: the seal is full, and further events wait. Null where nothing new has come. */
export async function gatherSeal(
  store: Pick<EventStore, 'readAll'>,
  after: Cursor | null,
): Promise<{ readonly content: SealContent; readonly more: boolean } | null> {
  const draft = new SealDraft();
  let cursor = after;
  for (;;) {
    const page = await store.readAll({ after: cursor, limit: PAGE, hashesOnly: true });
    const fits = countFitting(draft, page);
    const full = fits < page.events.length;
    cursor = full ? await cursorBehind(store, cursor, fits) : page.cursor;
    if (!full && !page.atEnd) continue;
    if (draft.isEmpty || cursor === null) return null;
    return { content: draft.finish(cursor), more: full };
  }
}

function countFitting(draft: SealDraft, { events }: Page): number {
  let count = 0;
  for (const event of events) {
    if (!draft.add(event)) return count;
    count += 1;
  }
  return count;
}

/** A cursor is the store's own word for a place: the one in the middle of a page is had by reading up to there. */
async function cursorBehind(
  store: Pick<EventStore, 'readAll'>,
  from: Cursor | null,
  count: number,
): Promise<Cursor | null> {
  let cursor = from;
  for (let left = count; left > 0; ) {
    const page = await store.readAll({ after: cursor, limit: left, hashesOnly: true });
    if (page.atEnd && page.events.length < left)
      throw new Error('the store has fewer events than a moment ago');
    left -= page.events.length;
    cursor = page.cursor;
  }
  return cursor;
}
