/** What differs between two JSON values, member by member. Members of a list are told apart by what names them. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

export interface Difference {
  /** For instance `lots.lot-4.free`. */
  readonly path: string;
  readonly expected: string | null;
  readonly found: string | null;
}

export function* differences(
  expected: Json | undefined,
  found: Json | undefined,
  path = '',
): Generator<Difference> {
  if (isList(expected) && isList(found)) {
    const named = (list: readonly Json[]) => new Map(list.map((member) => [nameOf(member), member]));
    yield* membersDiffer(named(expected), named(found), path);
    yield* orderDiffers(expected.map(nameOf), found.map(nameOf), path);
  } else if (isRecord(expected) && isRecord(found)) {
    yield* membersDiffer(new Map(Object.entries(expected)), new Map(Object.entries(found)), path);
  } else if (expected !== found) yield { path, expected: textOf(expected), found: textOf(found) };
}

type Members = ReadonlyMap<string, Json | undefined>;

function* membersDiffer(expected: Members, found: Members, path: string): Generator<Difference> {
  for (const name of new Set([...expected.keys(), ...found.keys()]))
    yield* differences(expected.get(name), found.get(name), path === '' ? name : `${path}.${name}`);
}

/** Nothing where a member is missing or one too many: that is a difference of its own. */
function* orderDiffers(
  expected: readonly string[],
  found: readonly string[],
  path: string,
): Generator<Difference> {
  const names = new Set(found);
  const isTwice = found.length > names.size;
  if (!isTwice && (expected.length !== found.length || expected.some((name) => !names.has(name)))) return;
  const at = found.findIndex((name, place) => name !== expected[place]);
  if (at >= 0) yield { path: `${path}[${at}]`, expected: expected[at] ?? null, found: found[at] ?? null };
}

/** A lot or a hold by its id, a pin by its lot, a pair by its first. */
function nameOf(member: Json): string {
  if (isList(member)) return nameOf(member[0] ?? null);
  return isRecord(member) ? String(member.id ?? member.lot) : String(member);
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const isRecord = (value: Json | undefined): value is { readonly [name: string]: Json | undefined } =>
  typeof value === 'object' && value !== null && !isList(value);

const textOf = (value: Json | undefined): string | null => {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
};
