/** Checks requests against their schemas, and turns what does not fit into a problem that names field and rule. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Value } from 'typebox/value';
import { isStorable } from './parse.ts';
import { type Fault, invalid, malformed, type Problem, Refused } from './problems.ts';

/** Queries and paths are text, so they are converted; bodies never: `"5"` is not `5` where money is meant. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  return (value: unknown) => {
    const read = httpPart === 'body' ? value : Value.Convert(schema, value);
    if (validator.Check(read)) return { value: read };
    return { error: new Refused(problemWith(validator, read)) };
  };
};

type SchemaError = ReturnType<Validator['Errors']>[number];

/** 422 where all that is wrong is a number out of its range or a text that cannot be stored; else 400. */
export function problemWith(validator: Pick<Validator, 'Errors'>, value: unknown): Problem {
  // `boolean` and `anyOf` only repeat what others say.
  const errors = validator
    .Errors(value)
    .filter(({ keyword }) => keyword !== 'boolean' && keyword !== 'anyOf');
  const faults = errors.slice(0, 20).flatMap(faultsOf);
  if (faults.length === 0) return malformed({ field: '', rule: 'is not of any known shape' });
  const onlyValues = errors.every((error) => isOfValue(error, at(value, error.instancePath)));
  return onlyValues ? invalid(faults) : malformed(...faults);
}

const RANGES = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']);

function isOfValue({ keyword, params }: SchemaError, value: unknown): boolean {
  if (typeof value === 'string') return !isStorable(value);
  if (typeof value !== 'number') return false;
  const number = keyword === 'type' && (params as { type?: string }).type === 'integer';
  // JSON knows no infinity: a number that is too long for us reads as one.
  return RANGES.has(keyword) || number || !Number.isFinite(value);
}

function faultsOf({ keyword, instancePath, params, message }: SchemaError): Fault[] {
  const field = fieldOf(instancePath);
  const names = params as { requiredProperties?: string[]; additionalProperties?: string[] };
  if (keyword === 'required') return named(field, names.requiredProperties, 'is required');
  if (keyword === 'additionalProperties') return named(field, names.additionalProperties, 'is not known');
  return [{ field, rule: message }];
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
