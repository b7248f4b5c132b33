/** An event with its amounts read: each is needed by several checks, and read once. */

import type { RecordedEvent } from '@tallystick/event-store';
import { stepsOf } from '../decimal.ts';
import { type AuditedEvent, readEvent } from '../event.ts';

export interface Leg {
  readonly account: string;
  readonly unit: string;
  /** Of 10^-9; debit positive. */
  readonly steps: bigint;
}

export interface AccountedEvent extends AuditedEvent {
  /** The whole entry, posting by posting. */
  readonly legs: readonly Leg[];
}

const NO_LEGS: readonly Leg[] = [];

export function readAccounted(recorded: RecordedEvent): AccountedEvent {
  const event = readEvent(recorded);
  const { entry } = event;
  const legs =
    entry.length === 0
      ? NO_LEGS
      : entry.map(({ account, unit, amount }) => ({ account, unit, steps: stepsOf(amount) }));
  return { ...event, legs };
}

/** The units in which an entry does not come to zero, with what is left over (L2). */
export function leftOver(legs: readonly Leg[]): readonly (readonly [unit: string, steps: bigint])[] {
  const left: [string, bigint][] = [];
  for (const { unit, steps } of legs) {
    const sum = left.find(([of]) => of === unit);
    if (sum === undefined) left.push([unit, steps]);
    else sum[1] += steps;
  }
  return left.filter(([, steps]) => steps !== 0n);
}
