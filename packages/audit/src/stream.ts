/** Reads one stream from its beginning, up to a moment; the next page is on its way while one is worked on. */
import type { EventStore } from '@tallystick/event-store';
import type { Examiner } from './examine/examiner.ts';
import type { AccountedEvent } from './verify/accounted.ts';

const PAGE_SIZE = 1_000;

/** Those of the examiner's moment that it lets pass. */
export async function* eventsOf(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  examiner: Examiner,
): AsyncGenerator<AccountedEvent, void> {
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
      const event = examiner.examine(recorded);
      if (event !== null) yield event;
      else if (examiner.isPast(stream)) return;
    }
    if (page.length < PAGE_SIZE) return;
  }
}
