/** Unknown outcomes: the one way in which a ledger may write twice or lose a charge, and so the one place for them. */
import { type Append, type AppendResult, type EventStore, StoreUnavailable } from './port.ts';
import type { RunnerCounts, Surroundings } from './runner-ports.ts';

export interface PatienceParts {
  readonly store: EventStore;
  readonly counts: RunnerCounts;
  readonly surroundings: Surroundings;
  readonly limits: {
    /** How long an identical append is repeated before its orders are told that nobody knows. */
    readonly unknownMs: number;
  };
}

/** An append whose outcome is unknown is repeated, identical, until it is known or given up (rule 6). */
export async function appendPatiently(
  { store, counts, limits, surroundings }: PatienceParts,
  append: Append,
): Promise<AppendResult> {
  const giveUpAt = surroundings.monotonic() + limits.unknownMs;
  for (let wait = 20; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      counts.roundTrips.append += 1;
      return await store.append(append);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || error.outcome === 'unwritten') {
        // Unwritten now says nothing about the tries before it.
        if (wait === 20 || !(error instanceof StoreUnavailable)) throw error;
      } else counts.unknownOutcomes += 1;
      if (surroundings.monotonic() + wait > giveUpAt) {
        throw new StoreUnavailable('unknown', `${append.stream}: append given up`, { cause: error });
      }
      await surroundings.pause(wait);
    }
  }
}
