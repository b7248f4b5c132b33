import fc from 'fast-check';
import t from 'tap';
import { stepsOf, textOf } from './decimal.ts';

t.test('any number of steps is read from its text as it was, however long it is', async (t) => {
  const steps = fc.oneof(
    fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
    fc.bigInt(-(10n ** 17n), 10n ** 17n),
  );
  fc.assert(fc.property(steps, (amount) => stepsOf(textOf(amount)) === amount));
  t.equal(stepsOf('-0.000000001'), -1n);
  t.equal(stepsOf('9007199.254740993'), 9_007_199_254_740_993n, 'more than a float holds');
  t.equal(stepsOf('123456789012345'), 123_456_789_012_345_000_000_000n);
});

t.test('what is not a plain decimal of at most nine places is not read', async (t) => {
  const texts = ['', '-', '.', '1.', '.5', '1.2.3', '1e3', ' 1', '+1', '0x1', '١', '1234567890123456.'];
  for (const text of texts) t.throws(() => stepsOf(text), /not an amount/, text);
  for (const text of ['0.0000000001', '1234567890.0000000001'])
    t.throws(() => stepsOf(text), /decimal places/, text);
});
