/**
 * Wakes a wallet: what is due in it is carried out, and stands in the books. Nothing depends on it, since every decision
 * carries out what is due first (rules 7, 33; billing rule 1). Twice is once: the second time nothing is due any more.
 */
import { type Catalogues, type WalletCommand, walletDecider } from '@tallystick/domain';
import type { Runner } from '@tallystick/event-store';
import type { Handler } from '@tallystick/jobs';

export const WAKE = 'wake';
export const WAKE_OPTIONS = { concurrency: 16, attempts: 3, timeoutMs: 20_000 } as const;

export interface WakeParts {
  readonly runner: Pick<Runner<Catalogues>, 'execute'>;
  readonly isPaused: () => boolean;
}

const PATIENCE_MS = 10_000;
const COMMAND: WalletCommand = { type: 'CarryOutDues', key: null, fingerprint: null };
const CAUSE = { actor: 'worker', request: '' };

export function wakeHandler({ runner, isPaused }: WakeParts): Handler {
  return async ({ data: { account } }) => {
    if (typeof account !== 'string') throw new Error('a wake job names no account');
    // Put in before the clock began to move; the sweep puts it in again afterwards, if it is due then.
    if (isPaused()) return;
    const orders = [{ id: account, command: COMMAND, cause: CAUSE }];
    const executed = await runner.execute(walletDecider, orders, Date.now() + PATIENCE_MS);
    if (executed === 'queue_full') throw new Error('the runner has too much to do');
    const [outcome] = executed;
    switch (outcome?.status) {
      case 'recorded':
      case 'unchanged':
        return;
      case 'unavailable':
        throw new Error(`not possible now: ${outcome.reason}`);
      case 'refused':
        throw new Error(`refused: ${outcome.refusal.code}`);
      case 'conflict':
      case undefined:
        throw new Error('a command without a key has no conflict, and every order has an outcome');
    }
  };
}
