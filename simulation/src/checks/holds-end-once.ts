/** Rule 20: a hold that was placed ends, once: settled, voided or expired; only an expired one is opened again. */
import { emptyState, refold } from '../refold.ts';
import { broken, type Evidence } from './evidence.ts';

export function holdsEndOnce({ wallets }: Evidence): void {
  for (const { stream, events } of wallets) {
    const state = emptyState();
    const settled = new Set<string>();
    for (const event of events) {
      if (
        (event.type === 'UsageCharged' || event.type === 'UsageUnpriced') &&
        event.data.hold !== undefined
      ) {
        const { hold } = event.data;
        if (settled.has(hold)) broken('a hold is settled once', { stream, revision: event.revision, hold });
        settled.add(hold);
      }
      const before = new Map([...state.holds].map(([hold, { status }]) => [hold, status]));
      refold(state, event);
      for (const [hold, { status }] of state.holds) {
        const was = before.get(hold) ?? 'new';
        // A call that ran after its hold had expired is charged all the same, and so settles it.
        const isAllowed = was === status || was === 'new' || was === 'open' || was === 'expired';
        if (!isAllowed) broken('a hold ends once', { stream, revision: event.revision, hold, was, status });
      }
      if (event.type === 'HoldPlaced' && before.has(event.data.hold))
        broken('a hold is placed once', { stream, revision: event.revision });
    }
    for (const [hold, { status }] of state.holds)
      if (status === 'open') broken('every hold ends when its time has come', { stream, hold });
  }
}
