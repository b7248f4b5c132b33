/**
 * Wakes wallets in which something has fallen due, so that expiry stands in the books without a customer's call. Nothing
 * depends on it: every decision carries out what is due first (rules 7, 33). Any number of processes may sweep.
 */
import { type Catalogues, type WalletCommand, walletDecider } from '@tallystick/domain';
import type { Runner } from '@tallystick/event-store';
import { listDueAccounts, type Reads } from '@tallystick/projections';
import { periodically } from './periodically.ts';

export interface SweepParts {
  readonly runner: Runner<Catalogues>;
  readonly queries: Reads;
  readonly now?: () => number;
  readonly everyMs?: number;
  readonly onError: (error: unknown) => void;
}

const AT_ONCE = 200;
const COMMAND: WalletCommand = { type: 'CarryOutDues', key: null, fingerprint: null };
const CAUSE = { actor: 'sweep', request: '' };

/** @returns how to stop it; resolves when the sweep under way has ended */
export function startSweep({ runner, queries, now = Date.now, everyMs = 1_000, onError }: SweepParts) {
  async function sweep(): Promise<void> {
    const accounts = await listDueAccounts(queries, now(), AT_ONCE);
    if (accounts.length === 0) return;
    const orders = accounts.map((id) => ({ id, command: COMMAND, cause: CAUSE }));
    await runner.execute(walletDecider, orders, now() + 10_000);
  }
  return periodically(() => everyMs, sweep, onError);
}
