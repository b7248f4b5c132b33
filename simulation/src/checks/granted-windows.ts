/**
 * Of a line of a plan no window is granted twice, or more of it than the plan says (billing rules 1, 5, 7). Where windows of
 * another rhythm begin, after a trial or with another interval or anchor, all that is left of the old ones is gone. A period
 * that is a part of its plan's interval has of a window only the part that it pays for, and the next period has the rest.
 */
import type { NewQuota, PlanTerms, Subscription, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { sumOf } from '../refold.ts';
import { type PlanState, type QuotaState, quotasGrantedBy, subscriptionAfter } from '../refold-quotas.ts';
import { broken } from './evidence.ts';

const HOUR = 3_600_000;
const WEEK = 168 * HOUR;
/** Where a clock is put forward. */
const SHORTEST: ReadonlyMap<string, number> = new Map([
  ['day', 23 * HOUR],
  ['week', 167 * HOUR],
]);

type At = { readonly stream: string; readonly revision?: number };

interface Window {
  readonly start: number;
  readonly end: number;
  /** It ends with its period: the next grant is the rest of it. */
  readonly isCut: boolean;
  readonly quotas: string[];
}

/** To be used, or used. */
function leftOf(quota: QuotaState | undefined): bigint {
  return quota === undefined ? 0n : quota.free + quota.pinned + quota.used;
}

/** By subscription and line. What comes on top in mid-window (`extra`) is bought, see the periods. */
export class GrantedWindows {
  #windows = new Map<string, Window[]>();
  #subscription: Subscription | null = null;

  add(event: StoredEvent<WalletEvent>, terms: PlanTerms | null, plan: PlanState, at: At): void {
    this.#follow(event, plan, at);
    for (const { quota, unit, model, quantity, starts_at, expires_at, origin } of quotasGrantedBy(event)) {
      if (origin.kind !== 'plan' || origin.extra === true) continue;
      const line = terms?.included[origin.line];
      const about = {
        ...at,
        subscription: origin.subscription,
        unit,
        model,
        starts_at,
        expires_at,
        quantity,
      };
      if (line?.unit !== unit || line.model !== model || line.per !== origin.per)
        throw broken('a quota is of a line of the plan', about);
      const [start, end] = [Date.parse(starts_at), Date.parse(expires_at)];
      const now = this.#subscription;
      const isOfPart = now !== null && line.per !== 'period' && isPartOfPeriod(now, terms);
      if (isOfPart) isPartOfWindow(now, line, quantity, start, end, about);
      const isCut = isOfPart && line.per === 'week' && expires_at === now.period_end;
      const name = `${origin.subscription} ${unit} ${model} ${origin.per}`;
      const windows = this.#windows.get(name) ?? [];
      this.#windows.set(name, windows);
      const other = windows.find((window) => window.start < end && start < window.end);
      const window = other ?? { start, end, isCut, quotas: [] };
      if (other === undefined) windows.push(window);
      if (window.start !== start || window.end !== end)
        broken('windows of a line do not overlap', { ...about, other });
      window.quotas.push(quota);
      // What was lost when a subscription lapsed is granted anew when it is revived.
      const first = windows.find(
        (before) => before.isCut && before.end === start && end - before.start <= WEEK,
      );
      const parts = [...(first?.quotas ?? []), ...window.quotas];
      const granted = sumOf(parts.map((id) => leftOf(plan.quotas.get(id))));
      if (line.amount !== 'unlimited' && granted > BigInt(line.amount))
        broken('a window is granted once, as the plan says', { ...about, granted, line });
    }
  }

  /** Windows of another rhythm have nothing to do with those before them, which are over. */
  #follow(event: StoredEvent<WalletEvent>, { quotas }: PlanState, at: At): void {
    const before = this.#subscription;
    const now = subscriptionAfter(event);
    if (now === undefined) return;
    this.#subscription = now;
    if (before?.id !== now.id) return;
    const isPaidLate = now.period_paid && !before.period_paid && now.period_start === before.period_start;
    if (isPaidLate) hasNothingUnpaid(event, now, quotas, at);
    if (before.anchor_at === now.anchor_at) return;
    this.#windows = new Map();
    const granted = quotasGrantedBy(event).map(({ quota }) => quota);
    for (const { born, free } of quotas.values()) {
      const isOld = born.origin.kind === 'plan' && !granted.includes(born.quota);
      if (isOld && free > 0n)
        broken('what is left of windows of another rhythm is gone', { ...at, born, free });
    }
  }
}

/** What a grace has granted for the period has no money behind it: paid late, what is left of it is granted anew. */
function hasNothingUnpaid(
  event: StoredEvent<WalletEvent>,
  { id, period_start }: Subscription,
  quotas: PlanState['quotas'],
  at: At,
): void {
  const granted = quotasGrantedBy(event).map(({ quota }) => quota);
  for (const { born, free } of quotas.values()) {
    const { origin, quota, starts_at } = born;
    if (origin.kind !== 'plan' || origin.subscription !== id || origin.per !== 'period') continue;
    const isOfGrace = Date.parse(starts_at) >= Date.parse(period_start) && !granted.includes(quota);
    if (isOfGrace && free > 0n)
      broken('what a grace has granted is granted anew when it is paid', { ...at, born, free });
  }
}

/** A trial, or what is left of a calendar's month when it begins. */
function isPartOfPeriod(now: Subscription, terms: PlanTerms | null): boolean {
  if (terms === null) return false;
  if (now.status === 'trialing') return true;
  if (now.anchor !== 'calendar' || now.period_start !== now.anchor_at) return false;
  if (terms.interval !== 'month') throw new Error('only months of the calendar are looked at here');
  const clock = { timeZone: now.time_zone, dateStyle: 'short', timeStyle: 'medium' } as const;
  const begins = new Intl.DateTimeFormat('sv', clock).format(Date.parse(now.period_start));
  return !begins.endsWith('-01 00:00:00') || !now.period_start.endsWith('.000Z');
}

function isPartOfWindow(
  { period_end }: Subscription,
  { amount, per }: PlanTerms['included'][number],
  quantity: NewQuota['quantity'],
  start: number,
  end: number,
  about: object,
): void {
  const whole = BigInt(SHORTEST.get(per) ?? 0);
  if (end > Date.parse(period_end))
    broken('windows end with a period that is a part', { ...about, period_end });
  if (amount === 'unlimited') return;
  if (BigInt(quantity) * whole > BigInt(amount) * BigInt(end - start) + whole)
    broken('a part of a period has the part of a window that it pays for', { ...about, period_end });
}
