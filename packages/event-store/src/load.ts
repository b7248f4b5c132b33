/** Loads a stream's state: snapshot and tail, in pages; flat however long the stream is. */
import type { CommandKey, Decider, DomainEvent } from '@tallystick/domain';
import { chainStart, decodeEvent, hashOf } from './codec.ts';
import { KeyMemory } from './key-memory.ts';
import type { EventStore } from './port.ts';
import type { RunnerCounts, SnapshotReader } from './runner-ports.ts';

const PAGE = 1_000;

/** A stream folded up to a revision. */
export interface Folded<S> {
  state: S;
  /** -1: nothing there yet. */
  revision: number;
  /** Hash of the event at `revision`. */
  hash: string;
  /** Of that event, milliseconds since 1970. */
  recordedAt: number;
  recent: KeyMemory;
}

export interface LoadParts {
  readonly store: EventStore;
  readonly snapshots: SnapshotReader;
  readonly counts: RunnerCounts;
  readonly keysRemembered: number;
}

type AnyDecider<S, E extends DomainEvent> = Pick<
  Decider<S, CommandKey, E, unknown, never>,
  'foldVersion' | 'initial' | 'evolve' | 'thaw'
>;

export async function loadStream<S, E extends DomainEvent>(
  parts: LoadParts,
  decider: AnyDecider<S, E>,
  stream: string,
  id: string,
): Promise<Folded<S>> {
  parts.counts.coldLoads += 1;
  parts.counts.roundTrips.load += 1;
  const snapshot = await parts.snapshots.read(stream, decider.foldVersion);
  if (snapshot !== null) {
    // The tail is read from the snapshot's own revision: a snapshot of another history shows by its hash (rule 10).
    parts.counts.roundTrips.load += 1;
    const tail = await parts.store.readStream(stream, { from: snapshot.revision, limit: PAGE });
    const anchor = tail[0];
    const state = thawed(decider, id, snapshot.state);
    if (state !== null && anchor?.revision === snapshot.revision && hashOf(anchor) === snapshot.hash) {
      const folded: Folded<S> = {
        state,
        revision: snapshot.revision,
        hash: snapshot.hash,
        recordedAt: decodeEvent(anchor).recordedAt,
        recent: new KeyMemory(snapshot.revision, parts.keysRemembered),
      };
      folded.recent.add(anchor.key, anchor.revision);
      fold(decider, folded, tail.slice(1));
      return tail.length < PAGE ? folded : foldTail(parts, decider, stream, folded);
    }
  }
  const recent = new KeyMemory(0, parts.keysRemembered);
  const empty = { state: decider.initial(id), revision: -1, hash: chainStart(stream), recordedAt: 0, recent };
  return foldTail(parts, decider, stream, empty);
}

/** A snapshot is a short cut: one that cannot be read is left aside, and the stream is folded from its beginning. */
function thawed<S, E extends DomainEvent>(decider: AnyDecider<S, E>, id: string, text: string): S | null {
  try {
    return decider.thaw(id, text);
  } catch {
    return null;
  }
}

/** Folds what has come after `folded.revision`, in place. */
export async function foldTail<S, E extends DomainEvent>(
  parts: LoadParts,
  decider: AnyDecider<S, E>,
  stream: string,
  folded: Folded<S>,
): Promise<Folded<S>> {
  while (true) {
    parts.counts.roundTrips.load += 1;
    const page = await parts.store.readStream(stream, { from: folded.revision + 1, limit: PAGE });
    fold(decider, folded, page);
    if (page.length < PAGE) return folded;
  }
}

function fold<S, E extends DomainEvent>(
  decider: AnyDecider<S, E>,
  folded: Folded<S>,
  page: Awaited<ReturnType<EventStore['readStream']>>,
): void {
  for (const recorded of page) {
    const event = decodeEvent<E>(recorded);
    decider.evolve(folded.state, event, recorded.revision);
    folded.revision = recorded.revision;
    folded.hash = hashOf(recorded);
    folded.recordedAt = event.recordedAt;
    folded.recent.add(recorded.key, recorded.revision);
  }
}
