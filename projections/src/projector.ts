/**
 * The projector: keeps the read models at the store's heels, in one partition or several. Every partition moves its own
 * checkpoint, so several processes can share the work, and any process can stand by for another.
 */
import { walletDecider } from '@tallystick/domain';
import type { EventStore } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { Partition, partitionOf } from './partition.ts';
import type { BatchReport, ProjectorState } from './progress.ts';
import { quoted } from './schema.ts';
import { folderOf, type StreamFolder } from './snapshots/folder.ts';
import { realTime, type Time } from './time.ts';
import { WaitingList, type Wanted } from './waiting.ts';

export interface ProjectorOptions {
  readonly store: EventStore;
  /** Two connections are used for each partition: one to write, one to read. */
  readonly pool: Pool;
  readonly schema: string;
  /** How many partitions there are; the schema keeps the number. 1 where left out. */
  readonly partitions?: number;
  /** Which of them this process works on; null or left out: all. */
  readonly takes?: readonly number[] | null;
  /** Streams of these categories get snapshots. The wallets where left out. */
  readonly folders?: readonly StreamFolder[];
  /** Events in one batch, at most. */
  readonly batchMax?: number;
  readonly gatherMs?: number;
  readonly hurryMs?: number;
  /** How often to look without a ring. */
  readonly pollMs?: number;
  readonly time?: Time;
  readonly onState?: (state: ProjectorState) => void;
  readonly onBatch?: (batch: BatchReport) => void;
}

export interface Projector {
  /** Of the partition that is worst off. */
  readonly state: ProjectorState;
  /** Everything up to here has been folded and written, by all partitions of this process. */
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

const RECENT_ACCOUNTS_MAX = 20_000;

export function startProjector(options: ProjectorOptions): Projector {
  const projector = new PartitionedProjector(options);
  projector.start();
  return projector;
}

/** Worst first: what a process reports is what is most in need of somebody's eyes. */
const STATES = ['halted', 'waiting', 'starting', 'standby', 'running', 'stopped'] as const;

class PartitionedProjector implements Projector {
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #partitions: number;
  readonly #own: readonly Partition[];
  readonly #onState: (state: ProjectorState) => void;
  readonly #waiting = new WaitingList();
  #revisions = new Map<string, number>();
  #told: ProjectorState = { status: 'starting' };

  constructor(options: ProjectorOptions) {
    const { store, pool, schema, partitions = 1, onState = () => undefined, onBatch } = options;
    this.#pool = pool;
    this.#schema = schema;
    this.#partitions = partitions;
    this.#onState = onState;
    const takes = options.takes ?? Array.from({ length: partitions }, (_, index) => index);
    this.#own = takes.map(
      (partition) =>
        new Partition({
          store,
          pool,
          schema,
          partition,
          partitions,
          folders: options.folders ?? [folderOf(walletDecider)],
          batchMax: options.batchMax ?? 4_000,
          gatherMs: options.gatherMs ?? 120,
          hurryMs: options.hurryMs ?? 20,
          pollMs: options.pollMs ?? 500,
          time: options.time ?? realTime,
          isAwaited: () => this.#waiting.size > 0,
          onState: () => this.#tell(),
          onWritten: (report, revisions) => {
            this.#written(revisions);
            if (report !== null) onBatch?.(report);
          },
        }),
    );
  }

  start(): void {
    for (const partition of this.#own) partition.start();
  }

  get state(): ProjectorState {
    const states = this.#own.map(({ state }) => state);
    for (const status of STATES) {
      const found = states.find((state) => state.status === status);
      if (found !== undefined) return found;
    }
    return { status: 'stopped' };
  }
  get position(): bigint {
    const [first, ...others] = this.#own.map(({ position }) => position);
    let least = first ?? 0n;
    for (const position of others) if (position < least) least = position;
    return least;
  }
  get lagMs(): number {
    return Math.max(0, ...this.#own.map(({ lagMs }) => lagMs));
  }

  async waitFor(wanted: Wanted, timeoutMs: number): Promise<boolean> {
    if ('position' in wanted) {
      if (wanted.position <= this.position) return true;
    } else if ((this.#revisions.get(wanted.account) ?? -1) >= wanted.revision) return true;
    const reached = this.#waiting.wait(wanted, timeoutMs);
    // A reader waits: look now, and do not gather for long.
    for (const partition of this.#awaited(wanted)) partition.hurry();
    if ('account' in wanted && !this.#revisions.has(wanted.account)) {
      this.#lookUp(wanted.account).catch(() => undefined);
    }
    return reached;
  }

  #awaited(wanted: Wanted): readonly Partition[] {
    if ('position' in wanted || this.#own.length < this.#partitions) return this.#own;
    return this.#own.filter((_, index) => index === partitionOf(wanted.account, this.#partitions));
  }

  async caughtUp(): Promise<void> {
    await Promise.all(this.#own.map((partition) => partition.caughtUp()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#own.map((partition) => partition.stop()));
    this.#waiting.giveUp();
  }

  #tell(): void {
    const { state } = this;
    if (state.status === this.#told.status && state.status !== 'waiting') return;
    this.#told = state;
    if (state.status === 'halted') this.#waiting.giveUp();
    this.#onState(state);
  }

  #written(revisions: ReadonlyMap<string, number>): void {
    for (const [account, revision] of revisions) this.#remember(account, revision);
    this.#waiting.reached(this.position, (account) => this.#revisions.get(account));
  }

  /** An account's revision that was written before this process began to watch, or long ago. */
  async #lookUp(account: string): Promise<void> {
    const { rows } = await this.#pool.query<{ revision: string }>(
      `select revision from ${quoted(this.#schema)}.balances where account = $1`,
      [account],
    );
    this.#remember(account, Number(rows[0]?.revision ?? -1));
    this.#waiting.reached(this.position, (asked) => this.#revisions.get(asked));
  }

  #remember(account: string, revision: number): void {
    if (revision <= (this.#revisions.get(account) ?? -1)) return;
    if (this.#revisions.size >= RECENT_ACCOUNTS_MAX) this.#revisions = new Map();
    this.#revisions.set(account, revision);
  }
}
