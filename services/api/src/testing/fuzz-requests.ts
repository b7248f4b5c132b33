/**
 * Requests for every operation of the OpenAPI document, so that a route that is added is covered without a word here.
 * Most keep the schema, some break it in one place, some keep nothing.
 */
import fc, { type Arbitrary } from 'fast-check';
import { anything, asJson, brokenWire, spoilt, type Wire } from './fuzz-faults.ts';
import { fitting, type JsonSchema, type Place } from './fuzz-schema.ts';
import { EDGE_TEXTS, type World } from './fuzz-words.ts';

export interface FuzzRequest {
  /** `POST /v1/usage`: the operation that was meant. */
  readonly operation: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: JsonSchema;
}
interface Described {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
}
export interface FuzzedDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

/** @param keys of callers, the one that may do everything first */
export function requestsOf(
  document: FuzzedDocument,
  world: World,
  keys: readonly string[],
): ReadonlyMap<string, Arbitrary<FuzzRequest>> {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([verb, described]): [string, Arbitrary<FuzzRequest>] => {
      const method = verb.toUpperCase();
      const operation = `${method} ${path}`;
      return [operation, requestOf({ operation, method, path }, described, world, keys)];
    }),
  );
  return new Map(all);
}

interface Target {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
}

function requestOf(
  { operation, method, path }: Target,
  { parameters = [], requestBody }: Described,
  world: World,
  keys: readonly string[],
): Arbitrary<FuzzRequest> {
  const of = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place);
  const schema = requestBody?.content['application/json']?.schema;
  const place: Place = { name: '', path, world };
  return fc
    .record({
      method: fc.oneof(
        { weight: 60, arbitrary: fc.constant(method) },
        { weight: 1, arbitrary: fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD') },
      ),
      path: pathOf(path, of('path'), world),
      query: queryOf(of('query'), place),
      authorization: authorizations(keys),
      wire: schema === undefined ? bodiless() : wireOf(fitting(schema, place), LASTING.has(operation)),
    })
    .map(({ method: sent, path: segments, query, authorization, wire }) => ({
      operation,
      method: sent,
      url: `${segments}${query}`,
      headers: {
        ...(authorization === null ? {} : { authorization }),
        ...(wire === null || wire.contentType === null ? {} : { 'content-type': wire.contentType }),
        ...wire?.headers,
      },
      body: wire?.bytes ?? null,
    }));
}

/** What may take years where a number is any number: only what the words say is sent there, or what is no JSON. */
const LASTING: ReadonlySet<string> = new Set(['POST /v1/test-clock/advance']);

function wireOf(values: Arbitrary<unknown>, isLasting: boolean): Arbitrary<Wire | null> {
  return fc.oneof(
    { weight: 24, arbitrary: values.map(asJson) },
    ...(isLasting
      ? []
      : [
          { weight: 6, arbitrary: spoilt(values).map(asJson) },
          { weight: 1, arbitrary: anything.map(asJson) },
        ]),
    { weight: 3, arbitrary: brokenWire(values) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

/** Nothing is asked for, and now and then something comes all the same. */
function bodiless(): Arbitrary<Wire | null> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: anything.map(asJson) },
  );
}

/** As they stand in a URL, with nothing done to them. */
const ABSURD_SEGMENTS = [
  '%',
  '%zz',
  '%00',
  '%ff',
  '%ED%A0%80',
  '%2F',
  '%252F',
  '..',
  '.',
  '%2e%2e',
  ';a=b',
  '*',
  ':id',
  '{id}',
  '__proto__',
  'a'.repeat(201),
  'a'.repeat(5_000),
];

function pathOf(path: string, parameters: readonly Parameter[], world: World): Arbitrary<string> {
  const segments = path.split('/').map((segment): Arbitrary<string> => {
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    const parameter = parameters.find((one) => one.name === name);
    if (name === undefined) return fc.constant(segment);
    return fc.oneof(
      { weight: 30, arbitrary: fitting(parameter?.schema ?? {}, { name, path, world }).map(encoded) },
      { weight: 1, arbitrary: fc.constantFrom(...ABSURD_SEGMENTS) },
      { weight: 1, arbitrary: fc.constantFrom(...EDGE_TEXTS).map(encoded) },
    );
  });
  const ends = fc.oneof(
    { weight: 60, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom('/', '//', '/x', '#x') },
  );
  return fc.tuple(fc.tuple(...segments), ends).map(([parts, end]) => parts.join('/') + end);
}

const ABSURD_QUERIES = [
  '?',
  '?&&&',
  '?=',
  '?%',
  '?page_size=%00',
  '?__proto__=1',
  '?constructor=1',
  '?page_size=1&page_size=2',
  '?page_size=1e2',
  '?cursor=%ED%A0%80',
  '?unknown=1',
  `?cursor=${'a'.repeat(5_000)}`,
  `?${'a=1&'.repeat(2_000)}`,
];

function queryOf(parameters: readonly Parameter[], place: Place): Arbitrary<string> {
  const kept = fitting(
    {
      type: 'object',
      properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
      required: parameters.filter(({ required }) => required === true).map(({ name }) => name),
      additionalProperties: false,
    },
    place,
  );
  return fc.oneof(
    { weight: 20, arbitrary: kept.map(queryText) },
    { weight: 1, arbitrary: spoilt(kept).map(queryText) },
    { weight: 1, arbitrary: fc.constantFrom(...ABSURD_QUERIES) },
  );
}

function queryText(query: unknown): string {
  if (query === null || typeof query !== 'object') return `?${encoded(query)}`;
  const pairs = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Half of a surrogate pair has no percent encoding; its three bytes are what careless clients send. */
function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return [...text].map((char) => (char.isWellFormed() ? encodeURIComponent(char) : '%ED%A0%80')).join('');
}

function authorizations(keys: readonly string[]): Arbitrary<string | null> {
  const [all = '', ...others] = keys;
  return fc.oneof(
    { weight: 40, arbitrary: fc.constant(`Bearer ${all}`) },
    { weight: 4, arbitrary: fc.constantFrom(...others).map((key) => `Bearer ${key}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        null,
        '',
        'Bearer',
        'Bearer  ',
        `bearer ${all}`,
        `Basic ${all}`,
        `Bearer ${all} x`,
        'Bearer tally_constructor_x',
        'Bearer tally___proto___x',
        `Bearer ${'\xff'.repeat(100)}`,
        `Bearer ${'a'.repeat(8_000)}`,
      ),
    },
  );
}
