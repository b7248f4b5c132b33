import t from 'tap';
import { lagsOf } from './lags.ts';
import { bucketPercentile, median, pairwiseRatios, percentile, spreadOf } from './statistics.ts';

t.test('the median is the middle value, or the mean of the two in the middle', async (t) => {
  t.equal(median([5, 1, 3]), 3);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([7]), 7);
  t.equal(median([10, 9, 100]), 10, 'in the order of numbers, not of their texts');
  t.throws(() => median([]), RangeError);
});

t.test('a spread says median, least and most', async (t) => {
  t.same(spreadOf([3, 9, 1]), { median: 3, min: 1, max: 9 });
});

t.test('a percentile is the smallest value that so many do not exceed', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.equal(percentile(hundred, 50), 50);
  t.equal(percentile(hundred, 99), 99);
  t.equal(percentile(hundred, 100), 100);
  t.equal(percentile([1, 2, 3], 99), 3, 'of few values the largest');
  t.equal(percentile(Float64Array.of(8), 1), 8);
  t.throws(() => percentile([], 50), RangeError);
});

t.test(
  'ratios are taken pair by pair, so that a machine that slows down for both changes nothing',
  async (t) => {
    t.same(pairwiseRatios([30, 15, 40], [100, 50, 100]), { median: 0.3, min: 0.3, max: 0.4 });
    t.throws(() => pairwiseRatios([1, 2], [1]), RangeError);
  },
);

t.test('a percentile of a histogram is interpolated within its bucket', async (t) => {
  const buckets = [
    { le: 1, count: 90 },
    { le: 2, count: 98 },
    { le: 4, count: 100 },
    { le: Number.POSITIVE_INFINITY, count: 100 },
  ];
  t.equal(bucketPercentile(buckets, 45), 0.5);
  t.equal(bucketPercentile(buckets, 98), 2);
  t.equal(bucketPercentile(buckets, 99), 3);
  t.equal(bucketPercentile([], 99), null);
  const beyond = [
    { le: 1, count: 1 },
    { le: Number.POSITIVE_INFINITY, count: 100 },
  ];
  t.equal(bucketPercentile(beyond, 99), 1, 'beyond the last bound only that bound is known');
});

t.test(
  'a charge is seen at the first look at or beyond its position; what no look reached is counted',
  async (t) => {
    const sent = [
      [0, 1],
      [10, 3],
      [5, 2],
      [20, 9],
    ] as const;
    const looks = [
      [12, 0],
      [22, 2],
      [32, 3],
      [42, 8],
    ] as const;
    t.same(lagsOf(sent, looks), { lags: [22, 17, 22], unseen: 1 });
  },
);
