import fc from 'fast-check';
import t from 'tap';
import { validate, version } from 'uuid';
import { engineId, retryDelayMs } from './engine.ts';

t.test('an id is a UUID made of queue, fact and round, and of nothing else', async (t) => {
  const texts = fc.tuple(fc.string(), fc.string(), fc.string());
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      const id = engineId(...one);
      if (!validate(id) || version(id) !== 5 || id.includes(':')) return false;
      return (engineId(...other) === id) === (one.join('\u{10ffff}') === other.join('\u{10ffff}'));
    }),
  );
  t.not(engineId('a', 'b:c', ''), engineId('a:b', 'c', ''));
});

t.test('a retry waits between one and two times the doubled pace, and never above the bound', async (t) => {
  const pace = { firstSeconds: 2, secondsMax: 60 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, chance) => {
        const ms = retryDelayMs(n, pace, () => chance);
        const least = 2_000 * 2 ** Math.min(15, n - 1);
        return ms <= 60_000 && ms >= Math.min(60_000, least) && ms <= 2 * least;
      },
    ),
  );
  t.pass();
});
