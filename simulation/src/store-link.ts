/**
 * The event store as one process sees it: every call takes its time, questions and answers get lost, rings come late,
 * twice or never. What arrives at the store is done at once and whole, as the contract of the port says.
 */
import { type Append, type EventStore, type KeyIndex, StoreUnavailable } from '@tallystick/event-store';
import type { Chance } from './chance.ts';
import type { Faults } from './shape.ts';
import type { Life, Timeline } from './timeline.ts';

export interface LinkParts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly life: Life;
}

/** The longest that a lost append may still be under way. */
const LATE_MS = 20_000;

export function linkStore(store: EventStore, parts: LinkParts): EventStore {
  const { timeline, chance, faults, life } = parts;

  function read<T>(label: string, work: () => Promise<T>): Promise<T> {
    return timeline.call(life, label, () => {
      if (chance.happens(faults.storeAway)) throw new StoreUnavailable('unwritten', 'the store is away');
      return work();
    });
  }

  function append(append: Append): ReturnType<EventStore['append']> {
    const outlives = chance.happens(0.5);
    return timeline.call(
      life,
      'append',
      async () => {
        if (chance.happens(faults.storeAway)) throw new StoreUnavailable('unwritten', 'the store is away');
        if (chance.happens(faults.requestLost)) {
          if (chance.happens(0.5)) arriveLate(append);
          throw new StoreUnavailable('unknown', 'the append was lost, or is late');
        }
        const result = await store.append(append);
        if (chance.happens(faults.answerLost)) throw new StoreUnavailable('unknown', 'the answer was lost');
        return result;
      },
      { outlives },
    );
  }

  function arriveLate(append: Append): void {
    timeline
      .pause(null, chance.int(0, LATE_MS))
      .then(() => timeline.step(null, 'append, late', () => store.append(append)));
  }

  function watch(ring: () => void, categories?: readonly string[]): () => void {
    return store.watch(() => {
      if (chance.happens(faults.ringLost)) return;
      const rings = chance.happens(faults.ringTwice) ? 2 : 1;
      for (let n = 0; n < rings; n++) timeline.step(life, 'ring', ring);
    }, categories);
  }

  return {
    enforcesKeys: store.enforcesKeys,
    append,
    readStream: (stream, options) => read('read stream', () => store.readStream(stream, options)),
    readRevisions: (stream, revisions) => read('read events', () => store.readRevisions(stream, revisions)),
    head: (stream) => read('head', () => store.head(stream)),
    readAll: (options) => read('read all', () => store.readAll(options)),
    watch,
    close: async () => undefined,
  };
}

/** The keys of a store that enforces them, seen from a process. */
export function linkKeys(index: KeyIndex, { timeline, chance, faults, life }: LinkParts): KeyIndex {
  return {
    lookup: (stream, keys) =>
      timeline.call(life, 'look up keys', () => {
        if (chance.happens(faults.storeAway)) throw new StoreUnavailable('unwritten', 'the store is away');
        return index.lookup(stream, keys);
      }),
  };
}
