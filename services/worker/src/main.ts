/**
 * The worker as a process of its own: any number of them share the jobs. Exits 0 after SIGTERM or SIGINT, 1 where it
 * cannot start, 2 where its settings are wrong.
 */
import { runPart, serveMetrics, untilStopped } from '@tallystick/connect';
import { startWorkerPatiently } from './start-patiently.ts';

/** Of the read models: the sweep, and loads of wallets. */
const CONNECTIONS = 6;

await runPart(
  'worker',
  () => ({ connections: CONNECTIONS }),
  async (part) => {
    const { settings, log, meter, tracing, stopping } = part;
    const { metricsPort, host, redisUrl } = settings;
    const worker = await startWorkerPatiently({ ...part, tracer: tracing?.tracer ?? null }, stopping);
    const closeMetrics = metricsPort === null ? null : await serveMetrics(meter, metricsPort, host);
    if (worker !== null) log.info(`the worker works, on ${redisUrl === null ? 'Postgres' : 'Redis'}`);
    await untilStopped(part);
    await worker?.close();
    await closeMetrics?.();
    return 0;
  },
);
