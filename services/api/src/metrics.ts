/** Metrics for Prometheus: rate, errors and duration of every route, the runner's counts, the read models' lag. */
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Api } from './api.ts';

export interface Metrics {
  readonly contentType: string;
  observe(method: string, route: string, status: number, seconds: number): void;
  text(): Promise<string>;
}

const BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(api: Api): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'tallystick_http_request_seconds',
    help: 'Duration of requests by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  type Child = ReturnType<typeof durations.labels>;
  // Looking a child up by its labels hashes them anew each time: kept here.
  const children = new Map<string, Child>();
  gauges(registry, api);
  return {
    contentType: registry.contentType,
    observe(method, route, status, seconds) {
      const id = `${method} ${route} ${status}`;
      let child = children.get(id);
      if (child === undefined) {
        child = durations.labels(method, route, String(status));
        children.set(id, child);
      }
      child.observe(seconds);
    },
    text: () => registry.metrics(),
  };
}

function gauges(registry: Registry, { runner, reads, catalogue }: Api): void {
  const { counts } = runner;
  const gauge = (name: string, help: string, value: () => number | null): void => {
    new Gauge({
      name: `tallystick_${name}`,
      help,
      registers: [registry],
      collect() {
        const now = value();
        if (now !== null) this.set(now);
      },
    });
  };
  gauge('runner_appends_total', 'Appends written.', () => counts.appends);
  gauge('runner_events_total', 'Events written.', () => counts.events);
  gauge(
    'runner_conflicts_total',
    'Appends refused because another process was first.',
    () => counts.conflicts,
  );
  gauge('runner_replays_total', 'Commands that had been recorded before.', () => counts.replays);
  gauge('runner_cold_loads_total', 'Streams loaded into memory.', () => counts.coldLoads);
  gauge(
    'runner_unknown_outcomes_total',
    'Appends whose fate had to be asked for.',
    () => counts.unknownOutcomes,
  );
  gauge('runner_queued', 'Orders waiting.', () => counts.queued);
  gauge('runner_streams', 'Streams in memory.', () => counts.streams);
  gauge('runner_bytes', 'Rough size of the streams in memory.', () => counts.bytes);
  new Gauge({
    name: 'tallystick_runner_round_trips_total',
    help: 'Round trips to store and read models, by what for.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, count] of Object.entries(counts.roundTrips)) this.set({ kind }, count);
    },
  });
  gauge('projection_lag_seconds', 'Age of the oldest event that is not in the read models yet.', () => {
    const lag = reads.lagMs();
    return lag === null ? null : lag / 1000;
  });
  gauge('catalogue_age_seconds', 'Since the feed of keys and prices was last complete.', () =>
    Number.isFinite(catalogue.ageMs()) ? catalogue.ageMs() / 1000 : null,
  );
}
