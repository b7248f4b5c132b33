/** The clock of a ledger that was opened with one that can be moved (`LEDGER_TEST_CLOCK`). Other ledgers refuse. */
import type { Transport } from './transport.ts';

export interface ShownClock {
  readonly now: string;
  /** How far it is ahead of real time. */
  readonly offset_ms: number;
  /** Where an advance that has not ended is going; null where there is none. */
  readonly advancing_to: string | null;
}

/** One of the two. */
export interface ClockAdvance {
  readonly to?: string;
  readonly by_seconds?: number;
}

export interface TestClockRoutes {
  readonly 'GET /v1/test-clock': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: ShownClock };
  };
  readonly 'POST /v1/test-clock/advance': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: ClockAdvance;
    readonly answers: { readonly 200: ShownClock };
  };
}

/** More than the ledger takes before it says itself that it is not there yet. */
const ADVANCE_MS = 300_000;

export function testClockCalls({ send }: Transport) {
  return {
    get(): Promise<ShownClock> {
      return send('GET /v1/test-clock', {});
    },
    /**
     * Forward; resolves when everything that is due in between has happened, in order. To an instant it is tried again
     * until it is there; by seconds it is tried once, for a second try might go on as far again. For admins.
     */
    advance(by: ClockAdvance): Promise<ShownClock> {
      const sending = { withinMs: ADVANCE_MS, tryMs: ADVANCE_MS, once: by.to === undefined };
      return send('POST /v1/test-clock/advance', { body: by }, sending);
    },
  };
}
