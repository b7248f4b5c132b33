/** The projector with a voice: what it does goes to the log, so that an outage or a halt is seen. */
import type { EventStore } from '@tallystick/event-store';
import {
  type Projector,
  type ProjectorOptions,
  type ProjectorState,
  startProjector,
} from '@tallystick/projections';
import type { Pool } from 'pg';
import type { Logger } from 'pino';

export interface LoggedProjectorOptions
  extends Pick<ProjectorOptions, 'partitions' | 'takes' | 'onState' | 'onBatch'> {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly schema: string;
  readonly log: Logger;
}

/** For the distributed set-up and for the standalone alike. */
export function startLoggedProjector({ log, onState, ...options }: LoggedProjectorOptions): Projector {
  return startProjector({
    ...options,
    onState: (state) => {
      report(log, state);
      onState?.(state);
    },
  });
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
