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
    const named = (list: readonly Json[]) => new Map(list.map((member, at) => [nameOf(member, at), member]));
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

/**
 * A lot or a hold by its id, a pin by its lot or quota, a coupon by its code, an accrual by what it is for, a pair by its
 * first; what has no name, like the lines of a plan, by its place.
 */
function nameOf(member: Json, at: number): string {
  if (isList(member)) return nameOf(member[0] ?? null, at);
  if (!isRecord(member)) return member === null ? String(at) : String(member);
  const { id, lot, quota, code, key, from, revision } = member;
  if (from !== undefined) return `${from}:${revision}`;
  return String(id ?? lot ?? quota ?? code ?? key ?? at);
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const isRecord = (value: Json | undefined): value is { readonly [name: string]: Json | undefined } =>
  typeof value === 'object' && value !== null && !isList(value);

const textOf = (value: Json | undefined): string | null => {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
};
