/** The positions of a store's events: they grow, and where the store numbers its events itself none is left out. */
import type { RecordedEvent } from '@tallystick/event-store';
import type { Finding } from './finding.ts';

export class Positions {
  readonly #isGapless: boolean;
  readonly #report: (finding: Finding) => void;
  /** Of the last event. */
  last = 0n;

  /** @param isGapless positions are 1, 2, 3, …: so a missing one is an event that was taken out, whatever its stream */
  constructor(isGapless: boolean, report: (finding: Finding) => void) {
    this.#isGapless = isGapless;
    this.#report = report;
  }

  follow({ stream, revision, position }: RecordedEvent): void {
    const next = this.last + 1n;
    if (position < next) {
      const expected = `more than ${this.last}`;
      this.#report({ what: 'positions do not grow', stream, revision, expected, found: String(position) });
    } else if (this.#isGapless && position > next) {
      const before = position - 1n;
      const expected = before === next ? `position ${next}` : `positions ${next} to ${before}`;
      const what = 'events are missing from the store before this one';
      this.#report({ what, stream, revision, expected, found: null });
    }
    this.last = position;
  }
}
