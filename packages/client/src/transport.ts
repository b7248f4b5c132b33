/** Requests over the global `fetch`: where they go, how long they may take, and what an answer that is none becomes. */
import { type Fits, fitsOf, isProblem } from './answers.ts';
import { LedgerRefused, LedgerUnreachable } from './errors.ts';
import { repeating } from './repeating.ts';
import type { Routes } from './routes.ts';
import type { Route } from './shapes.ts';

export interface Connection {
  /** Where the ledger is, such as `http://127.0.0.1:8080`. A path before `/v1` is kept. */
  readonly url: string;
  /** An API key with the scopes that the calls need. */
  readonly key: string;
  /** How long one call may take, all its tries together; 10 s unless given. */
  readonly withinMs?: number;
  /** How long one try may take; 5 s unless given. */
  readonly tryMs?: number;
}

/** What a call gives: the parts that its route takes, and no others. */
export type Parts<R extends Route> = {
  readonly [P in 'path' | 'query' | 'body' as R[P] extends undefined ? never : P]: R[P];
};
export type Answer<R extends Route> = R['answers'][keyof R['answers']];

export interface Sending {
  /** Instead of the client's own. */
  readonly withinMs?: number;
  /** Instead of the client's own. */
  readonly tryMs?: number;
  /** One try only: for the call that makes something new each time. */
  readonly once?: boolean;
  /** What a 2xx must answer to count; left out, any JSON does. */
  readonly fits?: Fits;
}

export interface Transport {
  send<K extends keyof Routes>(
    route: K,
    parts: Parts<Routes[K]>,
    sending?: Omit<Sending, 'fits'>,
  ): Promise<Answer<Routes[K]>>;
  /** A body that is JSON text already. */
  sendText(method: string, path: string, text: string | null, sending?: Sending): Promise<unknown>;
}

export function openTransport({ url, key, withinMs = 10_000, tryMs = 5_000 }: Connection): Transport {
  const base = new URL(url).href.replace(/\/+$/, '');
  // Made here, so that a key that no header can hold is told at once and not as an outage.
  const reading = new Headers({ authorization: `Bearer ${key}`, accept: 'application/json' });
  const writing = new Headers(reading);
  writing.set('content-type', 'application/json');

  const transport: Transport = {
    async send(route, parts, sending) {
      const { path, query, body } = parts as { path?: object; query?: object; body?: object };
      const [method = '', pattern = ''] = route.split(' ', 2);
      const text = body === undefined ? null : JSON.stringify(body);
      const target = fillPath(pattern, path ?? {}) + queryOf(query ?? {});
      const fits = fitsOf(route, parts);
      const checked = fits === undefined ? sending : { ...sending, fits };
      return (await transport.sendText(method, target, text, checked)) as never;
    },

    async sendText(method, path, text, sending = {}) {
      const request = {
        method,
        headers: text === null ? reading : writing,
        body: text,
        redirect: 'manual',
      } as const;
      const { fits = isJson } = sending;
      const tryWithin = sending.tryMs ?? tryMs;
      const once = (leftMs: number) => attempt(`${base}${path}`, request, Math.min(tryWithin, leftMs), fits);
      const within = sending.withinMs ?? withinMs;
      return sending.once === true ? once(within) : repeating(once, within);
    },
  };
  return transport;
}

function fillPath(pattern: string, path: object): string {
  return pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const segment = String((path as Record<string, unknown>)[name]);
    // These would lead to another route, however they are escaped.
    if (segment === '' || segment === '.' || segment === '..')
      throw new TypeError(`${name}: "${segment}" is not an id`);
    return encodeURIComponent(segment);
  });
}

function queryOf(query: object): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given}`;
}

async function attempt(url: string, request: RequestInit, ms: number, fits: Fits): Promise<unknown> {
  const { method } = request;
  const aborting = new AbortController();
  const timer = setTimeout(() => aborting.abort(), Math.max(1, ms));
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...request, signal: aborting.signal });
    text = await response.text();
  } catch (cause) {
    const why = aborting.signal.aborted ? `no answer within ${Math.round(ms)} ms` : reasonOf(cause);
    throw new LedgerUnreachable(`${method} ${url}: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
  }
  const { status } = response;
  const body = status === 204 ? null : parsed(text);
  if (response.ok && fits(body)) return body ?? undefined;
  const retryAfterMs = retryAfterOf(response.headers.get('retry-after'));
  if (!response.ok && isProblem(body)) throw new LedgerRefused(body, retryAfterMs);
  const what = response.ok ? 'the answer to this request' : "in the ledger's words";
  throw new LedgerUnreachable(`${method} ${url}: ${status}, and not ${what}`, {
    status,
    retryAfterMs,
  });
}

/** `fetch` only says that it failed; why stands in the cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const told = cause instanceof Error ? cause : error;
  if (!(told instanceof Error)) return String(told);
  return told.message || String((told as { code?: unknown }).code ?? told.name);
}

function isJson(body: unknown): boolean {
  return body !== undefined;
}

/** Undefined where it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds, or a date. */
function retryAfterOf(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
