import t from 'tap';
import { differences, type Json } from './differences.ts';

const first = { id: 'a', free: '1n' };
const second = { id: 'b', free: '2n' };

t.test('what differs is named by its path', async (t) => {
  const cases: [Json, Json, string, string | null, string | null][] = [
    [{ of: 1 }, { of: '1' }, 'of', '1', '1'],
    [{ of: null }, {}, 'of', 'null', null],
    [{}, { more: true }, 'more', null, 'true'],
    [{ of: { inner: 'x' } }, { of: { inner: 'y' } }, 'of.inner', 'x', 'y'],
    [{ lots: [first, second] }, { lots: [first, { ...second, free: '3n' }] }, 'lots.b.free', '2n', '3n'],
    [{ lots: [first, second] }, { lots: [first] }, 'lots.b', JSON.stringify(second), null],
    [{ lots: [first] }, { lots: [first, second] }, 'lots.b', null, JSON.stringify(second)],
    [{ lots: [first] }, { lots: [first, first] }, 'lots[1]', null, 'a'],
    [{ lots: [first] }, { lots: null }, 'lots', JSON.stringify([first]), 'null'],
    [{ pins: [{ lot: 'a', paid: '1n' }] }, { pins: [{ lot: 'a', paid: '2n' }] }, 'pins.a.paid', '1n', '2n'],
    [{ frozen: [['f', 'why']] }, { frozen: [] }, 'frozen.f', '["f","why"]', null],
    [{}, null, '', '{}', 'null'],
  ];
  for (const [expected, found, path, due, is] of cases)
    t.same([...differences(expected, found)], [{ path, expected: due, found: is }], path);
});

t.test('lists are in their order, members of an object in any', async (t) => {
  const [swapped] = differences({ lots: [first, second] }, { lots: [second, first] });
  t.same(swapped, { path: 'lots[0]', expected: 'a', found: 'b' });
  t.same([...differences({ a: 1, b: [first] }, { b: [{ free: '1n', id: 'a' }], a: 1 })], []);
});
