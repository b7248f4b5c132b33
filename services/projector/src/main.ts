/**
 * The projector as a process of its own. Exits 0 after SIGTERM or SIGINT, 1 where it has halted on something that
 * people must look at, 2 where its settings are wrong.
 */
import { runPart, serveMetrics } from '@tallystick/connect';
import type { ProjectorState } from '@tallystick/projections';
import { startLoggedProjector } from './projector.ts';

await runPart(
  'projector',
  ({ partitions, takes }) => ({ connections: 2 + 2 * (takes?.length ?? partitions) }),
  async ({ settings, ledger, log, meter, tracing, stopping }) => {
    const { metricsPort, host, partitions, takes } = settings;
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
    const closeMetrics = metricsPort === null ? null : await serveMetrics(meter, metricsPort, host);
    stopping.addEventListener('abort', () => void projector.stop());
    if (stopping.aborted) void projector.stop();
    const last = await ended.promise;
    await projector.stop();
    await closeMetrics?.();
    return last.status === 'halted' ? 1 : 0;
  },
);
