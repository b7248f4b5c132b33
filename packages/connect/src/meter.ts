/** What the ledger measures of itself, on `prom-client`: said once for every process, so that all have the same. */
import { Counter, collectDefaultMetrics, Gauge, Histogram as PromHistogram, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;
/** Null: not known at present, so the series is left out. */
export type Reading = number | null | readonly (readonly [Labels, number])[];

export interface Histogram {
  observe(value: number): void;
}

export interface Meter {
  /** Asked at each scrape; a reading that fails or is null is left out. `counter` only ever grows. */
  read(
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    reading: () => Reading | Promise<Reading>,
    labelNames?: readonly string[],
  ): void;
  /** @returns the histogram of one set of labels; keep it, rather than asking again: that hashes the labels each time */
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly string[],
  ): (labels?: Labels) => Histogram;
  /** What `GET /metrics` answers. */
  text(): Promise<string>;
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** From a tenth of a millisecond to ten seconds. */
export const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** How many came together. */
export const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/** With what every process tells of itself: memory, CPU, event loop, garbage. */
export function createMeter(): Meter {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    read(kind, name, help, reading, labelNames = []) {
      const options = { name, help, labelNames: [...labelNames], registers: [registry], collect };
      if (kind === 'counter') new Counter(options);
      else new Gauge(options);
      async function collect(this: Counter | Gauge): Promise<void> {
        show(this, await knownOf(reading), labelNames.length > 0);
      }
    },
    histogram(name, help, buckets, labelNames = []) {
      const options = {
        name,
        help,
        buckets: [...buckets],
        labelNames: [...labelNames],
        registers: [registry],
      };
      const histogram = new PromHistogram(options);
      return (labels = {}) => histogram.labels(labels);
    },
    text: () => registry.metrics(),
  };
}

async function knownOf(reading: () => Reading | Promise<Reading>): Promise<Reading> {
  try {
    return await reading();
  } catch {
    return null;
  }
}

/** Only what was read now: series of an earlier scrape are gone. */
function show(metric: Counter | Gauge, reading: Reading, hasLabels: boolean): void {
  metric.reset();
  if (reading === null) {
    // Without labels it is zero again by that; with labels it has no series, and to remove the zero would throw.
    if (!hasLabels) metric.remove();
  } else if (typeof reading === 'number') metric.inc(reading);
  else for (const [labels, value] of reading) metric.inc(labels, value);
}
