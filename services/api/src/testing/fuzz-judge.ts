/** Judges an answer to a fuzz request: by the OpenAPI document, and by the table of problems. */
import { PROBLEMS, type ProblemCode } from '../problems.ts';
import { type Document, faultOf } from './document.ts';

export interface Answered {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly payload: string;
}

/** What is wrong with an answer; null where nothing is. */
export function judge(
  document: Document,
  { method, url, status, headers, payload }: Answered,
): string | null {
  const type = String(headers['content-type'] ?? '');
  if (headers['x-request-id'] === undefined) return `${status} without a request id`;
  // An answer to HEAD has no body.
  if (method === 'HEAD') return status >= 500 ? `${status} to a HEAD` : null;
  let body: unknown = null;
  try {
    body = type.includes('json') ? JSON.parse(payload) : payload;
  } catch {
    return `${status} is not the JSON that it says it is: ${payload.slice(0, 200)}`;
  }
  if (status >= 400 && !isReadiness(url)) {
    if (type !== 'application/problem+json') return `${status} as ${type}: ${payload.slice(0, 200)}`;
    const fault = faultOfProblem(status, body, headers, url);
    if (fault !== null) return fault;
  }
  const results = body !== null && typeof body === 'object' && 'results' in body ? body.results : [];
  for (const { problem } of results as { readonly problem?: { readonly status: number } }[]) {
    const fault = problem === undefined ? null : faultOfProblem(problem.status, problem, null, url);
    if (fault !== null) return `an item: ${fault}`;
  }
  const path = url.split(/[?#]/, 1)[0] ?? '';
  return faultOf(document, { method, path, status, type, body: payload === '' ? null : body });
}

const isReadiness = (url: string): boolean => url.startsWith('/health/ready');

/** From the table, whole, and such as a caller may be blamed for. */
function faultOfProblem(
  status: number,
  body: unknown,
  headers: Answered['headers'] | null,
  url: string,
): string | null {
  const shown = JSON.stringify(body)?.slice(0, 400);
  if (body === null || typeof body !== 'object') return `${status} is no problem: ${shown}`;
  const { code, title, type, errors } = body as {
    code?: ProblemCode;
    title?: string;
    type?: string;
    errors?: unknown;
  };
  if (code === undefined || !Object.hasOwn(PROBLEMS, code))
    return `a code that is not in the table: ${shown}`;
  const row = PROBLEMS[code];
  if (row.status !== status || row.title !== title || type !== `urn:tallystick:problem:${code}`)
    return `${status} is not what the table says of ${code}: ${shown}`;
  if (headers !== null && (headers['retry-after'] !== undefined) !== (row.retryAfter !== undefined))
    return `${code}: Retry-After is ${headers['retry-after']}`;
  if (
    (code === 'malformed_request' || code === 'invalid_value') &&
    !(Array.isArray(errors) && errors.length > 0)
  )
    return `${code} does not say what is wrong: ${shown}`;
  // The only outage that a caller can bring about, by asking for what is yet to come.
  const asked = code === 'projection_behind' && url.includes('position');
  return status >= 500 && !asked ? `${status} by a request alone: ${shown}` : null;
}
