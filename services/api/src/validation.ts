/** Checks requests against their schemas, and turns what does not fit into a problem that names field and rule. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { isStorable } from './parse.ts';
import { type Fault, invalid, malformed, type Problem, Refused } from './problems.ts';
import { CURRENCY_PATTERN } from './schemas.ts';
import { type Found, oneOf, type SchemaError, withoutNoise } from './union-faults.ts';

// Of a union every branch is told: with the default of 8 the one that was meant might be cut off.
Settings.Set({ maxErrors: 64 });

/** Queries and paths are text, so they are converted; bodies never: `"5"` is not `5` where money is meant. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  return (value: unknown) => {
    const read = httpPart === 'body' ? value : Value.Convert(schema, value);
    if (validator.Check(read)) return { value: read };
    return { error: new Refused(problemWith(validator, read, httpPart === 'body' ? 'field' : 'parameter')) };
  };
};

/** What the members of a value are called: of a body fields, of a query parameters. */
type Member = 'field' | 'parameter';

/** 422 where all that is wrong is a number out of its range or a text that cannot be stored; else 400. */
export function problemWith(
  validator: Pick<Validator, 'Errors'>,
  value: unknown,
  member: Member = 'field',
): Problem {
  const errors = withoutNoise(withoutTypes(validator.Errors(value)));
  const faults = distinct(errors.flatMap((error) => faultsOf(error, member))).slice(0, 20);
  if (faults.length === 0) return malformed({ field: WHOLE, rule: 'is not of any known shape' });
  const onlyValues = errors.every((error) => isOfValue(error, at(value, error.instancePath)));
  return onlyValues ? invalid(faults) : malformed(...faults);
}

/** Where only certain values are right, of what type they are says nothing more. */
function withoutTypes(errors: readonly SchemaError[]): readonly SchemaError[] {
  const named = errors.filter(({ keyword }) => keyword === 'const' || keyword === 'enum');
  if (named.length === 0) return errors;
  const placeOf = ({ schemaPath, instancePath }: SchemaError): string => `${schemaPath} ${instancePath}`;
  const places = new Set(named.map(placeOf));
  return errors.filter((error) => error.keyword !== 'type' || !places.has(placeOf(error)));
}

function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [`${fault.field} ${fault.rule}`, fault])).values()];
}

/** The name of the whole, where no field of it is at fault. */
const WHOLE = 'body';

const RANGES = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']);

function isOfValue(error: Found, value: unknown): boolean {
  if (typeof value === 'string') return !isStorable(value);
  if (typeof value !== 'number' || error.keyword === 'union') return false;
  const { keyword, params } = error;
  const number = keyword === 'type' && (params as { type?: string }).type === 'integer';
  // JSON knows no infinity: a number that is too long for us reads as one.
  return RANGES.has(keyword) || number || !Number.isFinite(value);
}

const CURRENCY_RULE = 'must be three capital letters, as USD';
const UNKNOWN: Readonly<Record<Member, string>> = {
  field: 'is not a field of this request',
  parameter: 'is not a parameter of this route',
};

function faultsOf(error: Found, member: Member): Fault[] {
  const parent = fieldOf(error.instancePath);
  const field = parent === '' ? WHOLE : parent;
  if (error.keyword === 'union') return [{ field, rule: error.rule }];
  const { keyword, params, message } = error;
  const facts = params as {
    requiredProperties?: string[];
    additionalProperties?: string[];
    allowedValue?: unknown;
    allowedValues?: unknown[];
    limit?: number;
    pattern?: unknown;
  };
  switch (keyword) {
    case 'required':
      return named(parent, facts.requiredProperties, 'is required');
    case 'additionalProperties':
      return named(parent, facts.additionalProperties, UNKNOWN[member]);
    case 'pattern':
      return [{ field, rule: facts.pattern === CURRENCY_PATTERN ? CURRENCY_RULE : message }];
    case 'const':
      return [{ field, rule: oneOf([facts.allowedValue]) }];
    case 'enum':
      return [{ field, rule: oneOf(facts.allowedValues ?? []) }];
    case 'minProperties':
      return [
        { field, rule: `must have at least ${facts.limit === 1 ? 'one member' : `${facts.limit} members`}` },
      ];
    default:
      return [{ field, rule: message }];
  }
}

function named(parent: string, names: readonly string[] = [], rule: string): Fault[] {
  return names.slice(0, 20).map((name) => ({ field: parent === '' ? name : `${parent}.${name}`, rule }));
}

/** `/usage/input_tokens` to `usage.input_tokens`. */
function fieldOf(pointer: string): string {
  return segments(pointer).join('.');
}

function segments(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function at(value: unknown, pointer: string): unknown {
  let here = value;
  for (const segment of segments(pointer)) {
    if (here === null || typeof here !== 'object') return undefined;
    here = (here as Record<string, unknown>)[segment];
  }
  return here;
}
