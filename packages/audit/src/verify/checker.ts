/** The place for checks of their own beside chain, books and read models: each sees every event, in the store's order. */
import type { RecordedEvent } from '@tallystick/event-store';
import { createSealChecker } from '../seal/check.ts';
import type { Finding } from './finding.ts';

export interface Checker {
  /** Also one that cannot be read. */
  event(recorded: RecordedEvent): void;
  /** Everything that it found, once the last event has been seen. */
  end(): readonly Finding[];
}

/** One of each is made for a verification. */
export const CHECKERS: readonly (() => Checker)[] = [createSealChecker];
