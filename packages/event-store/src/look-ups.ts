/** Older events of a stream, by revision or by business key; and the hole that rule 3 does not allow. */
import type { DomainEvent } from '@tallystick/domain';
import { decodeEvent, type StoredEvent } from './codec.ts';
import type { KeyMemory } from './key-memory.ts';
import { type EventStore, type KeyIndex, StoreUnavailable } from './port.ts';
import type { Waiting } from './round.ts';
import type { RunnerCounts, RunnerLimits } from './runner-ports.ts';

export interface LookUpParts {
  readonly store: EventStore;
  readonly keyIndex: KeyIndex;
  readonly counts: RunnerCounts;
  readonly limits: Pick<RunnerLimits, 'keyGap'>;
}

/** By revision. */
export async function readEvents<E extends DomainEvent>(
  { store, counts }: LookUpParts,
  stream: string,
  revisions: readonly number[],
): Promise<Map<number, StoredEvent<E>>> {
  if (revisions.length === 0) return new Map();
  counts.roundTrips.read += 1;
  const events = await store.readRevisions(stream, [...new Set(revisions)]);
  return new Map(events.map((recorded) => [recorded.revision, decodeEvent<E>(recorded)]));
}

/** Events by key, or by `#revision`; those that do not exist are left out. Complete up to what `recent` remembers. */
export async function findFacts<E extends DomainEvent>(
  parts: LookUpParts,
  stream: string,
  recent: KeyMemory,
  facts: readonly string[],
): Promise<Map<string, StoredEvent<E>>> {
  const revisions = new Map<string, number>();
  const unknown: string[] = [];
  for (const fact of facts) {
    const revision = fact.startsWith('#') ? Number(fact.slice(1)) : recent.find(fact);
    if (revision === undefined) unknown.push(fact);
    else revisions.set(fact, revision);
  }
  if (unknown.length > 0) {
    parts.counts.roundTrips.keyLookup += 1;
    const found = await asOutage(parts.keyIndex.lookup(stream, unknown));
    if (found.coveredTo + 1 < recent.startsAt) await closeGap(parts, stream, recent, found.coveredTo + 1);
    for (const fact of unknown) {
      const revision = found.hits.get(fact) ?? recent.find(fact);
      if (revision !== undefined) revisions.set(fact, revision);
    }
  }
  const events = await readEvents<E>(parts, stream, [...revisions.values()]);
  const found = new Map<string, StoredEvent<E>>();
  for (const [fact, revision] of revisions) {
    const event = events.get(revision);
    if (event !== undefined) found.set(fact, event);
  }
  return found;
}

/** Reads the keys between what an index covers and what is remembered: between the two a repeat would be missed. */
export async function closeGap(
  { store, counts, limits }: LookUpParts,
  stream: string,
  recent: KeyMemory,
  from: number,
): Promise<void> {
  const upTo = recent.startsAt;
  if (from >= upTo) return;
  if (upTo - from > limits.keyGap) {
    throw new KeyIndexBehind(`${stream}: the key index is ${upTo - from} events behind`);
  }
  counts.roundTrips.read += 1;
  recent.extendBack(from, await store.readStream(stream, { from, limit: upTo - from }));
}

/** The look-ups that orders began when they came. */
export async function awaitLookups<S, C, E extends DomainEvent, R>(
  group: readonly Waiting<S, C, E, R>[],
): Promise<void> {
  for (const waiting of group) {
    if (waiting.lookup === null || waiting.looked !== null) continue;
    waiting.looked = await asOutage(waiting.lookup);
  }
}

export class KeyIndexBehind extends StoreUnavailable {
  constructor(message: string) {
    super('unwritten', message);
  }
}

/** Look-ups go to Postgres: when it is away nothing was written, and the order may come again. */
export async function asOutage<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    throw new StoreUnavailable('unwritten', 'a look-up failed', { cause: error });
  }
}
