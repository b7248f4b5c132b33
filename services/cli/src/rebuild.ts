/** `ledger rebuild`: fills read models from the events, and shows how far it is. */
import {
  positionOf,
  type RebuildProgress,
  readsSchema,
  rebuildReads,
  SchemaNotEmpty,
} from '@tallystick/projections';
import { Presets, SingleBar } from 'cli-progress';
import { type Sources, UsageFault } from './connect.ts';

export interface RebuildRequest {
  /** The live schema where left out. */
  readonly into?: string;
  readonly force?: boolean;
}

export interface Output {
  readonly isTerminal: boolean;
  line(text: string): void;
}

/** @throws UsageFault where the schema holds something and nobody said that it may go */
export async function rebuild(
  sources: Sources,
  request: RebuildRequest,
  output: Output,
): Promise<RebuildProgress> {
  const { store, pool, namespace } = sources;
  const live = readsSchema(namespace);
  const schema = request.into ?? live;
  // Read before anything is removed: how far the live ones have come is the aim to show progress against.
  const aim = await positionOf(pool, live);
  const meter = startMeter(aim, output);
  try {
    const done = await rebuildReads({
      store,
      pool,
      schema,
      ...(request.force === undefined ? {} : { force: request.force }),
      onProgress: (progress) => meter.show(progress),
      onState: (state) => {
        if (state.status === 'waiting') output.line(`waiting: ${state.reason}`);
      },
    });
    meter.stop();
    output.line(
      `${schema}: ${done.events} events, up to position ${done.position}, ${done.eventsPerSecond} per second`,
    );
    return done;
  } catch (error) {
    meter.stop();
    if (error instanceof SchemaNotEmpty) throw new UsageFault(error.message);
    throw error;
  }
}

interface Meter {
  show(progress: RebuildProgress): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a line now and then, so that a log stays readable. */
function startMeter(aim: bigint | null, output: Output): Meter {
  if (output.isTerminal && aim !== null && aim > 0n) return startBar(aim);
  let shownAt = performance.now();
  return {
    show({ events, eventsPerSecond }) {
      if (performance.now() - shownAt < 2_000) return;
      shownAt = performance.now();
      output.line(`${events} events, ${eventsPerSecond} per second`);
    },
    stop: () => undefined,
  };
}

const PARTS = 1_000;

/** By position: the store does not count its events. */
function startBar(aim: bigint): Meter {
  const format = '{bar} {percentage} %  {events} events  {rate}/s  {eta_formatted} left';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
  bar.start(PARTS, 0, { events: 0, rate: 0 });
  return {
    show({ events, position, eventsPerSecond }) {
      const part = Math.min(PARTS, Number((position * BigInt(PARTS)) / aim));
      bar.update(part, { events, rate: eventsPerSecond });
    },
    stop: () => bar.stop(),
  };
}
