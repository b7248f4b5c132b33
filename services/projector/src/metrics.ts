/** How the projector fares: one observation for each batch. */
import { type Meter, type Reading, SECONDS, SIZES } from '@tallystick/connect';
import type { BatchReport, Projector, ProjectorState } from '@tallystick/projections';

const STATES: readonly ProjectorState['status'][] = [
  'starting',
  'standby',
  'running',
  'waiting',
  'halted',
  'stopped',
];

/** @returns to be told of every batch; `projector` is asked at each scrape, and may be null before it has started */
export function measureProjector(
  meter: Meter,
  projector: () => Pick<Projector, 'lagMs' | 'state'> | null,
): (batch: BatchReport) => void {
  const name = (rest: string): string => `tallystick_projection_${rest}`;
  meter.read(
    'gauge',
    name('lag_seconds'),
    'Age of the oldest event that is not in the read models yet.',
    () => {
      const lag = projector()?.lagMs;
      return lag === undefined ? null : lag / 1000;
    },
  );
  const states = (): Reading => {
    const now = projector()?.state.status ?? 'starting';
    return STATES.map((state) => [{ state }, state === now ? 1 : 0]);
  };
  meter.read('gauge', name('state'), '1 for the state that the projector is in.', states, ['state']);
  const delays = meter.histogram(
    name('delay_seconds'),
    'From recording the oldest event of a batch until it could be read.',
    SECONDS,
  )();
  const writes = meter.histogram(name('write_seconds'), 'Folding and writing a batch.', SECONDS)();
  const sizes = meter.histogram(name('batch_events'), 'Events in one batch.', SIZES)();
  return ({ events, lagMs, writeMs }) => {
    if (events === 0) return;
    delays.observe(lagMs / 1000);
    writes.observe(writeMs / 1000);
    sizes.observe(events);
  };
}
