/**
 * The projector as a process of its own. Exits 0 after SIGTERM or SIGINT, 1 where it has halted on something that
 * people must look at, 2 where its settings are wrong.
 */
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
import type { ProjectorState } from '@tallystick/projections';
import { startLoggedProjector } from './projector.ts';

async function main(): Promise<number> {
  const settings = parseSettings(process.env);
  const { postgresUrl, partitions, takes } = settings;
  if (postgresUrl === null)
    throw new BadSettings(['LEDGER_POSTGRES_URL must name the database of the read models']);
  const log = createLog(settings.logLevel, 'projector');
  const meter = createMeter();
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  const onError = (err: unknown): void => log.warn({ err }, 'store or database are away');
  const ledger = await connectPatiently(
    { ...settings, postgresUrl, connections: 2 + 2 * (takes?.length ?? partitions), onError },
    stopping.signal,
  );
  if (ledger === null) return 0;
  const tracing = await startTracing(process.env, 'tallystick-projector', (message) => log.warn(message));
  const ended = Promise.withResolvers<ProjectorState>();
  const { store, pool, schema } = ledger;
  const projector = startLoggedProjector({
    store,
    pool,
    schema,
    partitions,
    takes,
    now: () => ledger.clock.now(),
    log,
    meter,
    tracing,
    onState: (state) => {
      if (state.status === 'halted' || state.status === 'stopped') ended.resolve(state);
    },
    onBatch: (batch) => log.debug({ ...batch, position: batch.position.toString() }, 'wrote a batch'),
  });
  const { metricsPort, host } = settings;
  const closeMetrics = metricsPort === null ? null : await serveMetrics(meter, metricsPort, host);
  stopping.signal.addEventListener('abort', () => void projector.stop());
  if (stopping.signal.aborted) void projector.stop();
  const last = await ended.promise;
  await projector.stop();
  await closeMetrics?.();
  await tracing?.stop();
  await ledger.close();
  return last.status === 'halted' ? 1 : 0;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`${withoutPasswords(error instanceof Error ? error.message : String(error))}\n`);
  process.exitCode = error instanceof BadSettings ? 2 : 1;
}
