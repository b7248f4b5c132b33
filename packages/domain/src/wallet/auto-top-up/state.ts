/** Topping up by itself, in a wallet's state. Values are replaced, never changed in place: forks share them. */
import type { AutoTopUpEvent, AutoTopUpRequested, AutoTopUpTerms } from './events.ts';

export interface AutoTopUpState {
  readonly terms: AutoTopUpTerms;
  /** Asked for and not answered: while there is one there is no other. */
  readonly open: AutoTopUpRequested | null;
  readonly lastAt: number | null;
  /** The day that `today` counts the requests of. */
  readonly day: string;
  readonly today: number;
  /** In a row. */
  readonly declined: number;
  readonly isOff: boolean;
}

const FRESH = { open: null, lastAt: null, day: '', today: 0 } as const;

export function autoTopUpAfterEvent(
  state: AutoTopUpState | null,
  event: AutoTopUpEvent,
): AutoTopUpState | null {
  switch (event.type) {
    case 'AutoTopUpSet': {
      const { enabled, threshold, amount, cool_off_seconds, daily_cap } = event.data;
      const terms = { enabled, threshold, amount, cool_off_seconds, daily_cap };
      // Set anew is trusted anew; what was asked for today still counts.
      return { ...(state ?? FRESH), terms, declined: 0, isOff: false };
    }
    case 'AutoTopUpRequested': {
      if (state === null) throw new Error('a top-up was asked for that nobody had set');
      const { id, amount, credits, threshold, day, requested_at } = event.data;
      return {
        ...state,
        open: { id, amount, credits, threshold, day, requested_at },
        lastAt: Date.parse(requested_at),
        day,
        today: state.day === day ? state.today + 1 : 1,
      };
    }
    case 'AutoTopUpResolved': {
      if (state === null) throw new Error('a top-up was answered that nobody had set');
      const { result, off } = event.data;
      const declined = result === 'declined' ? state.declined + 1 : 0;
      return { ...state, open: null, declined, isOff: state.isOff || off === true };
    }
  }
}
