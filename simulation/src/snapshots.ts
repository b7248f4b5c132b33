/**
 * Snapshots for cold loads: of some revision that the stream has passed, and now and then of another history, which the
 * runner has to notice (rule 10). The projector's own are of every thousandth event, later than any simulated stream.
 */
import { type EventStore, hashOf, type SnapshotReader, splitStream } from '@tallystick/event-store';
import type { StreamFolder } from '@tallystick/projections';
import type { LinkParts } from './store-link.ts';

const PAGE = 10_000;

export function readSnapshots(
  store: EventStore,
  folder: StreamFolder,
  { timeline, chance, life }: LinkParts,
  rate: number,
): SnapshotReader {
  return {
    read: (stream, foldVersion) =>
      timeline.call(life, 'read snapshot', async () => {
        const { category, id } = splitStream(stream);
        if (category !== folder.category || foldVersion !== folder.foldVersion) return null;
        if (!chance.happens(rate)) return null;
        const events = await store.readStream(stream, { from: 0, limit: PAGE });
        const upTo = chance.int(0, events.length);
        const last = events[upTo - 1];
        if (last === undefined) return null;
        const folding = folder.begin(id, null);
        const isForeign = chance.happens(0.1);
        // A foreign one is empty: whoever believed it would have lost everything.
        if (!isForeign) for (const event of events.slice(0, upTo)) folding.apply(event);
        const hash = isForeign ? 'of another history' : hashOf(last);
        return { revision: last.revision, hash, state: folding.freeze() };
      }),
  };
}
