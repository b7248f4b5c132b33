/**
 * Seals the ledger from time to time (rule 15). Nothing depends on when: any number of processes may do it, and each may
 * be killed anywhere, because a seal that follows on another than the last one changes nothing.
 */
import { gatherSeal, SEALS } from '@tallystick/audit';
import {
  type Catalogues,
  type LedgerSealed,
  SEAL_ID,
  type SealLedger,
  sealDecider,
} from '@tallystick/domain';
import {
  type Cursor,
  decodeEvent,
  type EventStore,
  hashOf,
  type RecordedEvent,
  type Runner,
  type SnapshotReader,
} from '@tallystick/event-store';
import { periodically } from '@tallystick/jobs/periodically';

export interface SealingParts {
  readonly runner: Runner<Catalogues>;
  readonly store: Pick<EventStore, 'readAll' | 'readStream' | 'head'>;
  readonly now?: () => number;
  /** Of deadlines; `now` where left out. */
  readonly realNow?: () => number;
}

const CAUSE = { actor: 'sealing', request: '' };
const PATIENCE_MS = 10_000;

export interface LastSeal {
  readonly recorded: RecordedEvent;
  readonly number: number;
  readonly root: string;
  readonly cursor: Cursor;
  /** Milliseconds since 1970. */
  readonly recordedAt: number;
}

export async function readLastSeal(store: Pick<EventStore, 'readStream' | 'head'>): Promise<LastSeal | null> {
  const head = await store.head(SEALS);
  if (head < 0) return null;
  const [recorded] = await store.readStream(SEALS, { from: head, limit: 1 });
  if (recorded === undefined) throw new Error(`${SEALS}:${head} cannot be read`);
  const { data, facts, recordedAt } = decodeEvent<LedgerSealed>(recorded);
  return { recorded, number: data.number, root: data.root, cursor: facts.cursor, recordedAt };
}

/**
 * Seals what has come since `last`, as far as one seal can hold it.
 * @returns whether there is more; false also where somebody else has sealed meanwhile, and goes on
 */
export async function sealAfter(
  { runner, store, now = Date.now, realNow = now }: SealingParts,
  last: LastSeal | null,
): Promise<boolean> {
  const gathered = await gatherSeal(store, last?.cursor ?? null);
  if (gathered === null) return false;
  const command: SealLedger = {
    type: 'SealLedger',
    key: null,
    fingerprint: null,
    after: last?.number ?? 0,
    ...gathered.content,
  };
  const executed = await runner.execute(
    sealDecider,
    [{ id: SEAL_ID, command, cause: CAUSE }],
    realNow() + PATIENCE_MS,
  );
  if (executed === 'queue_full') return false;
  const [outcome] = executed;
  // Whether it was recorded will be seen when the last seal is looked up the next time.
  if (outcome?.status === 'unavailable') throw new Error(`the ledger could not be sealed: ${outcome.reason}`);
  return outcome?.status === 'recorded' && gathered.more;
}

export interface SealingOptions extends SealingParts {
  /** Between one seal and the next, whoever makes them. */
  readonly everyMs: number;
  readonly onError?: (error: unknown) => void;
}

/** @returns how to stop it; resolves when the seal under way is done */
export function startSealing({
  everyMs,
  onError = () => undefined,
  ...parts
}: SealingOptions): () => Promise<void> {
  const { store, now = Date.now } = parts;
  let stopped = false;

  let waitMs = everyMs;

  async function seal(): Promise<void> {
    waitMs = everyMs;
    let last = await readLastSeal(store);
    const leftMs = last === null ? 0 : last.recordedAt + everyMs - now();
    if (leftMs > 0) {
      waitMs = Math.min(leftMs, everyMs);
      return;
    }
    while ((await sealAfter(parts, last)) && !stopped) last = await readLastSeal(store);
  }

  // Uneven, so that of several processes one comes first and the others find it done.
  const stop = periodically(() => waitMs * (1 + Math.random() / 10), seal, onError);
  return () => {
    stopped = true;
    return stop();
  };
}

/** What a seal says is all that the next needs: the stream of the seals is never read from its beginning. */
export function withSealSnapshots(
  store: Pick<EventStore, 'readStream' | 'head'>,
  others: SnapshotReader,
): SnapshotReader {
  return {
    async read(stream, foldVersion) {
      if (stream !== SEALS) return others.read(stream, foldVersion);
      const last = await readLastSeal(store);
      if (last === null) return null;
      const { recorded, number, root } = last;
      const state = sealDecider.freeze({ number, root });
      return { revision: recorded.revision, hash: hashOf(recorded), state };
    },
  };
}
