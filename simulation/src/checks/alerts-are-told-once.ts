/**
 * Billing rule 15: no crossing is told twice, and what an alert of a quota tells is so: so much is used and held of what was
 * granted. An alert on the balance tells of one that is below.
 */
import { emptyState, refold, stepsOf } from '../refold.ts';
import { broken, type Evidence } from './evidence.ts';

export function alertsAreToldOnce({ wallets }: Evidence): void {
  for (const { stream, events } of wallets) {
    const state = emptyState();
    const told = new Set<string>();
    /** Thresholds on the balance that wait for credits to come in. */
    const low = new Set<string>();
    for (const event of events) {
      refold(state, event);
      const at = { stream, revision: event.revision };
      const { moves = [] } = event.data as { moves?: readonly { readonly from: string }[] };
      if (event.type === 'AlertsSet' || moves.some(({ from }) => OUTSIDE.test(from))) low.clear();
      if (event.type !== 'AlertRaised') continue;
      const { data } = event;
      const about = { ...at, ...data, available: state.available };
      if (told.has(data.key)) broken('a crossing is told once', about);
      told.add(data.key);
      if (data.alert === 'quota') {
        const taken = BigInt(data.used) + BigInt(data.held);
        if (taken * 100n < BigInt(data.granted) * BigInt(data.threshold))
          broken('a quota is warned of when so much of it is taken', about);
      }
      if (data.alert !== 'balance') continue;
      if (low.has(data.threshold)) broken('a balance is told of again after credits have come in', about);
      low.add(data.threshold);
      if (stepsOf(data.available) !== state.available || state.available >= stepsOf(data.threshold))
        broken('a balance is told of when it is below', about);
    }
  }
}

const OUTSIDE = /^(granted|adjusted|spent)$/;
