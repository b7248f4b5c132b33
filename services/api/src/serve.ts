/** The API on a connected ledger: runner, catalogues, admin key, sweep and HTTP, put together and taken apart in order. */

import type { Connected, Settings } from '@tallystick/connect';
import type { PriceBooks } from '@tallystick/domain';
import { createRunner } from '@tallystick/event-store';
import { createBalanceReader, openReads, type Wanted } from '@tallystick/projections';
import { ensureAdminKey } from './admin-key.ts';
import { followCatalogue } from './catalogue.ts';
import { startApi } from './server.ts';
import { startSweep } from './sweep.ts';

export interface ServeOptions {
  readonly settings: Settings;
  readonly ledger: Connected;
  /** How to wait for the read models: the projector's own way where it runs in this process, else a follower's. */
  readonly waitFor: (wanted: Wanted, timeoutMs: number) => Promise<boolean>;
  /** Of the projector in this process; null where it runs elsewhere. */
  readonly lagMs: () => number | null;
  /** Told of what no caller may see. */
  readonly onError: (error: unknown, where: string) => void;
}

export interface ServedLedger {
  readonly url: string;
  /** To be printed, once; null where there was one already, or where it was given. */
  readonly newAdminKey: string | null;
  /** Answers what is under way and decides nothing more. The ledger stays connected. */
  close(): Promise<void>;
}

export async function serveLedger({
  settings,
  ledger,
  waitFor,
  lagMs,
  onError,
}: ServeOptions): Promise<ServedLedger> {
  const { store, keyIndex, snapshots, pool, schema, genesis } = ledger;
  const catalogue = followCatalogue({ store, onError: (error) => onError(error, 'catalogue') });
  await catalogue.fresh();
  const runner = createRunner<PriceBooks>({
    store,
    keyIndex,
    snapshots,
    catalogue,
    onError: (error, stream) => onError(error, stream),
  });
  const newAdminKey = await ensureAdminKey(runner, settings.adminKey);
  await catalogue.fresh();
  const queries = openReads(pool, schema);
  const api = await startApi(settings, {
    runner,
    store,
    catalogue,
    epoch: genesis.epoch,
    reads: { queries, balances: createBalanceReader(queries), index: keyIndex, waitFor, lagMs },
  });
  const stopSweep = startSweep({ runner, queries, onError: (error) => onError(error, 'sweep') });
  return {
    url: api.url,
    newAdminKey,
    async close() {
      await api.close();
      await stopSweep();
      await runner.close();
      catalogue.close();
    },
  };
}
