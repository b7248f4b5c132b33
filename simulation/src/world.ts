/**
 * One simulated world: a store, a database, machines on which processes live and die, and clients. Everything that
 * happens in it follows from its seed.
 */
import {
  type Catalogues,
  type CouponOffer,
  couponDecider,
  couponOrders,
  DEFAULT_BOOK,
  GENESIS_ID,
  genesisDecider,
  NO_CATALOGUES,
  planDecider,
  priceBookDecider,
  walletStream,
} from '@tallystick/domain';
import {
  createMemoryStore,
  createRunner,
  type EventStore,
  type KeyIndex,
  type Runner,
} from '@tallystick/event-store';
import { bookContent } from './books.ts';
import type { Chance } from './chance.ts';
import type { Database } from './database.ts';
import { COUPONS, type CouponCode, couponTerms } from './goods.ts';
import { History, type Sight } from './history.ts';
import type { PlannedOrder } from './keyed.ts';
import { withoutKeys } from './keyless-store.ts';
import { Orders } from './orders.ts';
import { DEFAULT_PLAN, PLANS, type PlanId, planTerms } from './plans.ts';
import { Turns } from './pool-link.ts';
import { type Machine, Process, wallClock } from './process.ts';
import { calm, type Faults, type Shape } from './shape.ts';
import { type Life, Timeline } from './timeline.ts';

export interface WorldParts {
  readonly chance: Chance;
  readonly shape: Shape;
  readonly database: Database;
  readonly keepsLog: boolean;
  /** Looks at the read models in the middle of things, where a process has just died. */
  readonly onCrash: (world: World) => Promise<void>;
}

/** The most that a clock is off. Stores refuse to go on where it is more than a few seconds (rule 9). */
const CLOCK_OFF_MS = 8_000;
const CRASHES_MAX = 12;
const HOUR_MS = 3_600_000;
const LEAPS_MS = [1, 5, 13, 24, 40, 24 * 4, 24 * 8, 24 * 15, 24 * 33].map((hours) => hours * HOUR_MS);
const LEAPT_MAX_MS = 120 * 24 * HOUR_MS;

export class World {
  readonly chance: Chance;
  readonly shape: Shape;
  readonly database: Database;
  readonly timeline: Timeline;
  readonly history = new History();
  readonly orders: Orders;
  readonly accounts: readonly string[];
  readonly store: EventStore;
  readonly machines: readonly Machine[];
  /** What a step was called at which a process died, each time. */
  readonly crashes: string[] = [];
  readonly #storeKeys: KeyIndex;
  readonly #faults: Faults;
  readonly #turns = new Turns();
  readonly #processes = new Map<Machine, Process>();
  readonly #onCrash: WorldParts['onCrash'];
  readonly #heads = new Map<string, number>();
  readonly #coupons = new Map<string, CouponOffer>();
  /** Milliseconds that all clocks have leapt together. */
  #leapt = 0;
  #events = 0;

  constructor({ chance, shape, database, keepsLog, onCrash }: WorldParts) {
    this.chance = chance;
    this.shape = shape;
    this.database = database;
    this.#onCrash = onCrash;
    this.#faults = { ...shape.faults };
    this.timeline = new Timeline(
      { latency: () => this.#latency(), beforeStep: (life, label) => this.#misfortune(life, label) },
      keepsLog,
    );
    const memory = createMemoryStore();
    this.#storeKeys = memory;
    this.store = shape.enforcesKeys ? memory : withoutKeys(memory);
    this.accounts = Array.from({ length: shape.wallets }, (_, index) => `w${index + 1}`);
    this.orders = new Orders({
      chance,
      shape,
      accounts: this.accounts,
      couponOf: (code) => this.couponOf(code),
    });
    this.machines = Array.from({ length: shape.processes }, (_, index) => ({
      name: `p${index + 1}`,
      takes: takesOf(shape, index),
      clock: [],
      lives: 0,
    }));
  }

  /** Wall-clock milliseconds of the world itself. */
  clock = (): number => wallClock(this.timeline.now, this.#leapt);

  /** The process that lives on a machine now; null while there is none. */
  processOf = (machine: Machine): Process | null => {
    const process = this.#processes.get(machine);
    return process?.alive ? process : null;
  };

  sightOf({ account }: PlannedOrder): Sight {
    return { head: this.#heads.get(walletStream(account)) ?? -1, at: this.timeline.now };
  }

  /** Opens the ledger and starts its processes. */
  async open(): Promise<void> {
    this.#followHeads();
    const command = { type: 'OpenLedger', storeId: 'simulated', key: null, fingerprint: null } as const;
    const order = { id: GENESIS_ID, command, cause: { actor: 'world', request: '' } };
    await this.#runnerOfItsOwn().execute(genesisDecider, [order], Number.MAX_VALUE);
    await this.publish(1);
    if (this.shape.plans > 0)
      for (const id of PLANS)
        if (id !== DEFAULT_PLAN || this.shape.startsWithPlan) await this.publishPlan(id, 1, null);
    if (this.shape.shop > 0) for (const code of COUPONS) await this.publishCoupon(code, 1);
    for (const machine of this.machines) this.#start(machine);
  }

  async publish(version: number): Promise<void> {
    const command = {
      type: 'PublishPriceBook',
      content: bookContent(version),
      effectiveFrom: null,
      key: null,
      fingerprint: null,
    } as const;
    const order = { id: DEFAULT_BOOK, command, cause: { actor: 'world', request: '' } };
    await this.#runnerOfItsOwn().execute(priceBookDecider, [order], Number.MAX_VALUE);
  }

  /** @param effectiveFrom milliseconds since 1970; null: at once */
  async publishPlan(id: PlanId, version: number, effectiveFrom: number | null): Promise<void> {
    const terms = planTerms(id, version);
    const command = { type: 'PublishPlan', terms, effectiveFrom, key: null, fingerprint: null } as const;
    await this.#runnerOfItsOwn().execute(
      planDecider,
      [{ id, command, cause: { actor: 'world', request: '' } }],
      Number.MAX_VALUE,
    );
  }

  async publishCoupon(code: CouponCode, version: number): Promise<void> {
    const terms = couponTerms(code, version);
    const order = { id: code, command: couponOrders.publish(terms), cause: { actor: 'world', request: '' } };
    const answers = await this.#runnerOfItsOwn().execute(couponDecider, [order], Number.MAX_VALUE);
    // A clock that was put back may be behind the coupon's stream: then nothing is published.
    if (answers !== 'queue_full' && answers[0]?.status === 'recorded')
      this.#coupons.set(code, { code, version, terms });
  }

  /** Its terms as they were published last. */
  couponOf(code: string): CouponOffer | null {
    return this.#coupons.get(code) ?? null;
  }

  /** Now and then, and not for ever: hours, days or weeks pass, in which nobody asks for anything. */
  leapPerhaps(): void {
    const { chance, shape } = this;
    if (!chance.happens(shape.leaping) || this.#leapt > LEAPT_MAX_MS) return;
    this.leap((chance.among(LEAPS_MS) ?? HOUR_MS) + chance.int(0, 60_000));
  }

  /** All clocks go on by so much at once. */
  leap(ms: number): void {
    this.#leapt += ms;
    for (const { clock } of this.machines)
      clock.push({ since: this.timeline.now, off: (clock.at(-1)?.off ?? 0) + ms });
    this.timeline.note(`all clocks leap by ${ms} ms`);
  }

  /** From here on nothing goes wrong any more. */
  endStorm(): void {
    Object.assign(this.#faults, calm());
    this.setClocks(CLOCK_OFF_MS);
  }

  /** All of them, to the same time: none behind what another has written. */
  setClocks(off: number): void {
    for (const { clock } of this.machines) clock.push({ since: this.timeline.now, off: this.#leapt + off });
  }

  /** Stops a process as an administrator would, unless it dies before; it is started again. */
  async stop(machine: Machine): Promise<void> {
    const process = this.processOf(machine);
    if (process !== null) await Promise.race([process.stop(), process.death]);
  }

  get events(): number {
    return this.#events;
  }

  /** What is under way ends with its processes. */
  async end(): Promise<void> {
    for (const process of this.#processes.values()) await process.die();
    this.timeline.end();
  }

  /** The world's own orders are never in trouble. */
  #runnerOfItsOwn(): Runner<Catalogues> {
    return createRunner({
      store: this.store,
      keyIndex: this.#storeKeys,
      snapshots: { read: async () => null },
      catalogue: { current: () => NO_CATALOGUES, fresh: async () => NO_CATALOGUES },
      now: this.clock,
    });
  }

  #start(machine: Machine): void {
    const process = new Process(
      {
        timeline: this.timeline,
        chance: this.chance,
        shape: this.shape,
        faults: this.#faults,
        store: this.store,
        storeKeys: this.#storeKeys,
        database: this.database,
        turns: this.#turns,
        onBug: (bug) => this.history.noteBug(bug),
      },
      machine,
    );
    this.#processes.set(machine, process);
    process.death
      .then(() => this.timeline.pause(null, this.chance.int(10, 3_000)))
      .then(() => this.#start(machine));
  }

  #latency(): number {
    const { chance } = this;
    if (chance.happens(this.#faults.slow)) return chance.int(500, 15_000);
    return chance.fraction() * chance.pick([1, 1, 3, 20]);
  }

  async #misfortune(life: Life, label: string): Promise<void> {
    if (!(life instanceof Process)) return;
    const { chance } = this;
    if (chance.happens(this.#faults.clockJump))
      life.machine.clock.push({
        since: this.timeline.now,
        off: this.#leapt + chance.int(-CLOCK_OFF_MS, CLOCK_OFF_MS),
      });
    if (!chance.happens(this.#faults.crash) || this.crashes.length >= CRASHES_MAX) return;
    this.crashes.push(label);
    this.timeline.note(`${life.name} dies at: ${label}`);
    await life.die();
    await this.#onCrash(this);
  }

  /** The heads of all streams, at hand when somebody asks. */
  #followHeads(): void {
    let after: string | null = null;
    let turn = Promise.resolve();
    this.store.watch(() => {
      turn = turn.then(async () => {
        const page = await this.store.readAll({ after, limit: 1_000 });
        for (const event of page.events) {
          this.#heads.set(event.stream, event.revision);
          this.orders.notice(event);
        }
        after = page.cursor;
        this.#events += page.events.length;
      });
    });
  }
}

/** The partitions that a machine projects. */
function takesOf({ projecting, partitions, processes }: Shape, machine: number): readonly number[] {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  switch (projecting) {
    case 'first':
      return machine === 0 ? all : [];
    case 'shares':
      return all.filter((partition) => partition % processes === machine);
    case 'all':
      return all;
  }
}
