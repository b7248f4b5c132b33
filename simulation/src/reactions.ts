/**
 * What follows from wallets' events in other streams: the worker's own reactors, run here page by page as it runs them. The
 * checkpoint moves after a page and outlives processes; what a process was at when it died is done again. Two of them
 * follow everything twice.
 */
import type { Catalogues } from '@tallystick/domain';
import { type Cursor, decodeEvent, type Runner } from '@tallystick/event-store';
import { couponReactor } from '@tallystick/worker/reactors/coupons';
import { referralReactor } from '@tallystick/worker/reactors/referrals';
import type { Process } from './process.ts';
import type { World } from './world.ts';

export const REFERRAL = { percent: '12.5', days: 1 } as const;

const PAGE = 20;
const DEADLINE_MS = 10_000;

export class Reactions {
  readonly #world: World;
  #cursor: Cursor | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  /** As long as the world lasts. */
  async live(): Promise<void> {
    const { timeline, chance } = this.#world;
    for (;;) {
      await timeline.pause(null, chance.int(200, 4_000));
      await this.#work();
    }
  }

  async caughtUp(): Promise<void> {
    const { store, timeline } = this.#world;
    for (;;) {
      const { events } = await store.readAll({ after: this.#cursor, limit: 1, categories: ['wallet'] });
      if (events.length === 0) return;
      await timeline.pause(null, 500);
    }
  }

  /** Pages, until there is none, something is not possible now, or the process dies. */
  async #work(): Promise<void> {
    const { chance, machines, processOf, history } = this.#world;
    const machine = chance.among(machines);
    const process = machine === undefined ? null : processOf(machine);
    if (process === null) return;
    try {
      await Promise.race([this.#pages(process), process.death]);
    } catch (error) {
      const text = String(error);
      if (!PASSING.test(text)) history.noteBug(`a reaction failed: ${text}`);
    }
  }

  async #pages(process: Process): Promise<void> {
    const reactors = reactorsOn(process);
    for (let atEnd = false; !atEnd; ) {
      const after = this.#cursor;
      const page = await process.store.readAll({ after, limit: PAGE, categories: ['wallet'] });
      for (const recorded of page.events)
        for (const { types, react } of reactors)
          if (types.has(recorded.type)) await react(decodeEvent(recorded));
      // Another process may have been given the same pages meanwhile.
      if (this.#cursor === after) this.#cursor = page.cursor;
      atEnd = page.atEnd;
    }
  }
}

/** An outage, however it is told. */
const PASSING = /not possible now|too much to do|StoreUnavailable|the connection was lost/;

/** Deadlines are on the simulated clock. */
function reactorsOn(process: Process) {
  const { runner } = process;
  const orders: Pick<Runner<Catalogues>, 'execute' | 'find'> = {
    execute: (decider, given) => runner.execute(decider, given, process.now + DEADLINE_MS),
    find: (stream, wanted) => runner.find(stream, wanted),
  };
  return [couponReactor(orders), referralReactor(orders, REFERRAL)];
}
