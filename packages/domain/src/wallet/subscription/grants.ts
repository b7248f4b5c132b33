/**
 * Quotas of a plan's lines. A line's quota is granted once for each of its windows, at the window's start, and is gone at
 * its end: nothing is carried over and nothing is counted twice, because the event says which window was granted and when
 * the next is due. Windows that have wholly passed by the time somebody looks are skipped (billing rule 1).
 */
import type { IncludedLine, PlanTerms } from '../../plans/terms.ts';
import type { EntryDraft } from '../entry-draft.ts';
import type { QuotaOrigin } from '../quota/events.ts';
import { type Rhythm, type TimeWindow, windowAt } from './calendar.ts';
import type { Pots } from './pots.ts';

/** What a grant needs to know of the subscription it is for. */
export interface Granting {
  readonly draft: EntryDraft;
  readonly subscription: string;
  readonly terms: PlanTerms;
  readonly rhythm: Rhythm;
  readonly period: TimeWindow;
  /** The window that the period is a part of: longer where a calendar's month had begun before. */
  readonly whole: TimeWindow;
  readonly pots: Pots;
  readonly now: number;
  /**
   * Where windows end at the latest. A period that is only a part of the plan's interval (a trial, the rest of a calendar's
   * month) pays for its own part of a window and no more; the next period grants the rest of it. Else there is no such end.
   */
  readonly cutAt: number;
}

/** The limit of a line, or null where it has none. */
export function amountOf({ amount }: IncludedLine): bigint | null {
  return amount === 'unlimited' ? null : BigInt(amount);
}

/** Grants so much of a line for a window, with its share of the money. Nothing where the window has passed, or for 0. */
export function grantLine(
  granting: Granting,
  index: number,
  window: TimeWindow,
  quantity: bigint,
  extra = false,
): void {
  const { draft, subscription, terms, period, pots, now } = granting;
  const line = terms.included[index];
  if (line === undefined || quantity <= 0n || window.end <= now) return;
  const origin: QuotaOrigin = {
    kind: 'plan',
    subscription,
    line: index,
    per: line.per,
    ...(extra ? { extra: true as const } : {}),
  };
  draft.grantQuota(
    {
      quota: draft.nextQuotaId(),
      unit: line.unit,
      model: line.model,
      quantity: quantity.toString(),
      starts_at: new Date(window.start).toISOString(),
      expires_at: new Date(window.end).toISOString(),
      ...(line.counted_dimensions === undefined ? {} : { counted_dimensions: line.counted_dimensions }),
      origin,
    },
    pots.take(index, window, period),
  );
}

/** How much of a line is granted for a window, of which `open` is the part that is granted. */
export type Quantity = (index: number, amount: bigint, whole: TimeWindow, open: TimeWindow) => bigint;

/**
 * Grants the windows that hold `at`, of the lines that `isDue` names; says when each line is due next.
 * @param before when they were due so far
 */
export function grantWindows(
  granting: Granting,
  at: number,
  isDue: (index: number) => boolean,
  before: (index: number) => string | null,
  quantityOf: Quantity = fullQuantity,
): (string | null)[] {
  return granting.terms.included.map((line, index) => {
    const amount = amountOf(line);
    if (amount === null || amount === 0n) return null;
    if (!isDue(index)) return before(index);
    const whole = line.per === 'period' ? granting.whole : windowAt(granting.rhythm, line.per, at);
    // A window of another rhythm may have gone on until it was due: nothing is granted for the same time twice.
    const from = Date.parse(before(index) ?? '') || granting.period.start;
    const open = { start: Math.max(whole.start, from), end: Math.min(whole.end, granting.cutAt) };
    grantLine(granting, index, open, quantityOf(index, amount, whole, open));
    return line.per === 'period' ? null : new Date(open.end).toISOString();
  });
}

const fullQuantity: Quantity = (_index, amount, whole, open) => prorated(amount, whole, open);

/**
 * A window of the calendar may have begun before the subscription did, or go on after its first period: then only its part
 * is granted. What is left of the window at an instant is rounded down; so parts that follow one another lose nothing.
 */
export function prorated(amount: bigint, whole: TimeWindow, part: TimeWindow): bigint {
  const leftAt = (at: number): bigint =>
    (amount * BigInt(whole.end - Math.max(at, whole.start))) / BigInt(whole.end - whole.start);
  return leftAt(part.start) - leftAt(part.end);
}
