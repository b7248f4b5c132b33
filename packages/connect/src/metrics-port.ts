/** Metrics on a port of their own. Without a key: such a port is for the monitoring's network only. */
import { createServer } from 'node:http';
import { cannotListen } from './listen.ts';
import { METRICS_TYPE, type Meter } from './meter.ts';

/** @returns how to close it; rejects where the port is taken */
export async function serveMetrics(meter: Meter, port: number, host: string): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    meter.text().then(
      (body) => response.writeHead(200, { 'content-type': METRICS_TYPE }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, 'METRICS_PORT', port, host)));
    server.listen(port, host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}
