/**
 * Billing rule 16: an account tops itself up with one request at a time, below its threshold only (what is held counts as
 * there), not before the cool-off is over, so often in a day of its zone, and not after too many were declined.
 */
import { emptyState, refold, stepsOf } from '../refold.ts';
import { broken, type Evidence } from './evidence.ts';

const DECLINES_MAX = 3;

export function topUpsComeOneAtATime({ wallets }: Evidence): void {
  for (const { stream, events } of wallets) {
    const state = emptyState();
    let terms: { enabled: boolean; threshold: string; cool_off_seconds: number; daily_cap: number } | null =
      null;
    let open: string | null = null;
    let lastAt = Number.NEGATIVE_INFINITY;
    let declined = 0;
    const ofDay = new Map<string, number>();
    for (const event of events) {
      refold(state, event);
      const at = { stream, revision: event.revision };
      switch (event.type) {
        case 'AutoTopUpSet':
          terms = event.data;
          declined = 0;
          break;
        case 'AutoTopUpRequested': {
          const { id, credits, day } = event.data;
          const there = state.available + state.held;
          const count = (ofDay.get(day) ?? 0) + 1;
          ofDay.set(day, count);
          const about = { ...at, id, open, there, terms, count };
          if (open !== null) broken('one request to top up at a time', about);
          if (terms === null || !terms.enabled || declined >= DECLINES_MAX)
            throw broken('nobody tops up who does not want to', { ...about, declined });
          if (stepsOf(credits) !== there || there >= stepsOf(terms.threshold))
            broken('a top-up is asked for below the threshold', { ...about, credits });
          if (event.recordedAt < lastAt + terms.cool_off_seconds * 1_000)
            broken('a top-up is asked for after the cool-off', { ...about, lastAt });
          if (count > terms.daily_cap) broken('so many top-ups in a day', { ...about, day });
          open = id;
          lastAt = event.recordedAt;
          break;
        }
        case 'AutoTopUpResolved':
          if (event.data.id !== open)
            broken('a request is answered once', { ...at, open, id: event.data.id });
          declined = event.data.result === 'declined' ? declined + 1 : 0;
          open = null;
          break;
        default:
      }
    }
  }
}
