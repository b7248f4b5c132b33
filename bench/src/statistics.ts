/** Medians, percentiles and ratios. A ratio is taken pair by pair: both sides of a pair ran within the same few seconds. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws RangeError where there is nothing to look at */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('no median of no values');
  return (lower + upper) / 2;
}

/**
 * By nearest rank: the smallest value that at least `percent` of all values do not exceed.
 * @param percent above 0, up to 100
 * @throws RangeError where there are no values
 */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('no percentile of no values');
  return value;
}

/** Ratios of what was measured side by side, in the order of measuring. */
export function pairwiseRatios(ours: readonly number[], yardstick: readonly number[]): Spread {
  if (ours.length !== yardstick.length) throw new RangeError('ratios need pairs');
  return spreadOf(ours.map((value, index) => value / (yardstick[index] ?? Number.NaN)));
}

/** A bucket of a Prometheus histogram: how many observations were at most `le`. */
export interface Bucket {
  readonly le: number;
  readonly count: number;
}

/**
 * A percentile of cumulative buckets, interpolated within the bucket it falls in, as Prometheus does it. Beyond the
 * last finite bound there is nothing to interpolate: that bound is answered. Null where nothing was observed.
 */
export function bucketPercentile(buckets: readonly Bucket[], percent: number): number | null {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return null;
  const rank = (percent / 100) * total;
  let below: Bucket = { le: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank) {
      if (!Number.isFinite(bucket.le)) return below.le;
      return below.le + ((bucket.le - below.le) * (rank - below.count)) / (bucket.count - below.count);
    }
    below = bucket;
  }
  return below.le;
}
