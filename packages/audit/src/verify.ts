/**
 * Verifies a ledger: every event is read again and accounted for with arithmetic of the audit's own, and the read
 * models are compared with what comes of it. Nothing is written.
 */
import type { EventStore, RecordedEvent } from '@tallystick/event-store';
import { partitionOf } from '@tallystick/projections';
import type { Pool } from 'pg';
import { textOf } from './decimal.ts';
import { scan } from './scan.ts';
import { type AccountedEvent, leftOver, readAccounted } from './verify/accounted.ts';
import { CHECKERS } from './verify/checker.ts';
import { compareReads } from './verify/compare-reads.ts';
import { Directory } from './verify/directory.ts';
import { checkEnvelope } from './verify/envelope.ts';
import { type Finding, Findings } from './verify/finding.ts';
import { Landmarks } from './verify/landmarks.ts';
import { PlatformSums } from './verify/platform.ts';
import { Reads, withReads } from './verify/reads.ts';
import { RepeatedKeys } from './verify/repeated-keys.ts';
import { SealRows } from './verify/seal-rows.ts';
import { StreamAudit } from './verify/stream.ts';
import { ENTRIES } from './verify/tables.ts';

export interface VerifyOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  /** Of the read models. */
  readonly schema: string;
  /** Findings beyond are counted only. */
  readonly shownMax?: number;
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
    const snapshots = isThere ? await reads.snapshots() : [];
    const landmarks = new Landmarks(isThere ? reads : null, snapshots, report);
    const audit = new Audit(
      isThere ? reads.checkpoints.map(({ position }) => position) : [],
      landmarks,
      report,
    );
    // While the events are read, the database adds up the largest table.
    const digests = isThere ? reads.digests(ENTRIES) : null;
    digests?.catch(() => undefined);
    for await (const events of scan(store)) {
      for (const event of events) audit.add(event);
      onProgress(audit.progress);
    }
    await audit.end(store);
    if (isThere && digests !== null) await compareReads(store, reads, await digests, audit, report);
    return {
      ...audit.progress,
      epoch: audit.epoch,
      streams: audit.streams.size,
      seconds: (performance.now() - began) / 1_000,
      behind: isThere ? audit.behind : null,
      count: findings.count,
      findings: findings.shown,
    };
  });
}

/** All that is known while the events pass by, in the order of their positions. */
class Audit {
  readonly streams = new Map<string, StreamAudit>();
  readonly platform = new PlatformSums();
  readonly directory = new Directory();
  readonly seals = new SealRows();
  readonly #checkpoints: readonly bigint[];
  readonly #landmarks: Landmarks;
  readonly #report: (finding: Finding) => void;
  readonly #keys = new RepeatedKeys();
  readonly #repeated: { stream: string; key: string; revision: number }[] = [];
  readonly #checkers = CHECKERS.map((make) => make());
  #events = 0;
  #position = 0n;
  /** Events beyond the read models' checkpoints. */
  behind = 0;
  epoch = 0;

  constructor(checkpoints: readonly bigint[], landmarks: Landmarks, report: (finding: Finding) => void) {
    this.#checkpoints = checkpoints;
    this.#landmarks = landmarks;
    this.#report = report;
  }

  get progress(): VerifyProgress {
    return { events: this.#events, position: this.#position };
  }

  add(recorded: RecordedEvent): void {
    const { stream: name, revision, position, key } = recorded;
    this.#events += 1;
    if (position <= this.#position)
      this.#name(recorded, 'positions do not grow', `more than ${this.#position}`, position.toString());
    this.#position = position;
    const stream = this.#streamOf(name);
    stream.chain.follow(recorded);
    if (key !== null && this.#keys.isRepeated(name, key))
      this.#repeated.push({ stream: name, key, revision });
    for (const checker of this.#checkers) checker.event(recorded);
    try {
      this.#account(stream, readAccounted(recorded));
    } catch (error) {
      this.#name(recorded, 'the event cannot be read', 'an event of this ledger', messageOf(error));
    }
  }

  #streamOf(name: string): StreamAudit {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = new StreamAudit(name, this.#report);
      this.streams.set(name, stream);
    }
    return stream;
  }

  #account(stream: StreamAudit, event: AccountedEvent): void {
    checkEnvelope(event, stream.category, this.#report);
    if (event.type === 'LedgerOpened') this.epoch = Number(event.data.epoch);
    for (const [unit, steps] of leftOver(event.legs))
      this.#name(event, 'the entry does not come to zero', '0', textOf(steps), unit);
    const partition = partitionOf(stream.id, this.#checkpoints.length);
    const isCovered = event.position <= (this.#checkpoints[partition] ?? -1n);
    if (!isCovered) {
      this.behind += 1;
      stream.leaveBehind();
    }
    stream.wallet?.apply(event, this.#report);
    if (isCovered) {
      stream.cover(event);
      this.directory.add(event, stream.id);
      this.seals.add(event, stream.chain.hash);
      this.platform.add(event, partition);
    }
    this.#landmarks.pass(event, stream);
  }

  async end(store: EventStore): Promise<void> {
    for (const { chain } of this.streams.values()) chain.end();
    for (const { stream, key, revision } of this.#repeated) {
      const first = await firstWith(store, stream, key);
      if (first < revision)
        this.#name({ stream, revision }, 'a business key comes twice', `${key} at ${first} only`, key);
    }
    this.#landmarks.end();
    for (const checker of this.#checkers) for (const finding of checker.end()) this.#report(finding);
  }

  #name(
    { stream, revision }: Pick<RecordedEvent, 'stream' | 'revision'>,
    what: string,
    expected: string,
    found: string,
    unit?: string,
  ): void {
    this.#report({ what, stream, revision, ...(unit === undefined ? {} : { unit }), expected, found });
  }
}

const PAGE = 1_000;

async function firstWith(store: EventStore, stream: string, key: string): Promise<number> {
  for (let from = 0; ; ) {
    const events = await store.readStream(stream, { from, limit: PAGE });
    const found = events.find((event) => event.key === key);
    if (found !== undefined) return found.revision;
    const last = events.at(-1);
    if (last === undefined) return Number.POSITIVE_INFINITY;
    from = last.revision + 1;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
