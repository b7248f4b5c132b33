/**
 * Holds that nobody waits for any more: the time was over, the call was denied, and the ledger may place the hold all the
 * same. They are made void in the background, so that their credits are not kept until they expire. It does as much as is
 * cheap and tells nobody of failures, because a hold lets go by itself.
 */
import { isPassing, LedgerRefused } from './errors.ts';
import type { Transport } from './transport.ts';

/** Before each try. In all longer than the 10 s that the ledger itself may take to place a hold. */
const PAUSES_MS = [100, 1_000, 4_000, 10_000] as const;
const TRY = { withinMs: 2_000, once: true } as const;
/** In an outage every call is denied: those beyond this bound are left to expire. */
const PENDING_MAX = 1_000;

export interface LateVoids {
  add(account: string, hold: { readonly id: string; readonly expires_in: number }): void;
}

export function openLateVoids(transport: Transport): LateVoids {
  let pending = 0;

  async function letGo(account: string, hold: string, endAt: number): Promise<void> {
    const path = { id: account, hold };
    for (const pause of PAUSES_MS) {
      await new Promise((resolve) => setTimeout(resolve, pause).unref());
      if (performance.now() >= endAt) return;
      try {
        await transport.send('POST /v1/accounts/{id}/holds/{hold}/void', { path }, TRY);
        return;
      } catch (error) {
        // Not placed yet, perhaps: the request may still wait in the ledger.
        const notYet = error instanceof LedgerRefused && error.code === 'hold_not_found';
        if (!notYet && !isPassing(error)) return;
      }
    }
  }

  return {
    add(account, { id, expires_in }) {
      if (pending >= PENDING_MAX) return;
      pending += 1;
      void letGo(account, id, performance.now() + expires_in * 1_000).finally(() => {
        pending -= 1;
      });
    },
  };
}
