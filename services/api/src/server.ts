/** The API as a process part: an application that listens, the metrics' own port, and a farewell. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Settings } from '@tallystick/connect';
import type { ApiParts } from './api.ts';
import { buildApp } from './app.ts';

export interface RunningApi {
  /** Of this machine, with the port that was taken. */
  readonly url: string;
  /** Takes no more requests and finishes those under way. The runner is its owner's to close, after this. */
  close(): Promise<void>;
}

/** Rejects where a port is taken. */
export async function startApi(
  settings: Pick<Settings, 'port' | 'host' | 'logLevel' | 'metricsPort'>,
  parts: Omit<ApiParts, 'logLevel'>,
): Promise<RunningApi> {
  const app = await buildApp({ ...parts, logLevel: settings.logLevel });
  await app.listen({ port: settings.port, host: settings.host }).catch((error: unknown) => {
    throw cannotListen(error, 'PORT', settings.port, settings.host);
  });
  const metrics =
    settings.metricsPort === null
      ? null
      : await serveMetrics(app.metricsText, settings.metricsPort, settings.host);
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${urlHost(settings.host)}:${port}`,
    async close() {
      metrics?.close();
      await app.close();
    },
  };
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

const LISTEN_FAULTS: Record<string, string> = {
  EADDRINUSE: 'is taken',
  EACCES: 'is not allowed for this user',
  EADDRNOTAVAIL: 'is no address of this machine: see HOST',
  ENOTFOUND: 'is no known name: see HOST',
};

/** One clear line in place of a system error. */
function cannotListen(error: unknown, variable: string, port: number, host: string): unknown {
  const fault = LISTEN_FAULTS[(error as NodeJS.ErrnoException).code ?? ''];
  return fault === undefined
    ? error
    : new Error(`cannot start: ${host}, port ${port} (${variable}), ${fault}`);
}

/** Without a key: such a port is for the monitoring's network only. */
async function serveMetrics(text: () => Promise<string>, port: number, host: string): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    text().then(
      (body) =>
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, 'METRICS_PORT', port, host)));
    server.listen(port, host, resolve);
  });
  return server;
}
