/**
 * The projector: pages through the store from its checkpoint, folds each page in memory, and writes the rows with the
 * checkpoint in one transaction. It may be killed anywhere, and any number may run: each event is counted once.
 *
 * In quiet times a batch is written at once; under load they are written at most every `gatherMs`, because a few
 * large writes cost a fraction of many small ones (speed.md, 5). A waiting reader shortens that to `hurryMs`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { walletDecider } from '@tallystick/domain';
import type { EventStore, Page } from '@tallystick/event-store';
import type { Pool, PoolClient } from 'pg';
import { type Batch, readBatch } from './batch.ts';
import {
  assertSameHistory,
  type Checkpoint,
  moveCheckpoint,
  readCheckpoint,
  readIdentity,
} from './checkpoint.ts';
import { CannotProject, ForeignReads, LostCheckpoint } from './faults.ts';
import { modelsFor } from './models.ts';
import type { ReadModel } from './read-model.ts';
import { claim, migrate, quoted } from './schema.ts';
import { folderOf, type StreamFolder } from './snapshots/folder.ts';
import { SnapshotTaker } from './snapshots/take.ts';
import { inTransaction } from './transaction.ts';
import { WaitingList, type Wanted } from './waiting.ts';

export interface ProjectorOptions {
  readonly store: EventStore;
  /** Two connections are used: one to write, one to read. */
  readonly pool: Pool;
  readonly schema: string;
  /** Streams of these categories get snapshots. The wallets where left out. */
  readonly folders?: readonly StreamFolder[];
  /** Events in one batch, at most. */
  readonly batchMax?: number;
  readonly gatherMs?: number;
  readonly hurryMs?: number;
  /** How often to look without a ring. */
  readonly pollMs?: number;
  readonly onState?: (state: ProjectorState) => void;
  readonly onBatch?: (batch: BatchReport) => void;
}

export type ProjectorState =
  | { readonly status: 'starting' }
  /** Another projector moves the checkpoint; this one looks again from time to time. */
  | { readonly status: 'standby' }
  | { readonly status: 'running' }
  /** Store or database are away, or the ledger is not opened yet; it goes on by itself. */
  | { readonly status: 'waiting'; readonly reason: string; readonly error?: unknown }
  /** It met what it must not skip, or rows that are not its own: people have to look (rules 10, 11). */
  | { readonly status: 'halted'; readonly error: Error }
  | { readonly status: 'stopped' };

export interface BatchReport {
  readonly events: number;
  /** From the recording of the oldest event in it until its rows could be read. */
  readonly lagMs: number;
  readonly writeMs: number;
  readonly position: bigint;
}

export interface Projector {
  readonly state: ProjectorState;
  /** Everything up to here has been folded and written. */
  readonly position: bigint;
  /** Age of the oldest event that is known and not written yet; 0 where there is none. */
  readonly lagMs: number;
  /** Resolves false where it is not reached in time. */
  waitFor(wanted: Wanted, timeoutMs: number): Promise<boolean>;
  /** Resolves when it has come to the end of the store as of now. Rejects where it halts. */
  caughtUp(): Promise<void>;
  /** Finishes the batch in hand. */
  stop(): Promise<void>;
}

const BACK_OFF_MS_MIN = 100;
const BACK_OFF_MS_MAX = 5_000;
const STANDBY_MS = 500;
const RECENT_ACCOUNTS_MAX = 20_000;

export function startProjector(options: ProjectorOptions): Projector {
  const projector = new RunningProjector(options);
  projector.start();
  return projector;
}

class RunningProjector implements Projector {
  readonly #options: Required<Omit<ProjectorOptions, 'onState' | 'onBatch' | 'folders'>>;
  readonly #onState: (state: ProjectorState) => void;
  readonly #onBatch: (batch: BatchReport) => void;
  readonly #models: readonly ReadModel[];
  readonly #snapshots: SnapshotTaker;
  readonly #waiting = new WaitingList();
  readonly #closing = new AbortController();
  readonly #endWaiters = new Set<PromiseWithResolvers<void>>();
  #revisions = new Map<string, number>();
  #state: ProjectorState = { status: 'starting' };
  #checkpoint: Checkpoint | null = null;
  #wake = Promise.withResolvers<void>();
  #rungAt: number | null = null;
  #oldest: number | null = null;
  #running: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(options: ProjectorOptions) {
    const { batchMax = 4_000, gatherMs = 120, hurryMs = 20, pollMs = 500 } = options;
    this.#options = { ...options, batchMax, gatherMs, hurryMs, pollMs };
    this.#onState = options.onState ?? (() => undefined);
    this.#onBatch = options.onBatch ?? (() => undefined);
    this.#models = modelsFor(options.store.enforcesKeys);
    const { store, pool, schema, folders = [folderOf(walletDecider)] } = options;
    this.#snapshots = new SnapshotTaker(store, pool, schema, folders);
  }

  get state(): ProjectorState {
    return this.#state;
  }
  get position(): bigint {
    return this.#checkpoint?.position ?? 0n;
  }
  get lagMs(): number {
    const since = this.#oldest ?? this.#rungAt;
    return since === null ? 0 : Math.max(0, Date.now() - since);
  }

  start(): void {
    const stopWatching = this.#options.store.watch(() => this.#ring());
    this.#running = this.#run().finally(stopWatching);
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    this.#wake.resolve();
    await this.#running;
    this.#waiting.giveUp();
  }

  async waitFor(wanted: Wanted, timeoutMs: number): Promise<boolean> {
    if ('position' in wanted) {
      if (wanted.position <= this.position) return true;
    } else if ((this.#revisions.get(wanted.account) ?? -1) >= wanted.revision) return true;
    const reached = this.#waiting.wait(wanted, timeoutMs);
    // A reader waits: look now, and do not gather for long.
    this.#wake.resolve();
    if ('account' in wanted && !this.#revisions.has(wanted.account)) {
      this.#lookUp(wanted.account).catch(() => undefined);
    }
    return reached;
  }

  async caughtUp(): Promise<void> {
    if (this.#state.status === 'halted') throw this.#state.error;
    const end = Promise.withResolvers<void>();
    this.#endWaiters.add(end);
    this.#wake.resolve();
    return end.promise;
  }

  /** An account's revision that was written before this process began to watch, or long ago. */
  async #lookUp(account: string): Promise<void> {
    const { pool, schema } = this.#options;
    const { rows } = await pool.query<{ revision: string }>(
      `select revision from ${quoted(schema)}.balances where account = $1`,
      [account],
    );
    const revision = Number(rows[0]?.revision ?? -1);
    this.#remember(account, revision);
    this.#waiting.reached(this.position, (asked) => this.#revisions.get(asked));
  }

  #remember(account: string, revision: number): void {
    if (revision <= (this.#revisions.get(account) ?? -1)) return;
    if (this.#revisions.size >= RECENT_ACCOUNTS_MAX) this.#revisions = new Map();
    this.#revisions.set(account, revision);
  }

  #ring(): void {
    this.#rungAt ??= Date.now();
    this.#wake.resolve();
  }

  #become(state: ProjectorState): void {
    if (state.status === this.#state.status && state.status !== 'waiting') return;
    this.#state = state;
    this.#onState(state);
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#begin();
        await this.#follow();
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        if (isFinal(error)) {
          this.#halt(error);
          return;
        }
        await this.#backOff(error);
      }
    }
    this.#become({ status: 'stopped' });
    for (const end of this.#endWaiters) end.reject(new Error('the projector was stopped'));
    this.#endWaiters.clear();
  }

  #halt(error: Error): void {
    this.#become({ status: 'halted', error });
    for (const end of this.#endWaiters) end.reject(error);
    this.#endWaiters.clear();
    this.#waiting.giveUp();
  }

  async #backOff(error: unknown): Promise<void> {
    this.#checkpoint = null;
    if (error instanceof LostCheckpoint) {
      this.#become({ status: 'standby' });
      await this.#rest(STANDBY_MS);
      return;
    }
    const ms = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** this.#failures++);
    const reason = error instanceof Error ? error.message : String(error);
    this.#become({ status: 'waiting', reason, error });
    this.#rungAt ??= Date.now();
    await this.#rest(ms);
  }

  /** Finds out whose rows these are and where they end. */
  async #begin(): Promise<void> {
    const { store, pool, schema } = this.#options;
    await migrate(pool, schema);
    let identity = await readIdentity(store);
    while (identity === null) {
      this.#become({ status: 'waiting', reason: 'the ledger has not been opened yet' });
      await this.#sleepUntilRung(this.#options.pollMs);
      if (this.#closing.signal.aborted) return;
      identity = await readIdentity(store);
    }
    await claim(pool, schema, identity);
    this.#checkpoint = await readCheckpoint(pool, schema, 0);
    await assertSameHistory(store, this.#checkpoint);
  }

  async #follow(): Promise<void> {
    const { store, batchMax } = this.#options;
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
        lastWriteAt = performance.now();
        await this.#write(checkpoint, page);
      } else if (this.#state.status !== 'running') {
        // Alone, or beside one that has nothing to do either.
        this.#become({ status: 'running' });
      }
      this.#failures = 0;
      if (!page.atEnd) continue;
      if (this.#rungAt === askedAt) this.#rungAt = null;
      await this.#atEnd(enders);
    }
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
    await this.#sleepUntilRung(this.#options.pollMs);
  }

  /** Under load: lets events gather since the last write, for as long as nobody waits for them. */
  async #gather(lastWriteAt: number): Promise<void> {
    const { gatherMs, hurryMs } = this.#options;
    for (;;) {
      const passed = performance.now() - lastWriteAt;
      const wanted = this.#waiting.size > 0 || this.#endWaiters.size > 0 ? hurryMs : gatherMs;
      if (passed >= wanted || this.#closing.signal.aborted) return;
      await pause(Math.min(hurryMs, wanted - passed));
    }
  }

  async #write(from: Checkpoint, page: Page): Promise<void> {
    const began = performance.now();
    const batch = readBatch(page.events);
    const oldest = batch.items[0];
    this.#oldest = oldest === undefined ? null : Date.parse(oldest.at);
    const to: Checkpoint = { cursor: page.cursor, position: page.position, last: batch.last ?? from.last };
    await inTransaction(this.#options.pool, BEGIN, (client) => this.#writeRows(client, batch, from, to));
    this.#checkpoint = to;
    this.#become({ status: 'running' });
    this.#snapshots.notice(batch.items);
    for (const { category, id, revision } of batch.items)
      if (category === 'wallet') this.#remember(id, revision);
    this.#waiting.reached(to.position, (account) => this.#revisions.get(account));
    this.#onBatch({
      events: batch.items.length,
      lagMs: this.#oldest === null ? 0 : Math.max(0, Date.now() - this.#oldest),
      writeMs: performance.now() - began,
      position: to.position,
    });
    this.#oldest = null;
  }

  async #writeRows(client: PoolClient, batch: Batch, from: Checkpoint, to: Checkpoint): Promise<void> {
    const { schema } = this.#options;
    const partition = 0;
    await moveCheckpoint(client, schema, partition, from, to, batch.items.at(-1)?.at ?? null);
    const context = { schema: quoted(schema), partition, dueAccounts: new Set<string>() };
    const folds = this.#models.map((model) => model.fold(context));
    for (const item of batch.items) for (const fold of folds) fold.add(item);
    for (const fold of folds) await fold.write(client);
    for (const fold of folds) await fold.settle?.(client);
    await client.query('select pg_notify($1, $2)', [schema, to.position.toString()]);
  }

  async #sleepUntilRung(ms: number): Promise<void> {
    await this.#rest(ms, this.#wake.promise);
  }

  async #rest(ms: number, wake?: Promise<void>): Promise<void> {
    const timer = new AbortController();
    const signal = AbortSignal.any([timer.signal, this.#closing.signal]);
    const slept = pause(ms, undefined, { signal }).catch(() => undefined);
    await (wake === undefined ? slept : Promise.race([slept, wake]));
    timer.abort();
  }
}

/**
 * Every statement has its index. Plans are made anew each time, but a table that grew since its statistics were taken
 * would be scanned whole (speed.md, 1); and compiling a plan costs more than running it.
 */
const BEGIN = `begin; set local enable_seqscan = off; set local enable_hashjoin = off;
  set local enable_mergejoin = off; set local jit = off; set local idle_in_transaction_session_timeout = '30s'`;

/** What waiting does not mend: an event that cannot be folded, foreign rows, a constraint broken, a statement wrong. */
function isFinal(error: unknown): error is Error {
  if (error instanceof CannotProject || error instanceof ForeignReads) return true;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  // A schema that vanishes is being rebuilt.
  if (error.code === '42P01' || error.code === '3F000') return false;
  return /^(22|23|42)[0-9A-Z]{3}$/.test(error.code);
}
