/** Values and bodies that no schema admits: wrong types, what is missing or too much, prototype keys, broken JSON. */
import fc, { type Arbitrary } from 'fast-check';
import { EDGE_NUMBERS, EDGE_TEXTS } from './fuzz-words.ts';

/** Anything that JSON can say. */
export const anything: Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(...EDGE_TEXTS, ...EDGE_NUMBERS, null, true, [], {}, [[]], [null]),
  fc.constantFrom(10, 500, 3_000).map(nested),
);

/** Nested more deeply than anybody means. */
export function nested(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { deeper: value };
  return value;
}

type Path = readonly (string | number)[];

/** The value, with one part of it replaced, taken out, doubled or joined by what does not belong there. */
export function spoilt(values: Arbitrary<unknown>): Arbitrary<unknown> {
  const ways = fc.constantFrom('replace', 'remove', 'add', 'double');
  const names = fc.constantFrom(...EDGE_TEXTS, 'prototype', 'extra', 'id');
  return fc.tuple(values, fc.nat(200), ways, names, anything).map(([value, where, way, name, strange]) => {
    const paths = [...pathsOf(value)];
    const path = paths[where % paths.length] ?? [];
    return changed(value, path, (part, isMember) => {
      if (way === 'remove' && isMember) return undefined;
      if (way === 'double') return [part, part];
      if (way === 'add' && part !== null && typeof part === 'object' && !Array.isArray(part))
        return Object.fromEntries([...Object.entries(part), [name, strange]]);
      return strange;
    });
  });
}

function* pathsOf(value: unknown, at: Path = []): Generator<Path> {
  yield at;
  if (value === null || typeof value !== 'object') return;
  for (const [name, member] of Object.entries(value).slice(0, 20)) yield* pathsOf(member, [...at, name]);
}

function changed(
  value: unknown,
  [first, ...rest]: Path,
  change: (part: unknown, isMember: boolean) => unknown,
  isMember = false,
): unknown {
  if (first === undefined) return change(value, isMember);
  const inner = (part: unknown) => changed(part, rest, change, !Array.isArray(value));
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === first ? inner(item) : item));
  const members = Object.entries(value as object);
  return Object.fromEntries(members.map(([name, member]) => [name, name === first ? inner(member) : member]));
}

/** A body as it goes over the wire. */
export interface Wire {
  readonly contentType: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

export const asJson = (value: unknown): Wire => ({
  contentType: 'application/json',
  bytes: Buffer.from(JSON.stringify(value) ?? ''),
});

const TYPES = [
  null,
  '',
  'garbage',
  'text/plain',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/problem+json',
  'application/json; charset=utf-16',
  'application/json;;;',
  'application/json, application/json',
];

/** A good body in the wrong clothes, or bytes that are no JSON at all. */
export function brokenWire(values: Arbitrary<unknown>): Arbitrary<Wire> {
  const texts = values.map((value) => JSON.stringify(value) ?? '');
  const json = (bytes: Buffer): Wire => ({ contentType: 'application/json', bytes });
  return fc.oneof(
    fc.tuple(texts, fc.nat()).map(([text, at]) => json(Buffer.from(text.slice(0, at % (text.length + 1))))),
    fc
      .tuple(texts, fc.constantFrom(...TYPES))
      .map(([text, contentType]) => ({ contentType, bytes: Buffer.from(text) })),
    texts.map((text) => json(Buffer.from(text, 'utf16le'))),
    texts.map((text) => json(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]))),
    texts.map((text) => json(Buffer.from(text.replace('"', '"\x80'), 'latin1'))),
    texts.map((text) => ({ ...json(Buffer.from(text)), headers: { 'content-encoding': 'gzip' } })),
    texts.map((text) => json(Buffer.from(text.replace('{', '{"__proto__":{"id":"x"},')))),
    texts.map((text) => json(Buffer.from(text.replace('{', '{"constructor":{"prototype":{}},')))),
    texts.map((text) => json(Buffer.from(text.replace(/:(\d+|"[^"]*")/, ':1e999')))),
    texts.map((text) => json(Buffer.from(`${text}${text}`))),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => json(Buffer.from(bytes))),
    fc.constantFrom(1_000, 100_000).map((depth) => json(Buffer.from('['.repeat(depth)))),
    fc
      .constantFrom(1_000, 100_000)
      .map((depth) => json(Buffer.from(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`))),
    fc.constantFrom('', 'null', 'true', '0', '"text"', '[]', '{}').map((text) => json(Buffer.from(text))),
  );
}
