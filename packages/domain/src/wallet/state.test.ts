import fc from 'fast-check';
import { test } from 'tap';
import { birthOf, burnsBefore, type Lot, shareOf } from './state.ts';

const lot = (marks: Partial<Lot>): Lot => ({
  id: 'lot-1',
  unit: 'credits',
  priority: 100,
  expiresAt: null,
  withdrawable: 0n,
  origin: { kind: 'grant', of: 'promo', ref: 'x' },
  born: 1,
  quantity: 1n,
  currency: null,
  paidInAll: 0n,
  free: 1n,
  paid: 0n,
  pinned: 0n,
  ...marks,
});

/** Few values, so that marks are often equal; the id leads to the birth. */
const anyLot = fc
  .record({
    priority: fc.constantFrom(1, 100),
    expiresAt: fc.constantFrom(null, 5, 9),
    withdrawable: fc.constantFrom(0n, 3n),
    born: fc.integer({ min: 1, max: 3 }),
    place: fc.integer({ min: 0, max: 12 }),
  })
  .map(({ place, ...marks }) => lot({ ...marks, id: `lot-${marks.born}${place === 0 ? '' : `.${place}`}` }));

test('each mark decides only between those that are equal in the marks before it (rule 26)', async (t) => {
  const order = [
    lot({ priority: 1, expiresAt: null, withdrawable: 9n, born: 9, id: 'lot-9' }),
    lot({ expiresAt: 5, withdrawable: 9n, born: 9, id: 'lot-9' }),
    lot({ expiresAt: 9, withdrawable: 9n, born: 9, id: 'lot-9' }),
    lot({ withdrawable: 0n, born: 8, id: 'lot-8' }),
    lot({ withdrawable: 1n, born: 2, id: 'lot-2' }),
    lot({ withdrawable: 5n, born: 7, id: 'lot-7' }),
    lot({ withdrawable: 5n, born: 7, id: 'lot-7.2' }),
    lot({ withdrawable: 5n, born: 7, id: 'lot-7.10' }),
  ];
  t.same([...order].reverse().sort(burnsBefore), order);
});

test('the burn order is total: whatever order lots come in, they burn in one', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyLot, { selector: ({ id }) => id }), (lots) => {
      const sorted = [...lots].sort(burnsBefore);
      const again = [...lots].reverse().sort(burnsBefore);
      return (
        sorted.every((each, index) => each === again[index]) &&
        sorted.every((each, index) => index === 0 || burnsBefore(sorted[index - 1] ?? each, each) < 0)
      );
    }),
  );
});

test('a lot leads to the event of its birth', async (t) => {
  t.equal(birthOf('lot-17'), 17);
  t.equal(birthOf('lot-17.2'), 17);
  t.equal(birthOf('imported'), undefined);
});

test('money that is taken out of a stock in parts is all taken, and never more (rule 22)', async () => {
  const parts = fc.array(fc.bigInt(1n, 1_000n), { minLength: 1 });
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 12n), parts, (paid, all) => {
      let credits = all.reduce((sum, part) => sum + part, 0n);
      let left = paid;
      for (const part of all) {
        const share = shareOf(left, part, credits);
        if (share < 0n || share > left) return false;
        // To the nearest step.
        const off = 2n * (share * credits - left * part);
        if (off > credits || off < -credits) return false;
        credits -= part;
        left -= share;
      }
      return left === 0n;
    }),
  );
});
