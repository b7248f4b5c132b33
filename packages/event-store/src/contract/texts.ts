/** Texts are kept to the byte (rule 15), and what a store cannot keep is rejected alone (rule 5). */
import fc from 'fast-check';
import type { Test } from 'tap';
import type { EventStore, NewEvent } from '../port.ts';
import { newStream, someEvent, someEvents, someStream, wholeStream, written } from './fixtures.ts';

const TEXTS = [
  '{"b":1,"a":2,"b":3}',
  '{ "spaced" :\t1.0, "exp": 1e2, "minus": -0 }',
  '{"big":12345678901234567890,"small":0.1000000000000000055511151231257827}',
  '{"text":"流水 – ünïcödé 🧾 \\u0000 \\ud800 escaped","quote":"\\"","slash":"\\/"}',
  '{"cafe\u0301":"caf\u00e9"}',
  `{"line":"\u2028\u2029\u007f\ufeff\ufffe"}`,
  '"a bare string"',
  'null',
  '{}',
];

const mebibyte = 1024 * 1024;
/** Each is an event that no store may take, and why. */
const BAD: ReadonlyArray<[string, Partial<NewEvent>]> = [
  ['NUL in data', { data: '{"a":"\u0000"}' }],
  ['NUL in meta', { meta: '{"a":"\u0000"}' }],
  ['NUL in the key', { key: 'a\u0000b' }],
  ['NUL in the type', { type: 'A\u0000' }],
  ['a lone surrogate in data', { data: '{"a":"\ud800"}' }],
  ['a lone surrogate in meta', { meta: '{"a":"\udc00x"}' }],
  ['a lone surrogate in the key', { key: '\udfff' }],
  ['a key of 2 KiB', { key: 'k'.repeat(2048) }],
  ['an empty type', { type: '' }],
  ['an id that is no UUID', { id: 'not-a-uuid' }],
  ['an id in upper case', { id: '9C73503C-A0A1-42BE-BE64-20B505B37D1D' }],
  ['more than 1 MiB', { data: JSON.stringify('x'.repeat(mebibyte)) }],
  ['more than 1 MiB in bytes, not in characters', { data: JSON.stringify('流'.repeat(mebibyte / 2)) }],
];

export async function textsContract(t: Test, store: EventStore): Promise<void> {
  await t.test('data and meta are read back to the byte', async (t) => {
    const events = TEXTS.map((text) => someEvent({ data: text, meta: text }));
    const stream = await newStream(store, events);
    const read = await wholeStream(store, stream);
    t.same(
      read.map((event) => [event.data, event.meta]),
      TEXTS.map((text) => [text, text]),
    );
  });

  await t.test('any JSON text, key and type is read back to the byte', async (t) => {
    const text = fc.json({ stringUnit: 'binary', maxDepth: 3 });
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    const event = fc.record({ data: text, meta: text, type: word, key: fc.option(word) });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(event, { minLength: 1, maxLength: 8, selector: (e) => e.key ?? e }),
        async (parts) => {
          const events = parts.map((part) => someEvent(part));
          const stream = await newStream(store, events);
          const read = await wholeStream(store, stream);
          t.same(
            read.map(({ id, type, key, data, meta }) => ({ id, type, key, data, meta })),
            events,
          );
        },
      ),
      { numRuns: 20 },
    );
  });

  await t.test('what a store cannot keep is rejected, and nothing of its append is written', async (t) => {
    for (const [why, parts] of BAD) {
      const stream = someStream();
      const result = await store.append({ stream, expected: -1, events: [someEvent(), someEvent(parts)] });
      t.equal(result.status, 'rejected', why);
      if (result.status === 'rejected') t.ok(result.reason, 'with a reason');
      t.equal(await store.head(stream), -1);
    }
    const empty = await store.append({ stream: someStream(), expected: -1, events: [] });
    t.equal(empty.status, 'rejected', 'an append without events');
    const stream = `${someStream()}\u0000`;
    const nameless = await store.append({ stream, expected: -1, events: [someEvent()] });
    t.equal(nameless.status, 'rejected', 'NUL in the name of the stream');
  });

  await t.test('a large append below the limit is kept whole', async (t) => {
    const data = JSON.stringify('流'.repeat(280 * 1024));
    const stream = await newStream(store, [someEvent({ data }), someEvent()]);
    t.ok((await wholeStream(store, stream))[0]?.data === data);
    t.equal(await store.head(stream), 1);
  });

  await t.test('many events of one append are kept whole', async (t) => {
    const events = someEvents(500);
    const stream = await newStream(store, events);
    t.same(
      (await wholeStream(store, stream)).map((event) => event.id),
      events.map((event) => event.id),
    );
  });

  await t.test('a bad append does not spoil those in flight with it (rule 5)', async (t) => {
    const good = Array.from({ length: 20 }, () => someStream());
    const bad = BAD.map(([, parts]) => someEvent(parts));
    const results = await Promise.all(
      good.flatMap((stream, index) => {
        const spoilt = bad[index % bad.length] ?? someEvent();
        return [
          store.append({ stream, expected: -1, events: [someEvent()] }),
          store.append({ stream: someStream(), expected: -1, events: [spoilt] }),
        ];
      }),
    );
    t.same(
      results.map((result) => result.status),
      good.flatMap(() => ['appended', 'rejected']),
    );
    for (const stream of good) await written(store, { stream, expected: 0, events: [someEvent()] });
  });
}
