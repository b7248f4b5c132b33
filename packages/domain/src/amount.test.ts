import fc from 'fast-check';
import { test } from 'tap';
import {
  AMOUNT_MAX,
  CREDITS,
  divideHalfEven,
  divideUp,
  formatAmount,
  formatCredits,
  isCurrency,
  parseAmount,
  parseCredits,
  powerOfTen,
  readAmount,
  scaleOf,
} from './amount.ts';

test('credits count in millionths, currencies in billionths, everything else whole', (t) => {
  t.equal(scaleOf('credits'), 6);
  t.equal(scaleOf('USD'), 9);
  t.equal(scaleOf('tokens'), 0);
  t.ok(isCurrency('EUR'));
  t.notOk(isCurrency('usd'));
  t.notOk(isCurrency('USDT'));
  t.end();
});

const read: readonly [text: string, unit: string, expected: bigint | string][] = [
  ['1', CREDITS, 1_000_000n],
  ['1.0', CREDITS, 1_000_000n],
  ['007.50', CREDITS, 7_500_000n],
  ['0.000001', CREDITS, 1n],
  ['-1.5', CREDITS, -1_500_000n],
  ['-0', CREDITS, 0n],
  ['0.0000010', CREDITS, 1n],
  ['0.0000011', CREDITS, 'too_many_decimals'],
  ['0.000000001', 'USD', 1n],
  ['0.0000000001', 'USD', 'too_many_decimals'],
  ['1.5', 'tokens', 'too_many_decimals'],
  ['1000000000', CREDITS, AMOUNT_MAX * powerOfTen(6)],
  ['1000000000.000001', CREDITS, 'too_large'],
  ['1000000001', CREDITS, 'too_large'],
  ['9'.repeat(500), CREDITS, 'too_large'],
  ['', CREDITS, 'not_a_decimal'],
  ['1.', CREDITS, 'not_a_decimal'],
  ['.5', CREDITS, 'not_a_decimal'],
  ['+1', CREDITS, 'not_a_decimal'],
  ['1e3', CREDITS, 'not_a_decimal'],
  ['NaN', CREDITS, 'not_a_decimal'],
  ['1 ', CREDITS, 'not_a_decimal'],
  ['1\n', CREDITS, 'not_a_decimal'],
  ['0x10', CREDITS, 'not_a_decimal'],
  ['１', CREDITS, 'not_a_decimal'],
];
for (const [text, unit, expected] of read) {
  test(`${JSON.stringify(text.slice(0, 20))} ${unit} reads as ${expected}`, async (t) => {
    t.equal(readAmount(text, unit), expected);
  });
}

test('an amount of our own that is damaged throws: it is not a request, it is a bug', async (t) => {
  for (const text of ['', 'x', '1e5', '0.0000001', '--1']) t.throws(() => parseAmount(text, CREDITS));
});

test('amounts are written without exponent and trailing zeros', async (t) => {
  t.equal(formatCredits(-1_500_000n), '-1.5');
  t.equal(formatCredits(-1n), '-0.000001');
  t.equal(formatCredits(10_000_000n), '10');
  t.equal(formatCredits(0n), '0');
  t.equal(formatAmount(1n, 'USD'), '0.000000001');
  t.equal(formatAmount(120n, 'tokens'), '120');
});

test('an amount survives being written and read, in every unit', async () => {
  const unit = fc.constantFrom(CREDITS, 'USD', 'tokens');
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), unit, (steps, name) => {
      const text = formatAmount(steps, name);
      return (
        parseAmount(text, name) === steps &&
        /^-?(0|[1-9]\d*)(\.\d*[1-9])?$/.test(text) &&
        text !== '-0' &&
        parseCredits(formatCredits(steps)) === steps
      );
    }),
  );
});

test('the quick way and the long way to read an amount agree, at any length', async () => {
  const digits = (max: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: max });
  const decimal = fc.tuple(fc.constantFrom('', '-'), digits(10), fc.option(digits(9), { nil: null }));
  fc.assert(
    fc.property(decimal, fc.constantFrom(CREDITS, 'USD', 'tokens'), ([sign, whole, fraction], unit) => {
      const text = `${sign}${whole}${fraction === null ? '' : `.${fraction}`}`;
      const steps = readAmount(text, unit);
      if (steps === 'too_large') return true;
      // Trailing zeros beyond the unit's places are let pass from outside, and never written by ourselves.
      if ((fraction?.length ?? 0) > scaleOf(unit)) return true;
      return parseAmount(text, unit) === steps;
    }),
    { numRuns: 2_000 },
  );
});

test('around the largest exact Number, amounts are written alike', async (t) => {
  for (const by of [0n, 1n, 2n]) {
    const steps = BigInt(Number.MAX_SAFE_INTEGER) + by;
    t.equal(formatCredits(steps), `9007199254.74${(991n + by).toString().padStart(4, '0')}`);
    t.equal(formatCredits(-steps), `-${formatCredits(steps)}`);
    t.equal(parseCredits(formatCredits(steps)), steps);
  }
});

test('ties go to the even neighbour, below zero too', async (t) => {
  const cases: readonly [bigint, bigint, bigint][] = [
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [-5n, 2n, -2n],
    [-7n, 2n, -4n],
    [1n, 2n, 0n],
    [3n, 2n, 2n],
    [10n, 4n, 2n],
    [11n, 4n, 3n],
    [9n, 4n, 2n],
    [-9n, 4n, -2n],
    [6n, 3n, 2n],
  ];
  for (const [n, d, expected] of cases) t.equal(divideHalfEven(n, d), expected, `${n}/${d}`);
});

test('up is towards positive infinity', async (t) => {
  t.equal(divideUp(7n, 2n), 4n);
  t.equal(divideUp(6n, 2n), 3n);
  t.equal(divideUp(-7n, 2n), -3n);
  t.equal(divideUp(0n, 2n), 0n);
  t.equal(divideUp(1n, 1_000n), 1n);
});
