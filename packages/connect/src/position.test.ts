import t from 'tap';
import { formatPosition, parsePosition } from './position.ts';

t.test('a position of a later epoch is above every one of an earlier', async (t) => {
  t.equal(formatPosition(0, 17n), '17');
  t.ok(BigInt(formatPosition(1, 0n)) > BigInt(formatPosition(0, 10n ** 18n - 1n)));
  t.equal(parsePosition(1, formatPosition(1, 17n)), 17n);
  t.equal(parsePosition(1, '17'), 0n, 'all of an earlier epoch is here');
  t.equal(parsePosition(1, formatPosition(2, 0n)), null, 'nothing of a later one is');
});
