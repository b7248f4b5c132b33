/**
 * What is wrong with a value that fits no branch of a union. The validator tells of every branch, and most of that is
 * noise: of the branches, the one that the caller meant is found by the members that it does not know.
 */
import type { Validator } from 'typebox/compile';

export type SchemaError = ReturnType<Validator['Errors']>[number];

/** One of the validator's errors, or a fault that stands for those of a whole union. */
export type Found = SchemaError | { readonly keyword: 'union'; readonly instancePath: string; rule: string };

/** The errors without what unions repeat. Unions within unions are settled from the outside in. */
export function withoutNoise(errors: readonly SchemaError[]): Found[] {
  const unions = errors
    .filter(({ keyword }) => keyword === 'anyOf')
    .sort((a, b) => a.schemaPath.length - b.schemaPath.length);
  // `boolean` only repeats `additionalProperties`.
  let left: Found[] = errors.filter(({ keyword }) => keyword !== 'boolean' && keyword !== 'anyOf');
  for (const union of unions) {
    const branches = branchesOf(union, left);
    if (branches.length === 0) continue;
    const noise = new Set(branches.flat());
    const kept = meantBy(union, branches);
    left = left.flatMap((error) => (noise.has(error as SchemaError) ? [] : [error]));
    left.push(...kept);
  }
  return left;
}

/** The errors of each branch that is still in question. Items of an array share a schema, so the place counts too. */
function branchesOf(union: SchemaError, errors: readonly Found[]): SchemaError[][] {
  const prefix = `${union.schemaPath}/anyOf/`;
  const branches = new Map<string, SchemaError[]>();
  for (const error of errors) {
    if (error.keyword === 'union' || !error.schemaPath.startsWith(prefix)) continue;
    if (!isWithin(error.instancePath, union.instancePath)) continue;
    const name = error.schemaPath.slice(prefix.length).split('/', 1)[0] ?? '';
    const branch = branches.get(name);
    if (branch === undefined) branches.set(name, [error]);
    else branch.push(error);
  }
  return [...branches.values()];
}

const isWithin = (path: string, parent: string): boolean => path === parent || path.startsWith(`${parent}/`);

function meantBy({ instancePath }: SchemaError, all: readonly SchemaError[][]): Found[] {
  const values = all.flat().map(allowedBy);
  if (values.every((value) => value !== undefined)) {
    return [{ keyword: 'union', instancePath, rule: oneOf(values) }];
  }
  // Null is no branch that anybody means who sends something else.
  const named = byName(all.filter((errors) => !errors.every(isNotNull)));
  if ('keyword' in named) return [named];
  const both = eitherOr(named, instancePath);
  if (both !== null) return [{ keyword: 'union', instancePath, rule: both }];
  const branches = named;
  const scored = branches.map((errors) => ({
    errors,
    unknown: membersAt(errors, instancePath, 'additionalProperties').length,
    missing: membersAt(errors, instancePath, 'required'),
  }));
  const leastUnknown = Math.min(...scored.map(({ unknown }) => unknown));
  const best = scored.filter(({ unknown }) => unknown === leastUnknown);
  const undecided = best.length > 1 && best.every(({ missing }) => missing.length > 0);
  if (undecided && leastUnknown === 0) {
    const ways = best.map(({ missing }) => missing.join(' and ')).join(', or ');
    return [{ keyword: 'union', instancePath, rule: `must have ${ways}` }];
  }
  best.sort((a, b) => a.missing.length - b.missing.length);
  return best[0]?.errors ?? [];
}

/** Branches that say by a word which they are (`on: "quota"`): those that are meant, or a fault where the word is no one's. */
function byName(branches: readonly SchemaError[][]): readonly SchemaError[][] | Exclude<Found, SchemaError> {
  const words = branches.map((errors) => errors.find(({ keyword }) => keyword === 'const'));
  const at = words.find((word) => word !== undefined)?.instancePath;
  if (at === undefined) return branches;
  const isOther = (errors: readonly SchemaError[]): boolean =>
    errors.some(({ keyword, instancePath }) => keyword === 'const' && instancePath === at);
  const meant = branches.filter((errors) => !isOther(errors));
  if (meant.length > 0) return meant;
  const values = words.flatMap((word) => (word === undefined ? [] : [allowedBy(word)]));
  return { keyword: 'union', instancePath: at, rule: oneOf(values) };
}

/**
 * Of several branches nothing is missing, only each finds the members of the others: the caller has said it in two ways.
 * Null where that is not so.
 */
function eitherOr(branches: readonly SchemaError[][], at: string): string | null {
  const whole = branches.filter((errors) =>
    errors.every(({ keyword, instancePath }) => keyword === 'additionalProperties' && instancePath === at),
  );
  if (whole.length < 2) return null;
  const unknown = whole.map((errors) => new Set(membersAt(errors, at, 'additionalProperties')));
  const ways = unknown.map((own, index) => {
    const others = unknown.filter((_, other) => other !== index);
    const known = new Set(others.flatMap((names) => [...names]));
    return [...known].filter((name) => !own.has(name) && others.every((names) => names.has(name)));
  });
  if (ways.some((names) => names.length === 0)) return null;
  return `must have either ${ways.map((names) => names.join(' and ')).join(', or ')}, not both`;
}

function allowedBy({ keyword, params }: SchemaError): unknown {
  return keyword === 'const' ? (params as { allowedValue?: unknown }).allowedValue : undefined;
}

function isNotNull({ keyword, params }: SchemaError): boolean {
  return keyword === 'type' && (params as { type?: unknown }).type === 'null';
}

function membersAt(errors: readonly SchemaError[], at: string, keyword: 'additionalProperties' | 'required') {
  return errors
    .filter((error) => error.keyword === keyword && error.instancePath === at)
    .flatMap(({ params }) => {
      const names = params as { requiredProperties?: string[]; additionalProperties?: string[] };
      return (keyword === 'required' ? names.requiredProperties : names.additionalProperties) ?? [];
    });
}

/** In words: "must be one of charge, record". */
export function oneOf(values: readonly unknown[]): string {
  const texts = [...new Set(values)].map(String);
  return texts.length === 1 ? `must be ${texts[0]}` : `must be one of ${texts.join(', ')}`;
}
