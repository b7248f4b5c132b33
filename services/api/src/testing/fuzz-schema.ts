/**
 * From a JSON schema to values that it admits, for the keywords that the OpenAPI document uses. Values keep the shape;
 * whether they keep the rules behind it (a decimal, a real day) is left to chance: both sides are wanted.
 */
import fc, { type Arbitrary } from 'fast-check';
import { EDGE_NUMBERS, EDGE_TEXTS, numbersOf, type World, wordsOf } from './fuzz-words.ts';

export interface JsonSchema {
  readonly type?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly minProperties?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Where a schema stands: its name may say more than its type does. */
export interface Place {
  readonly name: string;
  /** Of the route, as the document writes it. */
  readonly path: string;
  readonly world: World;
}

/** In a row. */
const MISSES_MAX = 1_000;

/** @throws Error for a schema that is made of keywords that nobody has needed so far */
export function fitting(schema: JsonSchema, place: Place): Arbitrary<unknown> {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((branch) => fitting(branch, place)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  switch (schema.type) {
    case 'string':
      return text(schema, place);
    case 'integer': {
      const numbers = numbersOf(place.name);
      if (numbers !== undefined) return numbers;
      return fc.oneof(
        fc.integer({ min: Math.ceil(schema.minimum ?? 0), max: Math.floor(schema.maximum ?? 5_000) }),
        edges([schema.minimum ?? 0, schema.maximum ?? Number.MAX_SAFE_INTEGER], schema),
      );
    }
    case 'number':
      return fc.oneof(
        { weight: 12, arbitrary: fc.integer({ min: 0, max: 5_000 }) },
        { weight: 1, arbitrary: edges(EDGE_NUMBERS, schema) },
      );
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return list(schema, place);
    case 'object':
      return record(schema, place);
    case undefined:
      return fc.jsonValue();
    default:
      throw new Error(`a schema of a kind that is not generated yet: ${JSON.stringify(schema)}`);
  }
}

function edges(numbers: readonly number[], { minimum, maximum }: JsonSchema): Arbitrary<number> {
  return fc.constantFrom(
    ...numbers.filter(
      (n) => n >= (minimum ?? Number.NEGATIVE_INFINITY) && n <= (maximum ?? Number.MAX_VALUE),
    ),
  );
}

function text(schema: JsonSchema, place: Place): Arbitrary<string> {
  const { pattern, minLength = 0, maxLength = 1_000 } = schema;
  const expression = pattern === undefined ? null : new RegExp(pattern, 'u');
  const fits = (value: string): boolean =>
    value.length >= minLength && value.length <= maxLength && expression?.test(value) !== false;
  const free =
    expression === null ? fc.string({ minLength, maxLength, unit: 'binary' }) : fc.stringMatching(expression);
  const edge = EDGE_TEXTS.filter(fits);
  const any = fc.oneof(free, ...(edge.length === 0 ? [] : [fc.constantFrom(...edge)]));
  const words = wordsOf(place.name, place.path, place.world)?.filter(
    soonOrNever(fits, `${place.name} of ${place.path}`),
  );
  return words === undefined ? any : fc.oneof({ weight: 9, arbitrary: words }, { weight: 1, arbitrary: any });
}

/** Where no word fits, a filter looks for ever, and the run says nothing: so it gives up, and says which words. */
function soonOrNever(fits: (value: string) => boolean, what: string): (value: string) => boolean {
  let misses = 0;
  return (value) => {
    misses = fits(value) ? 0 : misses + 1;
    if (misses > MISSES_MAX) throw new Error(`none of the words for ${what} fits its schema`);
    return misses === 0;
  };
}

/** Of few items, or of one item many times over: the same id again and again, up to one more than is admitted. */
function list(
  { items = {}, minItems = 0, maxItems = 5_000 }: JsonSchema,
  place: Place,
): Arbitrary<unknown[]> {
  const item = fitting(items, place);
  const lengths = [1, 2, 100, maxItems].filter((length) => length >= minItems && length <= maxItems);
  return fc.oneof(
    { weight: 40, arbitrary: fc.array(item, { minLength: minItems, maxLength: Math.min(6, maxItems) }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(item, fc.constantFrom(...lengths))
        .map(([value, length]) => Array.from({ length }, () => value)),
    },
  );
}

function record(schema: JsonSchema, place: Place): Arbitrary<object> {
  const {
    properties = {},
    required = [],
    additionalProperties = true,
    patternProperties,
    minProperties = 0,
  } = schema;
  const members = Object.entries(properties).map(
    ([name, member]) => [name, fitting(member, { ...place, name })] as const,
  );
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  const named = fc
    .tuple(
      fc.record(Object.fromEntries(members), { noNullPrototype: true }),
      fc.oneof(
        {
          weight: 2,
          arbitrary: fc.subarray(optional, {
            minLength: Math.min(1, optional.length),
            maxLength: Math.min(2, optional.length),
          }),
        },
        { weight: 1, arbitrary: fc.constant<string[]>([]) },
      ),
    )
    .map(([all, chosen]) =>
      Object.fromEntries(
        Object.entries(all).filter(([name]) => required.includes(name) || chosen.includes(name)),
      ),
    );
  const others = Object.values(patternProperties ?? {})[0] ?? additionalProperties;
  const free = members.length === 0 && others !== false ? others : null;
  // Free members are what such an object is for: seldom none of them.
  const filled = (free: JsonSchema | true) =>
    fc.dictionary(key(place), memberOf(free, place), { minKeys: 1, maxKeys: 2, noNullPrototype: true });
  const whole =
    free === null
      ? named
      : fc.oneof({ weight: 9, arbitrary: filled(free) }, { weight: 1, arbitrary: fc.constant({}) });
  return minProperties === 0 ? whole : whole.filter((value) => Object.keys(value).length >= minProperties);
}

function memberOf(schema: JsonSchema | true, place: Place): Arbitrary<unknown> {
  return schema === true ? fc.jsonValue({ maxDepth: 4 }) : fitting(schema, place);
}

/** Names of members that the schema leaves open: of models where they are models. */
function key({ name, path, world }: Place): Arbitrary<string> {
  const models = name === 'models' ? wordsOf('model', path, world) : undefined;
  const free = fc.oneof(fc.constantFrom(...EDGE_TEXTS), fc.string());
  return models === undefined
    ? free
    : fc.oneof({ weight: 9, arbitrary: models }, { weight: 1, arbitrary: free });
}
