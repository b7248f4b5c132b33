/**
 * One partition of the read models: pages through the store from its checkpoint, folds what is its own in memory, and
 * writes the rows with the checkpoint in one transaction. It may be killed anywhere, and any number may run: each event
 * is counted once. It passes over the other partitions' events, so an idle one moves on as well.
 *
 * In quiet times a batch is written at once; under load they are written at most every `gatherMs`, because a few
 * large writes cost a fraction of many small ones (speed.md, 5). A waiting reader shortens that to `hurryMs`.
 */
import {
  decodeEvent,
  type EventStore,
  type Page,
  type RecordedEvent,
  splitStream,
} from '@tallystick/event-store';
import type { Pool } from 'pg';
import {
  assertSameHistory,
  type Checkpoint,
  lastEventOf,
  readCheckpoint,
  readIdentity,
} from './checkpoint.ts';
import { isFinal, LostCheckpoint } from './faults.ts';
import { modelsFor } from './models.ts';
import type { BatchReport, ProjectorState } from './progress.ts';
import { claim, migrate } from './schema.ts';
import type { StreamFolder } from './snapshots/folder.ts';
import { SnapshotTaker } from './snapshots/take.ts';
import type { Time } from './time.ts';
import { foldBatch, type Tables, writeBatch } from './write-batch.ts';

export interface PartitionOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly schema: string;
  readonly folders: readonly StreamFolder[];
  readonly partition: number;
  readonly partitions: number;
  readonly batchMax: number;
  readonly gatherMs: number;
  readonly hurryMs: number;
  readonly pollMs: number;
  readonly time: Time;
  /** Somebody waits for the read models. */
  readonly isAwaited: () => boolean;
  readonly onState: (state: ProjectorState) => void;
  /** The rows are there to be read; with the accounts in them and their revisions. */
  readonly onWritten: (report: BatchReport | null, revisions: ReadonlyMap<string, number>) => void;
}

const BACK_OFF_MS_MIN = 100;
const BACK_OFF_MS_MAX = 5_000;
const STANDBY_MS = 500;

/** Which partition an account's streams (wallet, profile, …) belong to: all of one id stay together. */
export function partitionOf(id: string, partitions: number): number {
  if (partitions === 1) return 0;
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % partitions;
}

export class Partition {
  readonly #options: PartitionOptions;
  readonly #tables: Tables;
  readonly #snapshots: SnapshotTaker;
  readonly #closing = new AbortController();
  readonly #endWaiters = new Set<PromiseWithResolvers<void>>();
  #state: ProjectorState = { status: 'starting' };
  #checkpoint: Checkpoint | null = null;
  #position = 0n;
  #wake = Promise.withResolvers<void>();
  #rungAt: number | null = null;
  #oldest: number | null = null;
  #running: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(options: PartitionOptions) {
    this.#options = options;
    const { store, pool, schema, partition, partitions, folders } = options;
    this.#tables = { pool, schema, partition, partitions, models: modelsFor(store.enforcesKeys) };
    this.#snapshots = new SnapshotTaker(store, pool, schema, folders);
  }

  get state(): ProjectorState {
    return this.#state;
  }
  /** Everything up to here that is this partition's has been folded and written. */
  get position(): bigint {
    return this.#position;
  }
  /** Age of the oldest event that is known and not written yet; 0 where there is none. */
  get lagMs(): number {
    const since = this.#oldest ?? this.#rungAt;
    return since === null ? 0 : Math.max(0, this.#options.time.now() - since);
  }

  start(): void {
    const stopWatching = this.#options.store.watch(() => {
      this.#rungAt ??= this.#options.time.now();
      this.#wake.resolve();
    });
    this.#running = this.#run().finally(stopWatching);
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    this.#wake.resolve();
    await this.#running;
  }

  /** Look now. */
  hurry(): void {
    this.#wake.resolve();
  }

  caughtUp(): Promise<void> {
    const end = Promise.withResolvers<void>();
    if (this.#state.status === 'halted') end.reject(this.#state.error);
    else if (this.#state.status === 'stopped') end.reject(new Error('the projector was stopped'));
    else this.#endWaiters.add(end);
    this.#wake.resolve();
    return end.promise;
  }

  #become(state: ProjectorState): void {
    if (state.status === this.#state.status && state.status !== 'waiting') return;
    this.#state = state;
    this.#options.onState(state);
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#begin();
        await this.#follow();
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        if (isFinal(error)) {
          this.#end({ status: 'halted', error }, error);
          return;
        }
        await this.#backOff(error);
      }
    }
    this.#end({ status: 'stopped' }, new Error('the projector was stopped'));
  }

  #end(state: ProjectorState, reason: Error): void {
    this.#become(state);
    for (const end of this.#endWaiters) end.reject(reason);
    this.#endWaiters.clear();
  }

  async #backOff(error: unknown): Promise<void> {
    this.#checkpoint = null;
    if (error instanceof LostCheckpoint) {
      this.#become({ status: 'standby' });
      await this.#options.time.pause(STANDBY_MS, this.#closing.signal);
      return;
    }
    const ms = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** this.#failures++);
    const reason = error instanceof Error ? error.message : String(error);
    this.#become({ status: 'waiting', reason, error });
    this.#rungAt ??= this.#options.time.now();
    await this.#options.time.pause(ms, this.#closing.signal);
  }

  /** Finds out whose rows these are and where they end. */
  async #begin(): Promise<void> {
    const { store, pool, schema, partition, partitions } = this.#options;
    await migrate(pool, schema, partitions);
    let identity = await readIdentity(store);
    while (identity === null) {
      this.#become({ status: 'waiting', reason: 'the ledger has not been opened yet' });
      await this.#sleepUntilRung();
      if (this.#closing.signal.aborted) return;
      identity = await readIdentity(store);
    }
    await claim(pool, schema, identity);
    const checkpoint = await readCheckpoint(pool, schema, partition);
    await assertSameHistory(store, checkpoint);
    this.#checkpoint = checkpoint;
    this.#position = checkpoint.position;
    this.#options.onWritten(null, new Map());
  }

  async #follow(): Promise<void> {
    const { store, batchMax, time } = this.#options;
    let lastWriteAt = Number.NEGATIVE_INFINITY;
    while (!this.#closing.signal.aborted) {
      const checkpoint = this.#checkpoint;
      if (checkpoint === null) return;
      await this.#gather(lastWriteAt);
      this.#wake = Promise.withResolvers<void>();
      const askedAt = this.#rungAt;
      const enders = [...this.#endWaiters];
      const page = await store.readAll({ after: checkpoint.cursor, limit: batchMax });
      if (page.events.length > 0 || page.cursor !== checkpoint.cursor) {
        lastWriteAt = time.monotonic();
        await this.#write(checkpoint, page);
      } else if (this.#state.status !== 'running') {
        // Alone, or beside one that has nothing to do either.
        this.#become({ status: 'running' });
      }
      this.#failures = 0;
      if (!page.atEnd) {
        await this.#amidLoad(page);
        continue;
      }
      if (this.#rungAt === askedAt) this.#rungAt = null;
      await this.#atEnd(enders);
    }
  }

  /**
   * Under a load without a pause no page that comes from memory is the last one. What is left is younger than what has
   * been written; and as long as pages are not full, there is time for a snapshot: else tails would grow with the load.
   */
  async #amidLoad({ events }: Page): Promise<void> {
    const newest = events.at(-1);
    if (newest === undefined || events.length >= this.#options.batchMax) return;
    if (this.#rungAt !== null) this.#rungAt = Math.max(this.#rungAt, decodeEvent(newest).recordedAt);
    await this.#snapshots.take(1);
  }

  async #atEnd(enders: readonly PromiseWithResolvers<void>[]): Promise<void> {
    await this.#snapshots.take(20);
    if (this.#snapshots.waiting > 0) {
      this.#wake.resolve();
      return;
    }
    for (const end of enders) {
      this.#endWaiters.delete(end);
      end.resolve();
    }
    await this.#sleepUntilRung();
  }

  /** Under load: lets events gather since the last write, for as long as nobody waits for them. */
  async #gather(lastWriteAt: number): Promise<void> {
    const { gatherMs, hurryMs, time, isAwaited } = this.#options;
    for (;;) {
      const passed = time.monotonic() - lastWriteAt;
      const wanted = isAwaited() || this.#endWaiters.size > 0 ? hurryMs : gatherMs;
      if (passed >= wanted || this.#closing.signal.aborted) return;
      await time.pause(Math.min(hurryMs, wanted - passed));
    }
  }

  async #write(from: Checkpoint, page: Page): Promise<void> {
    const { time, onWritten } = this.#options;
    const began = time.monotonic();
    const own = this.#ownOf(page.events);
    const batch = foldBatch(this.#tables, own);
    this.#oldest = batch.oldestAt === null ? null : Date.parse(batch.oldestAt);
    const last = lastEventOf(page.events) ?? from.last;
    const to: Checkpoint = { cursor: page.cursor, position: page.position, last };
    await writeBatch(this.#tables, batch, from, to);
    this.#checkpoint = to;
    this.#position = to.position;
    this.#become({ status: 'running' });
    this.#snapshots.notice(own);
    const report: BatchReport = {
      events: batch.events,
      lagMs: this.#oldest === null ? 0 : Math.max(0, time.now() - this.#oldest),
      writeMs: time.monotonic() - began,
      position: to.position,
    };
    onWritten(report, batch.revisions);
    this.#oldest = null;
  }

  #ownOf(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
    const { partition, partitions } = this.#options;
    if (partitions === 1) return events;
    return events.filter(({ stream }) => partitionOf(splitStream(stream).id, partitions) === partition);
  }

  async #sleepUntilRung(): Promise<void> {
    const { time, pollMs } = this.#options;
    const timer = new AbortController();
    const signal = AbortSignal.any([timer.signal, this.#closing.signal]);
    await Promise.race([time.pause(pollMs, signal), this.#wake.promise]);
    timer.abort();
  }
}
