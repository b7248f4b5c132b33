/** What stands between a client and its ledger, and fails as it is told: a server that passes requests on. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What becomes of one request; without a word about it, it is passed on. */
export type Mishap =
  /** It never gets there. */
  | 'lose_request'
  /** It gets there and is done, and its answer is lost. */
  | 'lose_answer'
  /** The same, and only the first half of its answer comes, as if it were whole. */
  | 'cut_answer'
  /** Nobody ever answers. */
  | 'hang'
  | { readonly status: number; readonly body: string; readonly headers?: Record<string, string> };

export interface Between {
  readonly url: string;
  /** What has come, in order. */
  readonly requests: { readonly method: string; readonly path: string; readonly body: string }[];
  /** For the requests to come, the next one first; `null` passes one on. */
  readonly mishaps: (Mishap | null)[];
  stop(): Promise<void>;
}

export async function startBetween(ledgerUrl: string): Promise<Between> {
  const requests: Between['requests'] = [];
  const mishaps: Between['mishaps'] = [];
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const body = await buffer(request);
    requests.push({ method, path, body: body.toString() });
    const mishap = mishaps.shift() ?? null;
    if (mishap === 'hang') return;
    if (mishap === 'lose_request') return void response.destroy();
    if (mishap !== null && typeof mishap === 'object') {
      response.writeHead(mishap.status, mishap.headers).end(mishap.body);
      return;
    }
    const { authorization = '', 'content-type': type } = headers;
    const answer = await fetch(`${ledgerUrl}${path}`, {
      method,
      headers: { authorization, ...(type === undefined ? {} : { 'content-type': type }) },
      ...(body.length === 0 ? {} : { body }),
    });
    const whole = await answer.text();
    const text = mishap === 'cut_answer' ? whole.slice(0, whole.length / 2) : whole;
    if (mishap === 'lose_answer') return void response.destroy();
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text);
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    mishaps,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A problem as the ledger tells it. */
export function problem(code: string, status: number, headers: Record<string, string> = {}): Mishap {
  const body = JSON.stringify({ type: `urn:tallystick:problem:${code}`, title: code, status, code });
  return { status, body, headers: { 'content-type': 'application/problem+json', ...headers } };
}
