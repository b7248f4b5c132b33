/**
 * Everything in one process: API, projector, worker and, unless LEDGER_POSTGRES_URL names one, a PostgreSQL server. What a
 * newcomer starts. Exits 2 where its settings are wrong, 1 where it cannot go on.
 */
import { resolve } from 'node:path';
import { measureGroups, serveLedger, tellFaults } from '@tallystick/api';
import {
  BadSettings,
  connectPatiently,
  createLog,
  createMeter,
  openDatabase,
  parseSettings,
  startTracing,
  stopSignal,
  withoutPasswords,
} from '@tallystick/connect';
import { startLoggedProjector } from '@tallystick/projector';
import { startWorkerPatiently } from '@tallystick/worker';
import { greet } from './greeting.ts';
import { takeFolder } from './one-process.ts';

async function main(): Promise<void> {
  const settings = parseSettings(process.env);
  const log = createLog(settings.logLevel, 'ledger');
  const meter = createMeter();
  // What has been started, to be stopped the other way round, also when the start breaks off half-way.
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) {
      await next().catch((err: unknown) => log.error({ err }, 'a part did not stop in good order'));
    }
  };
  const signalled = stopSignal();
  try {
    if (settings.postgresUrl === null) stops.push(takeFolder(resolve(settings.dataDir)));
    const database = await openDatabase(settings, { adopt: false });
    stops.push(() => database.stop());
    const onError = (err: unknown): void => log.warn({ err }, 'store or database are away');
    const ledger = await connectPatiently(
      { ...settings, postgresUrl: database.url, onError, onGroup: measureGroups(meter) },
      signalled,
    );
    if (ledger === null) return await stop();
    stops.push(() => ledger.close());
    const tracing = await startTracing(process.env, 'tallystick', (message) => log.warn(message));
    stops.push(async () => tracing?.stop());
    const { store, pool, schema } = ledger;
    const { partitions } = settings;
    const now = (): number => ledger.clock.now();
    const projector = startLoggedProjector({ store, pool, schema, partitions, now, log, meter, tracing });
    stops.push(() => projector.stop());
    let newAdminKey: string | null = null;
    const api = await serveLedger({
      settings,
      ledger,
      log,
      meter,
      tracer: tracing?.tracer ?? null,
      waitFor: (wanted, timeoutMs) => projector.waitFor(wanted, timeoutMs),
      lagMs: () => projector.lagMs,
      onNewAdminKey: (key) => {
        newAdminKey = key;
      },
      onError: tellFaults(log),
    });
    stops.push(() => api.close());
    const events = settings.esdbUrl === null ? database.name : 'EventStoreDB, by LEDGER_ESDB_URL';
    process.stdout.write(greet({ url: api.url, newAdminKey, events, reads: database.name }));
    // After the greeting, and in its own time: a worker that cannot start yet must swallow neither key nor calls.
    const { decides } = api;
    const tracer = tracing?.tracer ?? null;
    const parts = { settings, ledger, postgresUrl: database.url, log, meter, tracer, decides };
    const working = new AbortController();
    const worker = startWorkerPatiently(parts, working.signal).catch((err: unknown) => {
      log.fatal({ err }, 'the worker cannot start');
      void stop().then(() => process.exit(1));
      return null;
    });
    stops.push(async () => {
      working.abort();
      await (await worker)?.close();
    });
    if (signalled.aborted) return await stop();
    signalled.addEventListener('abort', () => void stop().then(() => process.exit()));
  } catch (error) {
    await stop();
    throw error;
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${withoutPasswords(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(error instanceof BadSettings ? 2 : 1);
}
