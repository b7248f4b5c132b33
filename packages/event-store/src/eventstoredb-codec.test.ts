import fc from 'fast-check';
import t from 'tap';
import { fromCursor, keyAndMeta, storedMeta, toCursor, uuidText } from './eventstoredb-codec.ts';
import { structured } from './testing/eventstoredb-messages.ts';

const plain: ReadonlyArray<[string | null, string]> = [
  ['usage:1', '{"v":1,"key":"usage:1","fp":"x"}'],
  [null, '{"v":1,"key":null,"fp":null}'],
  ['a', '{"fp":"x","key":"a"}'],
  ['a"b', '{"v":1,"key":"a\\"b"}'],
  [null, '{}'],
  [null, '{"facts":{"key":"inner"}}'],
  [null, 'null'],
  [null, '"key"'],
];

t.test('a meta that says the key is stored as it is', async (t) => {
  for (const [key, meta] of plain) {
    t.equal(storedMeta({ key, meta }), meta);
    t.same(keyAndMeta(meta), { key, meta });
  }
});

t.test('a meta that says another key, or looks as if it were wrapped, is wrapped', async (t) => {
  const odd: ReadonlyArray<[string | null, string]> = [
    ['a', '{}'],
    [null, '{"v":1,"key":"a"}'],
    ['b', '{"v":1,"key":"b","key":"c"}'],
    [null, '{"$ledger_key":"a","$ledger_meta":"b"}'],
    [null, ''],
    ['', 'no json'],
  ];
  for (const [key, meta] of odd) {
    t.not(storedMeta({ key, meta }), meta);
    t.same(keyAndMeta(storedMeta({ key, meta })), { key, meta });
  }
});

t.test('key and meta are read back to the byte, whatever they are', async (t) => {
  const word = fc.string({ unit: 'grapheme' });
  const object = fc
    .dictionary(fc.oneof(fc.constant('key'), word), fc.jsonValue())
    .map((value) => JSON.stringify(value));
  const meta = fc.oneof(
    object,
    fc.json(),
    word,
    object.map((text) => storedMeta({ key: 'k', meta: text })),
  );
  fc.assert(
    fc.property(fc.option(word), meta, (key, meta) => {
      t.same(keyAndMeta(storedMeta({ key, meta })), { key, meta });
    }),
  );
});

t.test('ids that come as two numbers are read as text', async (t) => {
  fc.assert(fc.property(fc.uuid(), (id) => t.equal(uuidText(structured(id)), id)));
});

t.test('a cursor holds commit and prepare', async (t) => {
  const number = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(number, number, (commit, prepare) =>
      t.same(fromCursor(toCursor({ commit, prepare })), { commit, prepare }),
    ),
  );
  t.throws(() => fromCursor('12'), RangeError);
});
