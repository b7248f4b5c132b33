/**
 * Verifies a ledger: every event is read again and accounted for with arithmetic of the audit's own, and the read
 * models are compared with what comes of it. Nothing is written.
 *
 * This thread reads, in the order of positions; the parts of a crew account for the streams, in threads of their own
 * where there is more than a little to do.
 */
import type { EventStore, RecordedEvent } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { PAGE_EVENTS, scan } from './scan.ts';
import { createSealChecker, type SealChecker } from './seal/check.ts';
import type { NumberedHash } from './seal/verify-receipt.ts';
import { compareCheckpoints } from './verify/checkpoints.ts';
import { compareReads } from './verify/compare-reads.ts';
import { Crew, threadsForThisMachine } from './verify/crew.ts';
import { type Finding, Findings } from './verify/finding.ts';
import type { PartSettings } from './verify/part.ts';
import { Positions } from './verify/positions.ts';
import { Reads, withReads } from './verify/reads.ts';
import { ENTRIES } from './verify/tables.ts';
import { reportRepeated, together } from './verify/together.ts';

export interface VerifyOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  /** Of the read models. */
  readonly schema: string;
  /** Seals as they were kept elsewhere: the ledger must have them. */
  readonly keptSeals?: readonly NumberedHash[];
  /** Findings beyond are counted only. */
  readonly shownMax?: number;
  /** Beside this one; 0 for none. Left out: by the machine's cores, and none for a small ledger. */
  readonly threads?: number;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly events: number;
  readonly position: bigint;
}

export interface Verdict extends VerifyProgress {
  /** High digits of the API's positions: the store's first event says them. */
  readonly epoch: number;
  readonly streams: number;
  readonly seconds: number;
  /** Events that the read models have not come to yet; null where there are no read models. */
  readonly behind: number | null;
  /** How many there are, and the last one: what to keep, so that nobody can cut off what came before. */
  readonly seals: { readonly count: number; readonly last: NumberedHash | null };
  /** All that was found wrong. */
  readonly count: number;
  /** The first of it. */
  readonly findings: readonly Finding[];
}

export async function verifyLedger(options: VerifyOptions): Promise<Verdict> {
  const { store, pool, schema, shownMax = 100, onProgress = () => undefined } = options;
  const began = performance.now();
  const findings = new Findings(shownMax);
  const report = (finding: Finding): void => findings.add(finding);
  return withReads(pool, schema, async (reads) => {
    const isThere = reads instanceof Reads;
    if (!isThere) report({ what: 'there is nothing to compare the events with', ...reads });
    const settings = await settingsOf(isThere ? reads : null, shownMax);
    // While the events are read, the database adds up the largest table.
    const digests = isThere ? reads.digests(ENTRIES) : null;
    digests?.catch(() => undefined);
    const order = new StoreOrder(store, options.keptSeals ?? [], report);
    let crew: Crew | null = null;
    try {
      for await (const events of scan(store)) {
        crew ??= new Crew(
          settings,
          options.threads ?? (events.length < PAGE_EVENTS ? 0 : threadsForThisMachine()),
        );
        await crew.add(events);
        order.add(events);
        onProgress(order.progress);
      }
      crew ??= new Crew(settings, 0);
      const { rows, summaries } = await crew.end();
      const found = together(summaries, findings);
      await reportRepeated(store, found.repeated, report);
      order.end();
      if (isThere && store.enforcesKeys)
        compareCheckpoints(reads.checkpoints, order.progress.position, report);
      const expected = { ...found, rows };
      if (isThere && digests !== null) await compareReads(store, reads, await digests, expected, report);
      return {
        ...order.progress,
        epoch: found.epoch,
        streams: found.covered.size,
        seconds: (performance.now() - began) / 1_000,
        behind: isThere ? found.behind : null,
        seals: order.seals,
        count: findings.count,
        findings: findings.shown,
      };
    } finally {
      await crew?.stop();
    }
  });
}

async function settingsOf(reads: Reads | null, shownMax: number): Promise<PartSettings> {
  const checkpoints = reads?.checkpoints ?? [];
  return {
    checkpoints: checkpoints.map(({ position }) => position),
    storeId: reads?.storeId ?? null,
    lasts: checkpoints.flatMap(({ partition, last }) => (last === null ? [] : [{ partition, ...last }])),
    snapshots: (await reads?.snapshots()) ?? [],
    shownMax,
  };
}

/** What needs all events of the store, in their order: positions that grow, and the seals. */
class StoreOrder {
  readonly #report: (finding: Finding) => void;
  readonly #checker: SealChecker;
  readonly #positions: Positions;
  #events = 0;

  constructor(
    { enforcesKeys }: EventStore,
    keptSeals: readonly NumberedHash[],
    report: (finding: Finding) => void,
  ) {
    // A store that enforces keys is one that numbers its events itself.
    this.#positions = new Positions(enforcesKeys, report);
    this.#checker = createSealChecker(keptSeals);
    this.#report = report;
  }

  get progress(): VerifyProgress {
    return { events: this.#events, position: this.#positions.last };
  }

  get seals(): Verdict['seals'] {
    return { count: this.#checker.seals, last: this.#checker.last };
  }

  add(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      this.#positions.follow(event);
      this.#checker.event(event);
    }
    this.#events += events.length;
  }

  end(): void {
    for (const finding of this.#checker.end()) this.#report(finding);
  }
}
