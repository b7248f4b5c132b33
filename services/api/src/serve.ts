/** The API on a connected ledger: runner, catalogues, admin key, sweeps, seals and HTTP, put together and taken apart in order. */

import type { Tracer } from '@opentelemetry/api';
import {
  type Catalogue,
  type Connected,
  followCatalogue,
  type Log,
  type Meter,
  type Settings,
} from '@tallystick/connect';
import type { Catalogues } from '@tallystick/domain';
import {
  createRunner,
  observeStore,
  type Runner,
  type RunnerParts,
  traceAppends,
  traceRounds,
} from '@tallystick/event-store';
import { createBalanceReader, openReads, type Wanted } from '@tallystick/projections';
import { openWebhooks } from '@tallystick/webhooks';
import { ensureAdminKey } from './admin-key.ts';
import { measureAppends } from './append-metrics.ts';
import { createRateLimits } from './rate-limit.ts';
import { startRepriceSweep } from './reprice-sweep.ts';
import { startSealing, withSealSnapshots } from './sealing.ts';
import { seedCatalogues } from './seeded.ts';
import { startApi } from './server.ts';

export interface ServeOptions {
  readonly settings: Settings;
  readonly ledger: Connected;
  /** How to wait for the read models: the projector's own way where it runs in this process, else a follower's. */
  readonly waitFor: (wanted: Wanted, timeoutMs: number) => Promise<boolean>;
  readonly log: Log;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
  /** Of the projector in this process; null where it runs elsewhere. */
  readonly lagMs: () => number | null;
  /** Told of the admin key when it has been made, to print it: it is kept nowhere. */
  readonly onNewAdminKey: (key: string) => void;
  /** Told of what no caller may see. */
  readonly onError: (error: unknown, where: string) => void;
}

export interface ServedLedger {
  readonly url: string;
  /** What decides in this process: for others that decide in it too. */
  readonly decides: { readonly runner: Runner<Catalogues>; readonly catalogue: Catalogue };
  /** Answers what is under way and decides nothing more. The ledger stays connected. */
  close(): Promise<void>;
}

export async function serveLedger(options: ServeOptions): Promise<ServedLedger> {
  const { settings, ledger, log, meter, tracer, waitFor, lagMs, onError, onNewAdminKey } = options;
  const { store, keyIndex, pool, schema, genesis, testClock } = ledger;
  // Business goes by the ledger's clock, deadlines by the one on the wall.
  const time = { now: () => ledger.clock.now(), realNow: Date.now };
  const snapshots = withSealSnapshots(store, ledger.snapshots);
  // What has been opened, to be closed the other way round, also where the start breaks off half-way.
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  };
  try {
    const catalogue = followCatalogue({ store, onError: (error) => onError(error, 'catalogue') });
    closers.push(() => catalogue.close());
    await catalogue.fresh();
    const watched = watchedStore(options);
    const runner = createRunner<Catalogues>({ ...watched, keyIndex, snapshots, catalogue, onError, ...time });
    closers.push(() => runner.close());
    const queries = openReads(pool, schema, () => catalogue.current());
    const onWarning = (message: string): void => log.warn(message);
    const { redisUrl, namespace } = settings;
    const rateLimits = createRateLimits({ redisUrl, namespace, onWarning });
    closers.push(() => rateLimits.close());
    const onRepriceError = (error: unknown): void => onError(error, 'reprice sweep');
    closers.push(startRepriceSweep({ runner, catalogue, queries, onError: onRepriceError, ...time }));
    const reads = { queries, balances: createBalanceReader(queries), index: keyIndex, waitFor, lagMs };
    const webhooks = await openWebhooks({
      pool,
      namespace,
      storeId: genesis.store_id,
      settings: settings.webhooks,
    });
    let started = false;
    const isStarted = (): boolean => started;
    const api = await startApi(settings, {
      runner,
      store,
      catalogue,
      epoch: genesis.epoch,
      reads,
      rateLimits,
      webhooks,
      isStarted,
      sealSeconds: settings.sealSeconds,
      log,
      meter,
      tracer,
      testClock,
      ...time,
    });
    closers.push(() => api.close());
    if (settings.seedCatalogues) await seedCatalogues(runner, await catalogue.fresh());
    // Only now, when nothing can keep us from serving: a key that was made and never shown would be lost for ever.
    const newAdminKey = await ensureAdminKey(runner, settings.adminKey);
    if (newAdminKey !== null) onNewAdminKey(newAdminKey);
    await catalogue.fresh();
    started = true;
    const everyMs = settings.sealSeconds * 1_000;
    const onSealError = (error: unknown): void => onError(error, 'sealing');
    if (everyMs > 0) closers.push(startSealing({ runner, store, everyMs, onError: onSealError, ...time }));
    return { url: api.url, decides: { runner, catalogue }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The store as the runner sees it: its appends are measured, and traced where traces are on. */
function watchedStore({
  ledger: { store },
  meter,
  tracer,
}: Pick<ServeOptions, 'ledger' | 'meter' | 'tracer'>): Pick<RunnerParts<never>, 'store' | 'aroundRound'> {
  const measured = observeStore(store, { onAppend: measureAppends(meter) });
  if (tracer === null) return { store: measured };
  const traced = observeStore(measured, { onAppend: traceAppends(tracer) });
  return { store: traced, aroundRound: traceRounds(tracer) };
}
