/** One seed, from the opening of its world to the verdict of every checker. */
import { Chance } from './chance.ts';
import { ALL_CHECKS } from './checks/all.ts';
import { checkpointIsNotAheadOfRows } from './checks/checkpoint-is-not-ahead-of-rows.ts';
import { gather } from './checks/evidence.ts';
import { Client } from './client.ts';
import type { Databases } from './database.ts';
import { COUPONS } from './goods.ts';
import { DEFAULT_PLAN, PLANS } from './plans.ts';
import type { Machine } from './process.ts';
import { Reactions } from './reactions.ts';
import { drawShape, type Shape } from './shape.ts';
import { World } from './world.ts';

export interface Run {
  readonly seed: number;
  readonly shape: Shape;
  /** What is wrong, named after the rule that is broken; null where nothing is. */
  readonly failure: string | null;
  /** Two runs with the same digest did the same, step by step. */
  readonly digest: string;
  readonly steps: number;
  readonly events: number;
  readonly attempts: number;
  /** At which steps processes died. */
  readonly crashes: readonly string[];
  /** Every step, where it was asked for. */
  readonly log: readonly string[];
}

/** How long the clients and their troubles may last, and how soon everything has to be quiet again, in milliseconds. */
const STORM_MS = 90_000;
const CALM_MS = 120_000;
/** Everything that can fall due is due when all clocks are so much later. */
const DUE_MS = 200_000;
/** Accruals and graces of three days have passed then. */
const HOUR_MS = 3_600_000;
const LAST_LEAP_MS = 80 * HOUR_MS;

export async function simulate(
  seed: number,
  databases: Databases,
  { keepsLog = false }: { readonly keepsLog?: boolean } = {},
): Promise<Run> {
  const chance = new Chance(seed);
  const shape = drawShape(chance);
  const database = await databases.emptied(shape.partitions);
  const world = new World({ chance, shape, database, keepsLog, onCrash: checkpointIsNotAheadOfRows });
  let failure: string | null = null;
  try {
    await live(world);
    const evidence = await gather(world);
    for (const check of ALL_CHECKS) await check(evidence);
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  await world.end();
  return {
    seed,
    shape,
    failure,
    digest: world.timeline.digest,
    steps: world.timeline.taken,
    events: world.events,
    attempts: world.history.attempts.length,
    crashes: world.crashes,
    log: world.timeline.log,
  };
}

async function live(world: World): Promise<void> {
  const { timeline, shape, chance } = world;
  await world.open();
  const clients = Array.from({ length: shape.clients }, (_, index) => new Client(world, `c${index + 1}`));
  const days = whenAll(clients.map((client) => client.live()));
  const happenings = [publishNowAndThen(world), restartNowAndThen(world), publishBillingNowAndThen(world)];
  const reactions =
    shape.shop === 0 ? [] : [new Reactions(world), new Reactions(world)].slice(0, chance.int(1, 2));
  for (const followed of reactions) followed.live();
  await timeline.runUntil(() => days.done, STORM_MS);
  world.endStorm();
  await mustHappen(world, 'every client gets an answer to every order', days);
  await mustHappen(world, 'what happens beside the clients ends', whenAll(happenings));
  const settled = whenAll(clients.map((client) => client.settle(client.unsettled)));
  await mustHappen(world, 'what was unknown is known when the trouble is over', settled);
  const reacted = whenAll(reactions.map((followed) => followed.caughtUp()));
  await mustHappen(world, 'what follows from events is ordered', reacted);
  if (shape.plans + shape.shop > 0) world.leap(LAST_LEAP_MS);
  world.setClocks(DUE_MS);
  const dues = world.accounts.map((account) => world.orders.dues(account));
  await mustHappen(world, 'what is due is carried out', whenAll([new Client(world, 'sweep').settle(dues)]));
  const projecting = world.machines.filter(({ takes }) => takes.length > 0);
  const caughtUp = whenAll(projecting.map((machine) => catchUp(world, machine)));
  await mustHappen(world, 'the read models catch up', caughtUp);
}

interface Waited {
  done: boolean;
  failed: unknown;
}

function whenAll(work: readonly Promise<unknown>[]): Waited {
  const waited: Waited = { done: false, failed: null };
  Promise.all(work).then(
    () => {
      waited.done = true;
    },
    (error: unknown) => {
      waited.failed = error;
      waited.done = true;
    },
  );
  return waited;
}

/** Liveness: within a bound of simulated time. */
async function mustHappen({ timeline, history }: World, what: string, waited: Waited): Promise<void> {
  const happened = await timeline.runUntil(() => waited.done, CALM_MS);
  if (waited.failed !== null) throw waited.failed;
  if (happened) return;
  const bugs = history.bugs.length === 0 ? '' : `; ${history.bugs.join('; ')}`;
  throw new Error(`broken: ${what}: not within ${CALM_MS} ms${bugs}`);
}

async function publishNowAndThen(world: World): Promise<void> {
  const { chance, timeline } = world;
  const last = chance.int(1, 4);
  for (let version = 2; version <= last; version++) {
    await timeline.pause(null, chance.int(0, 20_000));
    await world.publish(version);
  }
}

async function publishBillingNowAndThen(world: World): Promise<void> {
  const { chance, timeline, shape, clock } = world;
  const plans = PLANS.filter((id) => id !== DEFAULT_PLAN || shape.startsWithPlan);
  const daysOfClientsMs = shape.ordersPerClient * (shape.thinkMs + 100);
  if (shape.plans > 0)
    for (let times = chance.int(0, 3), published = new Map<string, number>(); times > 0; times--) {
      await timeline.pause(null, chance.int(0, daysOfClientsMs / 2));
      const id = chance.among(plans) ?? 'small';
      const version = (published.get(id) ?? 1) + 1;
      published.set(id, version);
      const later = chance.happens(0.5) ? null : clock() + chance.int(0, 100) * HOUR_MS;
      await world.publishPlan(id, version, later);
    }
  if (shape.shop === 0) return;
  await timeline.pause(null, chance.int(0, daysOfClientsMs / 2));
  const code = chance.among(COUPONS);
  if (code !== undefined && chance.happens(0.5)) await world.publishCoupon(code, 2);
}

async function restartNowAndThen(world: World): Promise<void> {
  const { chance, timeline, machines } = world;
  for (let times = chance.int(0, 2); times > 0; times--) {
    await timeline.pause(null, chance.int(0, 20_000));
    const machine = chance.among(machines);
    if (machine !== undefined) await world.stop(machine);
  }
}

/** As soon as the machine is up again: its partitions come to the end of the store, whoever moves them. */
async function catchUp({ processOf, timeline }: World, machine: Machine): Promise<void> {
  for (;;) {
    const projector = processOf(machine)?.projector ?? null;
    if (projector !== null) return projector.caughtUp();
    await timeline.pause(null, 500);
  }
}
