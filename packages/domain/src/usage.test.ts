import { test } from 'tap';
import {
  DIMENSIONS,
  type Dimension,
  isDimension,
  readQuantity,
  thousandths,
  usedDimensions,
} from './usage.ts';

const cases: readonly [Dimension, unknown, bigint | string][] = [
  ['input_tokens', 1500, 1_500_000n],
  ['input_tokens', 0, 0n],
  ['input_tokens', -0, 0n],
  ['input_tokens', 1.5, 'not_whole'],
  ['images', 0.1, 'not_whole'],
  ['input_tokens', -1, 'negative'],
  ['video_seconds', -0.001, 'negative'],
  ['video_seconds', 12.345, 12_345n],
  ['video_seconds', 0.1, 100n],
  ['video_seconds', 12.3456, 'too_many_decimals'],
  ['audio_seconds', 1e-7, 'too_many_decimals'],
  ['input_tokens', 1_000_000_000_000, 1_000_000_000_000_000n],
  ['input_tokens', 1_000_000_000_001, 'too_large'],
  ['input_tokens', Number.MAX_VALUE, 'too_large'],
  ['input_tokens', Number.NaN, 'not_a_number'],
  ['input_tokens', Number.POSITIVE_INFINITY, 'not_a_number'],
  ['input_tokens', '12', 'not_a_number'],
  ['input_tokens', null, 'not_a_number'],
];
for (const [dimension, value, expected] of cases) {
  test(`${dimension} ${String(value)} reads as ${expected}`, async (t) => {
    t.equal(readQuantity(dimension, value), expected);
  });
}

test('a quantity that was checked before and is wrong now is a bug', async (t) => {
  t.throws(() => thousandths('images', 0.5));
  t.equal(thousandths('images', 2), 2000n);
});

test('only seconds may have decimals', async (t) => {
  for (const [name, kind] of Object.entries(DIMENSIONS)) {
    t.equal(kind, name.endsWith('_seconds') ? 'seconds' : 'whole', name);
  }
});

test('what was not used does not count, and the order is that of the table, not of the sender', async (t) => {
  t.same(usedDimensions({ calls: 1, images: 0, input_tokens: 5 }), ['input_tokens', 'calls']);
  t.same(usedDimensions({}), []);
});

test('names that every object has are no dimensions', async (t) => {
  for (const name of ['toString', '__proto__', 'constructor', '']) t.notOk(isDimension(name), name);
  t.ok(isDimension('calls'));
});
