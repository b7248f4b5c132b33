/** Metrics of the API: rate, errors and duration of every route, refusals, and what the runner counts. */
import { type Catalogue, type Histogram, type Meter, SECONDS } from '@tallystick/connect';
import type { Runner } from '@tallystick/event-store';
import type { Api } from './api.ts';
import { readLedger } from './ledger-metrics.ts';
import type { ProblemCode } from './problems.ts';

/** Told of every answer. */
export type Observe = (method: string, route: string, status: number, seconds: number) => void;

export function measureApi(meter: Meter, { runner, catalogue, reads, refusals }: Api): Observe {
  readRunner(meter, runner);
  readCatalogue(meter, catalogue);
  readLedger(meter, reads.queries);
  readRefusals(meter, refusals);
  const durations = meter.histogram(
    'tallystick_http_request_seconds',
    'Duration of requests by route and status.',
    SECONDS,
    ['method', 'route', 'status'],
  );
  const known = new Map<string, Histogram>();
  return (method, route, status, seconds) => {
    const id = `${method} ${route} ${status}`;
    let histogram = known.get(id);
    if (histogram === undefined) {
      histogram = durations({ method, route, status: String(status) });
      known.set(id, histogram);
    }
    histogram.observe(seconds);
  };
}

function readRefusals(meter: Meter, refusals: ReadonlyMap<ProblemCode, number>): void {
  meter.read(
    'counter',
    'tallystick_refusals_total',
    'Requests and items of arrays refused, by code.',
    () => [...refusals].map(([code, count]) => [{ code }, count]),
    ['code'],
  );
}

function readRunner(meter: Meter, { counts }: Pick<Runner<unknown>, 'counts'>): void {
  const counter = (name: string, help: string, read: () => number): void =>
    meter.read('counter', `tallystick_runner_${name}_total`, help, read);
  counter('appends', 'Appends written.', () => counts.appends);
  counter('events', 'Events written.', () => counts.events);
  counter('conflicts', 'Appends refused because another process was first.', () => counts.conflicts);
  counter('replays', 'Commands that had been recorded before.', () => counts.replays);
  counter('cold_loads', 'Streams loaded into memory.', () => counts.coldLoads);
  counter('unknown_outcomes', 'Appends whose answer was lost.', () => counts.unknownOutcomes);
  meter.read(
    'counter',
    'tallystick_runner_round_trips_total',
    'Round trips to store and read models, by what for.',
    () => Object.entries(counts.roundTrips).map(([kind, count]) => [{ kind }, count]),
    ['kind'],
  );
  const gauge = (name: string, help: string, read: () => number): void =>
    meter.read('gauge', `tallystick_runner_${name}`, help, read);
  gauge('queued', 'Orders waiting.', () => counts.queued);
  gauge('streams', 'Streams in memory.', () => counts.streams);
  gauge('bytes', 'Rough size of the streams in memory.', () => counts.bytes);
}

function readCatalogue(meter: Meter, catalogue: Catalogue): void {
  meter.read(
    'gauge',
    'tallystick_catalogue_age_seconds',
    'Since the feed of keys and prices was last complete.',
    () => (Number.isFinite(catalogue.ageMs()) ? catalogue.ageMs() / 1000 : null),
  );
}
