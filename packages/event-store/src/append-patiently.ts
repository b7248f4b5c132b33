/** Unknown outcomes: the one way in which a ledger may write twice or lose a charge, and so the one place for them. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Append, type AppendResult, type EventStore, StoreUnavailable } from './port.ts';
import type { RunnerCounts } from './runner-ports.ts';

export interface PatienceParts {
  readonly store: EventStore;
  readonly counts: RunnerCounts;
  readonly limits: {
    /** How long an identical append is repeated before its orders are told that nobody knows. */
    readonly unknownMs: number;
  };
}

/** An append whose outcome is unknown is repeated, identical, until it is known or given up (rule 6). */
export async function appendPatiently(
  { store, counts, limits }: PatienceParts,
  append: Append,
): Promise<AppendResult> {
  const giveUpAt = performance.now() + limits.unknownMs;
  for (let wait = 20; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      counts.roundTrips.append += 1;
      return await store.append(append);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || error.outcome === 'unwritten') {
        // Unwritten now says nothing about the tries before it.
        if (wait === 20 || !(error instanceof StoreUnavailable)) throw error;
      } else counts.unknownOutcomes += 1;
      if (performance.now() + wait > giveUpAt) {
        throw new StoreUnavailable('unknown', `${append.stream}: append given up`, { cause: error });
      }
      await pause(wait);
    }
  }
}
