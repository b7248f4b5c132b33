/** The projector with a voice: what it does goes to the log, the metrics and the traces, so that a halt is seen. */
import type { Meter, Tracing } from '@tallystick/connect';
import type { EventStore } from '@tallystick/event-store';
import {
  type Projector,
  type ProjectorOptions,
  type ProjectorState,
  realTime,
  startProjector,
  traceBatches,
} from '@tallystick/projections';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { measureProjector } from './metrics.ts';

export interface LoggedProjectorOptions
  extends Pick<ProjectorOptions, 'partitions' | 'takes' | 'onState' | 'onBatch'> {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly schema: string;
  /** Of the clock that events are recorded by: their age is told by it. */
  readonly now: () => number;
  readonly log: Logger;
  readonly meter: Meter;
  readonly tracing: Tracing | null;
}

/** For the distributed set-up and for the standalone alike. */
export function startLoggedProjector(options: LoggedProjectorOptions): Projector {
  const { log, meter, tracing, now, onState, onBatch, ...rest } = options;
  const traced = tracing === null ? null : traceBatches(rest.store, tracing.tracer);
  let projector: Projector | null = null;
  const measure = measureProjector(meter, () => projector);
  projector = startProjector({
    ...rest,
    store: traced?.store ?? rest.store,
    time: { ...realTime, now },
    onState: (state) => {
      report(log, state);
      onState?.(state);
    },
    onBatch: (batch) => {
      measure(batch);
      traced?.onBatch(batch);
      onBatch?.(batch);
    },
  });
  return projector;
}

function report(log: Logger, state: ProjectorState): void {
  switch (state.status) {
    case 'waiting':
      log.warn({ err: state.error, reason: state.reason }, 'the projector waits, and goes on by itself');
      return;
    case 'halted':
      log.fatal(
        { err: state.error },
        'the projector has halted: read models stand still until this is mended',
      );
      return;
    case 'standby':
      log.info('another projector is at work; this one stands by');
      return;
    default:
      log.info(`the projector is ${state.status}`);
  }
}
