import fc from 'fast-check';
import { test } from 'tap';
import {
  add,
  divide,
  formatRational,
  multiply,
  readRational,
  reduce,
  roundUpTo,
  times,
  ZERO,
} from './rational.ts';

const fraction = fc.record({ n: fc.bigInt(-10_000n, 10_000n), d: fc.bigInt(1n, 10_000n) });

test('a decimal is read exactly, and nothing else is', async (t) => {
  t.same(readRational('0.03'), { n: 3n, d: 100n });
  t.same(readRational('2'), { n: 2n, d: 1n });
  for (const text of ['-1', '1e3', '', '.5', '1.', 'x']) t.equal(readRational(text), undefined, text);
});

test('sums and products lose nothing', async () => {
  fc.assert(
    fc.property(fraction, fraction, (a, b) => {
      const sum = add(a, b);
      const product = multiply(a, b);
      return (
        sum.n * a.d * b.d === (a.n * b.d + b.n * a.d) * sum.d &&
        product.n * a.d * b.d === a.n * b.n * product.d
      );
    }),
  );
});

test('what is divided by something and multiplied by it is as before', async () => {
  fc.assert(
    fc.property(fraction, fc.bigInt(1n, 999n), (a, factor) => {
      const back = times(divide(a, { n: factor, d: 1n }), factor);
      return back.n * a.d === a.n * back.d;
    }),
  );
});

test('a sum of many thirds is rounded once, not many times', async (t) => {
  const third = { n: 1n, d: 3n };
  let sum = ZERO;
  for (let i = 0; i < 300; i += 1) sum = add(sum, third);
  t.equal(roundUpTo(sum, 1n), 100n);
});

test('rounding up goes to the next multiple of the step, and stays on one', async (t) => {
  t.equal(roundUpTo({ n: 15n, d: 2n }, 1n), 8n);
  t.equal(roundUpTo({ n: 8n, d: 1n }, 1n), 8n);
  t.equal(roundUpTo({ n: 8_000_001n, d: 1_000_000n }, 5n), 10n);
  t.equal(roundUpTo({ n: 0n, d: 7n }, 5n), 0n);
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 12n), fc.bigInt(1n, 10_000n), fc.bigInt(1n, 10_000n), (n, d, step) => {
      const up = roundUpTo({ n, d }, step);
      return up % step === 0n && up * d >= n && (up - step) * d < n;
    }),
  );
});

test('a fraction that ends is written as a decimal, one that does not as a fraction', async (t) => {
  t.equal(formatRational({ n: 7_500_000n, d: 1n }, 6), '7.5');
  t.equal(formatRational({ n: 22_000_000n, d: 3n }, 6), '22/3');
  t.equal(formatRational({ n: 1n, d: 8n }, 0), '0.125');
  t.equal(formatRational({ n: 1n, d: 1024n }, 6), '0.0000000009765625');
  t.equal(formatRational({ n: 6n, d: 4n }, 0), '1.5');
  t.equal(formatRational(ZERO, 6), '0');
  t.same(reduce({ n: -6n, d: 4n }), { n: -3n, d: 2n });
});
