import { test } from 'tap';
import { FAILURES_MAX, RETRY_AFTER_MS, restMs, retryAfterMs } from './schedule.ts';

const HOUR = 3_600_000;

test('a message is tried ten times over three days, further and further apart', async (t) => {
  const waits = Array.from({ length: 10 }, (_, index) => retryAfterMs(index + 1, null, 0));
  t.same(waits, [
    5_000,
    300_000,
    1_800_000,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
    null,
  ]);
  const whole = RETRY_AFTER_MS.reduce((sum, ms) => sum + ms, 0);
  t.ok(whole > 72 * HOUR && whole * 1.2 < 5 * 24 * HOUR, 'and done before it is given up');
});

test('chance parts those that have failed together, by up to a fifth, and never earlier', async (t) => {
  t.equal(retryAfterMs(1, null, 0.5), 5_500);
  t.equal(retryAfterMs(9, null, 1), 28.8 * HOUR);
});

test('a receiver that asks for more time gets it, but not for less', async (t) => {
  t.equal(retryAfterMs(1, 60_000, 0), 60_000);
  t.equal(retryAfterMs(9, 60_000, 0), 24 * HOUR);
  t.equal(retryAfterMs(10, 60_000, 0), null);
});

test('an endpoint rests after ten failures in a row, longer and longer up to half an hour', async (t) => {
  t.equal(restMs(FAILURES_MAX - 1), null);
  const rests = [0, 1, 2, 3, 4, 5, 100_000].map((more) => restMs(FAILURES_MAX + more));
  t.same(rests, [60_000, 120_000, 240_000, 480_000, 960_000, 1_800_000, 1_800_000]);
});
