/**
 * The worker as a process of its own: any number of them share the jobs. Exits 0 after SIGTERM or SIGINT, 1 where it
 * cannot start, 2 where its settings are wrong.
 */
import { once } from 'node:events';
import {
  BadSettings,
  connectPatiently,
  createLog,
  createMeter,
  parseSettings,
  serveMetrics,
  startTracing,
  withoutPasswords,
} from '@tallystick/connect';
import { startWorkerPatiently } from './start-patiently.ts';

/** Of the read models: the sweep, and loads of wallets. */
const CONNECTIONS = 6;

async function main(): Promise<void> {
  const settings = parseSettings(process.env);
  const { postgresUrl, metricsPort, host } = settings;
  if (postgresUrl === null)
    throw new BadSettings(['LEDGER_POSTGRES_URL must name the database of the read models']);
  const log = createLog(settings.logLevel, 'worker');
  const meter = createMeter();
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  const onError = (err: unknown): void => log.warn({ err }, 'store or database are away');
  const ledger = await connectPatiently(
    { ...settings, postgresUrl, connections: CONNECTIONS, onError },
    stopping.signal,
  );
  if (ledger === null) return;
  const tracing = await startTracing(process.env, 'tallystick-worker', (message) => log.warn(message));
  const tracer = tracing?.tracer ?? null;
  const worker = await startWorkerPatiently(
    { settings, ledger, postgresUrl, log, meter, tracer },
    stopping.signal,
  );
  const closeMetrics = metricsPort === null ? null : await serveMetrics(meter, metricsPort, host);
  if (worker !== null) log.info(`the worker works, on ${settings.redisUrl === null ? 'Postgres' : 'Redis'}`);
  if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
  await worker?.close();
  await closeMetrics?.();
  await tracing?.stop();
  await ledger.close();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${withoutPasswords(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(error instanceof BadSettings ? 2 : 1);
}
