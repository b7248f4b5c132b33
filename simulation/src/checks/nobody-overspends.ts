/** L4: a charge in `charge` mode, and a hold, never take more than there is and the overdraft allows. */
import type { WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { emptyState, refold, stepsOf } from '../refold.ts';
import { broken, type Evidence } from './evidence.ts';

export function nobodyOverspends({ wallets }: Evidence): void {
  for (const { stream, events } of wallets) {
    const state = emptyState();
    for (const event of events) {
      const before = state.available;
      refold(state, event);
      if (takesWhatIsThere(event) && state.available < before && state.available < -state.overdraft)
        broken('nobody overspends', { stream, revision: event.revision, available: state.available });
    }
  }
}

/** The others book what has happened already, or are finance's own word. */
function takesWhatIsThere(event: StoredEvent<WalletEvent>): boolean {
  if (event.type === 'HoldPlaced' || event.type === 'HoldExtended') return true;
  if (event.type !== 'UsageCharged') return false;
  const { mode, hold, late, repriced, credits } = event.data;
  return mode === 'charge' && hold === undefined && !late && repriced === undefined && stepsOf(credits) > 0n;
}
