/** An event with its amounts read: each is needed by several checks, and read once. */

import type { RecordedEvent } from '@tallystick/event-store';
import { stepsOf } from '../decimal.ts';
import { type AuditedEvent, readWith } from '../event.ts';

export interface Leg {
  readonly account: string;
  readonly unit: string;
  /** Of 10^-9; debit positive. */
  readonly steps: bigint;
}

/** Of a quota: neither credits nor a currency. */
export const isQuotaUnit = (unit: string): boolean => unit !== 'credits' && !isCurrency(unit);
export const isCurrency = (unit: string): boolean => unit.length === 3 && /^[A-Z]{3}$/.test(unit);

export interface AccountedEvent extends AuditedEvent {
  /** The whole entry, posting by posting. */
  readonly legs: readonly Leg[];
}

/**
 * How a charge came to its price, as the ledger writes it. Nothing here looks at it (its chain vouches for it), and it is
 * a third of what there would be to parse. What this matches is sound JSON; anything else is parsed as it stands.
 */
const NUMBER = '(?:0|[1-9]\\d*)';
const AMOUNT = '"[\\d.]+"';
const LINE =
  `\\{"dimension":"\\w+","quantity":${NUMBER},"exact":${AMOUNT},"price":` +
  `\\{"cost":\\{"amount":${AMOUNT},"currency":"[A-Z]{3}"\\},"per":${NUMBER},"markup":${AMOUNT}\\}\\}`;
const PRICE_START = ',"price":{"exact":';
const PRICE = new RegExp(
  `${PRICE_START.replace('{', '\\{')}${AMOUNT},"round_to":${AMOUNT},"lines":\\[${LINE}(?:,${LINE})*\\]\\}`,
  'y',
);

function withoutPrice({ type, meta }: RecordedEvent): string {
  if (type !== 'UsageCharged') return meta;
  const start = meta.indexOf(PRICE_START);
  if (start < 0) return meta;
  PRICE.lastIndex = start;
  return PRICE.test(meta) ? meta.slice(0, start) + meta.slice(PRICE.lastIndex) : meta;
}

const NO_LEGS: readonly Leg[] = [];

export function readAccounted(recorded: RecordedEvent): AccountedEvent {
  const event = readWith(recorded, withoutPrice(recorded));
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
