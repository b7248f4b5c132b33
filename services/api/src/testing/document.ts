/**
 * Holds answers against the OpenAPI document. Stricter than the document itself: an answer may have no member that its
 * schema does not name, because that is how something might get out that must not (P8).
 */
import Schema from 'typebox/schema';

export interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly summary?: string;
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly content?: Readonly<Record<string, { readonly schema: object }>>;
      }
    >
  >;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly type: string;
  readonly body: unknown;
}

/** The path as the document writes it; null where it has none. */
export function operationOf(document: Document, method: string, path: string): string | null {
  const fitting = Object.entries(document.paths).filter(([pattern, operations]) => {
    const expression = `^${pattern.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`;
    return new RegExp(expression).test(path) && Object.hasOwn(operations, method.toLowerCase());
  });
  // `/health/live` before `/health/{any}`.
  fitting.sort(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')));
  return fitting[0]?.[0] ?? null;
}

/** What is wrong with an answer; null where nothing is. */
export function faultOf(document: Document, { method, path, status, type, body }: Seen): string | null {
  const pattern = operationOf(document, method, path);
  if (pattern === null) return status >= 400 ? null : `${method} ${path} is not in the document`;
  const { responses } = document.paths[pattern]?.[method.toLowerCase()] ?? { responses: {} };
  const response = responses[status] ?? responses[`${Math.trunc(status / 100)}XX`];
  if (response === undefined) return `${method} ${pattern} does not tell of a ${status}`;
  const content = response.content;
  if (content === undefined) return null;
  const media = type.split(';', 1)[0] ?? '';
  const schema = content[media]?.schema;
  if (schema === undefined) return `${method} ${pattern} ${status} does not tell of ${media}`;
  const [fits, errors] = Schema.Errors(closed(schema), body);
  return fits ? null : `${method} ${pattern} ${status}: ${JSON.stringify(errors)} in ${JSON.stringify(body)}`;
}

function closed(schema: unknown): object {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema as never;
  const members = Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, closed(member)]));
  const open = 'properties' in members && !('additionalProperties' in members);
  return open ? { ...members, additionalProperties: false } : members;
}
