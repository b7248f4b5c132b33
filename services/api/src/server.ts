/** The API as a process part: an application that listens, the metrics' own port, and a farewell. */
import type { AddressInfo } from 'node:net';
import { cannotListen, type Meter, type Settings, serveMetrics } from '@tallystick/connect';
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
  settings: Pick<Settings, 'port' | 'host' | 'metricsPort'>,
  parts: ApiParts & { readonly meter: Meter },
): Promise<RunningApi> {
  const app = await buildApp(parts);
  await app.listen({ port: settings.port, host: settings.host }).catch((error: unknown) => {
    throw cannotListen(error, 'PORT', settings.port, settings.host);
  });
  const closeMetrics =
    settings.metricsPort === null
      ? null
      : await serveMetrics(parts.meter, settings.metricsPort, settings.host);
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${urlHost(settings.host)}:${port}`,
    async close() {
      await closeMetrics?.();
      await app.close();
    },
  };
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
