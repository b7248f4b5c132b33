/**
 * A process of the ledger: its own runner with its own memory, its own projector, and the clock of the machine it runs
 * on. When it dies all of that is gone; what it had asked for may still arrive.
 */
import { type Catalogues, walletDecider } from '@tallystick/domain';
import {
  type CatalogueReader,
  createRunner,
  type EventStore,
  type KeyIndex,
  type Runner,
  StoreUnavailable,
} from '@tallystick/event-store';
import { createKeyIndex, folderOf, type Projector, startProjector } from '@tallystick/projections';
import { followCatalogues } from './catalogues.ts';
import type { Chance } from './chance.ts';
import type { Database } from './database.ts';
import { linkPool, type Turns } from './pool-link.ts';
import type { Faults, Shape } from './shape.ts';
import { readSnapshots } from './snapshots.ts';
import { type LinkParts, linkKeys, linkStore } from './store-link.ts';
import type { Life, Timeline } from './timeline.ts';

export interface ProcessParts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly shape: Shape;
  readonly faults: Faults;
  readonly store: EventStore;
  /** The store's own look-up, where it enforces keys. */
  readonly storeKeys: KeyIndex;
  readonly database: Database;
  readonly turns: Turns;
  /** What must never happen, in words. */
  readonly onBug: (bug: string) => void;
}

/** Wall clocks; milliseconds since 1970 at the beginning of the world. */
const BEGINNING = Date.parse('2026-01-01T00:00:00.000Z');

const WALLETS = folderOf(walletDecider);

export interface Machine {
  readonly name: string;
  /** The partitions that are projected here. */
  readonly takes: readonly number[];
  /** How far its clock is off, in milliseconds, and since when; the last is the one that counts. */
  readonly clock: { readonly since: number; readonly off: number }[];
  lives: number;
}

/** @param at milliseconds since the beginning of the world */
export function wallClock(at: number, off: number): number {
  return BEGINNING + Math.floor(at) + off;
}

export class Process implements Life {
  readonly name: string;
  readonly machine: Machine;
  /** As it sees it: through its own network. */
  readonly store: EventStore;
  readonly runner: Runner<Catalogues>;
  readonly projector: Projector | null;
  readonly #parts: ProcessParts;
  readonly #death = Promise.withResolvers<void>();
  readonly #onDeath: (() => Promise<void>)[] = [];
  #alive = true;

  constructor(parts: ProcessParts, machine: Machine) {
    this.#parts = parts;
    this.machine = machine;
    machine.lives += 1;
    this.name = `${machine.name}.${machine.lives}`;
    const { timeline, chance, faults } = parts;
    const link = { timeline, chance, faults, life: this };
    const store = linkStore(parts.store, link);
    this.store = store;
    const pool = linkPool({
      ...link,
      database: parts.database,
      turns: parts.turns,
      onDeath: (work) => this.#onDeath.push(work),
    });
    const { schema } = parts.database;
    const keyIndex = store.enforcesKeys ? linkKeys(parts.storeKeys, link) : createKeyIndex(pool, schema);
    this.runner = this.#startRunner(store, keyIndex, followCatalogues(store), link);
    this.projector = machine.takes.length > 0 ? this.#startProjector(store, pool) : null;
  }

  get alive(): boolean {
    return this.#alive;
  }
  /** Resolves when it dies. */
  get death(): Promise<void> {
    return this.#death.promise;
  }
  get now(): number {
    return wallClock(this.#parts.timeline.now, this.machine.clock.at(-1)?.off ?? 0);
  }

  async die(): Promise<void> {
    if (!this.#alive) return;
    this.#alive = false;
    for (const work of this.#onDeath) await work();
    this.#death.resolve();
  }

  /** As by SIGTERM: finishes what it has begun. */
  async stop(): Promise<void> {
    await Promise.all([this.runner.close(), this.projector?.stop()]);
    await this.#parts.timeline.step(this, 'end', () => this.die());
  }

  #startRunner(
    store: EventStore,
    keyIndex: KeyIndex,
    catalogue: CatalogueReader<Catalogues>,
    link: LinkParts,
  ): Runner<Catalogues> {
    const { timeline, chance, shape, onBug } = this.#parts;
    return createRunner({
      store,
      keyIndex,
      snapshots: readSnapshots(this.#parts.store, WALLETS, link, shape.snapshots),
      catalogue,
      now: () => this.now,
      surroundings: {
        monotonic: () => timeline.now,
        pause: (ms) => timeline.pause(this, ms),
        random: () => chance.fraction(),
      },
      limits: shape.limits,
      onError: (error, stream) => {
        if (!(error instanceof StoreUnavailable)) onBug(`${this.name} ${stream}: ${String(error)}`);
      },
    });
  }

  #startProjector(store: EventStore, pool: Parameters<typeof createKeyIndex>[0]): Projector {
    const { timeline, shape, database, onBug } = this.#parts;
    return startProjector({
      store,
      pool,
      schema: database.schema,
      partitions: shape.partitions,
      takes: this.machine.takes,
      folders: [WALLETS],
      batchMax: shape.batchMax,
      gatherMs: shape.gatherMs,
      hurryMs: 100,
      pollMs: shape.pollMs,
      time: {
        now: () => this.now,
        monotonic: () => timeline.now,
        pause: (ms, signal) => timeline.pause(this, ms, signal),
      },
      onState: (state) => {
        if (state.status === 'halted') onBug(`${this.name}: the projector halted: ${String(state.error)}`);
      },
    });
  }
}
