/** How appends fare at the store, as the runner meets it: one observation for each append, however many events it has. */
import { type Meter, SECONDS, SIZES } from '@tallystick/connect';
import type { AppendObserver, AppendOutcome } from '@tallystick/event-store';

export function measureAppends(meter: Meter): AppendObserver {
  const seconds = meter.histogram(
    'tallystick_append_seconds',
    'From handing an append to the store until it was durable.',
    SECONDS,
  )();
  const sizes = meter.histogram('tallystick_append_events', 'Events in one append.', SIZES)();
  const outcomes: Record<AppendOutcome, number> = {
    appended: 0,
    conflict: 0,
    duplicate_keys: 0,
    rejected: 0,
    unwritten: 0,
    unknown: 0,
    failed: 0,
  };
  meter.read(
    'counter',
    'tallystick_append_outcomes_total',
    'Appends by what the store answered.',
    () => Object.entries(outcomes).map(([outcome, count]) => [{ outcome }, count]),
    ['outcome'],
  );
  return ({ events }) => {
    const began = performance.now();
    return (outcome) => {
      outcomes[outcome] += 1;
      if (outcome !== 'appended') return;
      seconds.observe((performance.now() - began) / 1000);
      sizes.observe(events.length);
    };
  };
}

/** Told of each transaction of the Postgres store; on EventStoreDB there are none. */
export function measureGroups(meter: Meter): (appends: number) => void {
  const sizes = meter.histogram(
    'tallystick_append_group_streams',
    'Appends, and so streams, in one transaction of the Postgres store.',
    SIZES,
  )();
  return (appends) => sizes.observe(appends);
}
