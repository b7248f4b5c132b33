/** The API as a process of its own; the projector runs elsewhere. Exits 2 where its settings are wrong. */
import { runPart, untilStopped } from '@tallystick/connect';
import { followReads } from '@tallystick/projections';
import { measureGroups } from './append-metrics.ts';
import { tellFaults } from './behind-answers.ts';
import { serveLedger } from './serve.ts';

await runPart(
  'api',
  (_settings, meter) => ({ onGroup: measureGroups(meter) }),
  async (part) => {
    const { settings, ledger, log, meter, tracing } = part;
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
      onError: tellFaults(log),
    });
    process.stdout.write(`the API listens on ${api.url}\n`);
    await untilStopped(part);
    await api.close();
    await follower.close();
    return 0;
  },
);
