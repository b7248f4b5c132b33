/** The API as a process of its own; the projector runs elsewhere. Exits 2 where its settings are wrong. */
import {
  BadSettings,
  connectPatiently,
  createLog,
  createMeter,
  parseSettings,
  startTracing,
  withoutPasswords,
} from '@tallystick/connect';
import { followReads } from '@tallystick/projections';
import { measureGroups } from './append-metrics.ts';
import { serveLedger } from './serve.ts';

async function main(): Promise<void> {
  const settings = parseSettings(process.env);
  const { postgresUrl } = settings;
  if (postgresUrl === null)
    throw new BadSettings(['LEDGER_POSTGRES_URL must name the database of the read models']);
  const log = createLog(settings.logLevel, 'api');
  const meter = createMeter();
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  const onError = (err: unknown): void => log.warn({ err }, 'store or database are away');
  const ledger = await connectPatiently(
    { ...settings, postgresUrl, onError, onGroup: measureGroups(meter) },
    stopping.signal,
  );
  if (ledger === null) return;
  const tracing = await startTracing(process.env, 'tallystick-api', (message) => log.warn(message));
  const follower = followReads(ledger.pool, ledger.schema);
  const api = await serveLedger({
    settings,
    ledger,
    log,
    meter,
    tracer: tracing?.tracer ?? null,
    waitFor: (wanted, timeoutMs) => follower.waitFor(wanted, timeoutMs),
    lagMs: () => null,
    onNewAdminKey: (key) => process.stdout.write(`admin key, shown this once: ${key}\n`),
    onError: (err, where) => log.error({ err, where }, 'something failed behind the answers'),
  });
  process.stdout.write(`the API listens on ${api.url}\n`);
  const stop = async (): Promise<void> => {
    await api.close();
    await follower.close();
    await tracing?.stop();
    await ledger.close();
  };
  if (stopping.signal.aborted) await stop();
  else stopping.signal.addEventListener('abort', () => void stop().then(() => process.exit()));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${withoutPasswords(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(error instanceof BadSettings ? 2 : 1);
}
