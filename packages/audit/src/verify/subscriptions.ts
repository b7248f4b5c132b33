/** The subscriptions of one wallet: what its events tell of each, whether they follow from one another, and the caps' counters. */

import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, MoveText } from '../event.ts';
import { type CapCounter, countCharge, NOT_COUNTED } from './caps.ts';
import { checkCarriedOver } from './carried-over.ts';
import type { DeferredChange } from './deferred.ts';
import type { Name } from './finding.ts';
import type { HoldBook } from './holds.ts';
import {
  costsNothing,
  isMeasured,
  isOfSubscription,
  type LineText,
  type PotsText,
  type Subscribed,
  sameLine,
  subscribedAfter,
  type ToldData,
} from './picture.ts';
import { checkGrants } from './plan-grants.ts';
import { checkPots } from './pots.ts';
import type { Quota, QuotaPassage } from './quotas.ts';
import { refundDue } from './refunds.ts';
import { checkUnapplied } from './subscription-payments.ts';
import { checkStep } from './subscription-steps.ts';

/** What else of the wallet an event of a subscription is held to. */
export interface Beside {
  readonly isNext: boolean;
  readonly passages: readonly QuotaPassage[];
  /** Those that the wallet's state had before. */
  readonly quotas: () => readonly Quota[];
  readonly holds: HoldBook;
  readonly deferred: DeferredChange;
  readonly currencyOf: (lot: string) => string | null;
  readonly expiryOf: (lot: string) => number | null;
}

export class SubscriptionBook {
  readonly all = new Map<string, Subscribed>();
  /** The last one; it may have ended. */
  current: Subscribed | null = null;
  trialUsed = false;
  /** The end of the last period that cost nothing, in milliseconds since 1970; 0 where there was none. */
  freeUntil = 0;
  /** Of the last one, by index of its terms' caps. */
  caps: readonly CapCounter[] = [];
  /** Of caps that its terms do not have, while their windows last. */
  otherCaps: readonly { readonly cap: LineText; readonly counter: CapCounter }[] = [];

  apply(event: AuditedEvent, beside: Beside, name: Name): void {
    if (event.type === 'UsageCharged' && this.current !== null) {
      const { plan, hold, violations = [] } = event.data as ChargedData;
      const held = beside.holds.all.get(hold ?? '');
      const paidIn = held?.terms.plan?.paid_in;
      // What was held on another one, that ended in its time, voids nothing of this.
      const isOfNow = paidIn === undefined || paidIn === this.current.now.id;
      if (plan !== undefined) this.#mark(isOfNow && violations.includes('quota_exhausted'));
      this.caps = countCharge(event, this.current, this.caps, held ?? null, name);
      return;
    }
    if (event.type === 'Expired' && hadPlan(event, beside.holds)) this.#mark();
    if (!isOfSubscription(event)) return;
    if (event.type === 'SubscriptionPaymentRecorded' && beside.isNext)
      checkUnapplied(this.current?.now ?? null, event, name);
    const { subscription: now } = event.data as ToldData;
    if (now === undefined) {
      if (event.type !== 'SubscriptionPaymentRecorded' || event.data.applied === true)
        name('the event does not say how the subscription stands', 'a picture', 'none');
      return;
    }
    const before = this.current;
    const after = markedAfter(before, subscribedAfter(before, event, now), event, beside.holds);
    // After a gap nobody knows what it follows from.
    if (beside.isNext) {
      checkStep(before, event, now, this.trialUsed, name);
      checkPots(before, after, event, beside.passages, beside.currencyOf, name);
      checkCarriedOver(before, after, event, beside.quotas(), name);
      if (event.type === 'SubscriptionEnded' && before !== null) checkRefund(before, event, beside, name);
    }
    checkGrants(beside.isNext ? before : null, after, event, beside.passages, name);
    const pots = before?.now.id === now.id ? before.pots : null;
    for (const [currency, steps] of inPots(pots)) beside.deferred.add(currency, -steps);
    for (const [currency, steps] of inPots(after.pots)) beside.deferred.add(currency, steps);
    if (now.status === 'canceled' && now.ended_at !== now.period_end) beside.holds.leave(now.id);
    this.current = after;
    this.all.set(now.id, after);
    this.trialUsed ||= now.trial_end !== null;
    if (isFree(after)) this.#begunForNothing(before, after, beside.isNext, name);
    if (before === null || before.now.id !== now.id || (event.data as ToldData).terms !== undefined)
      this.#renumber(before, after, beside.holds);
    this.otherCaps = this.otherCaps.filter(({ counter }) => counter.end > Date.parse(now.period_start));
  }

  /** A call was charged on a plan, or may be yet. */
  #mark(isOverrun = false): void {
    if (this.current !== null && (isOverrun || !isMeasured(this.current.terms)))
      this.current = { ...this.current, unmeasured: true };
  }

  /** What costs nothing is not begun anew before its last period has passed. */
  #begunForNothing(before: Subscribed | null, { now }: Subscribed, isNext: boolean, name: Name): void {
    const begins = before?.now.id !== now.id || before.now.period_start !== now.period_start;
    if (isNext && begins && Date.parse(now.period_start) < this.freeUntil)
      name(
        `${now.id} begins a period that costs nothing while the last one lasts`,
        new Date(this.freeUntil).toISOString(),
        now.period_start,
      );
    this.freeUntil = Math.max(this.freeUntil, Date.parse(now.period_end));
  }

  /**
   * Other terms number their caps anew: one of the same unit, model and window goes on counting, in a next subscription
   * too, but for what is counted by period.
   */
  #renumber(before: Subscribed | null, { now, terms }: Subscribed, holds: HoldBook): void {
    const [were, caps] = [before?.terms.caps ?? [], terms.caps ?? []];
    const isSame = before?.now.id === now.id;
    const counted = [
      ...were.map((cap, index) => ({ cap, counter: this.caps[index] ?? NOT_COUNTED })),
      ...this.otherCaps,
    ];
    const goesOn = counted.filter(({ cap }) => isSame || cap.per !== 'period');
    this.caps = caps.map(
      (cap) => goesOn.find((one) => sameLine(one.cap, [cap]) === 0)?.counter ?? NOT_COUNTED,
    );
    this.otherCaps = goesOn.filter(({ cap }) => sameLine(cap, caps) === -1);
    if (before === null) return;
    for (const hold of holds.allOpen())
      hold.caps = hold.caps
        .map(({ cap, quantity }) => ({ cap: sameLine(were[cap], caps), quantity }))
        .filter(({ cap }) => cap !== -1);
  }
}

function checkRefund(before: Subscribed, event: AuditedEvent, beside: Beside, name: Name): void {
  const moves = (event.data.moves ?? []) as readonly MoveText[];
  const back = moves.reduce(
    (sum, { from, credits }) => (from === 'spent' ? sum + stepsOf(credits) : sum),
    0n,
  );
  const { plan, plan_version } = before.now;
  const isHeld = beside.holds.allOpen().some(({ terms: { plan: of } }) => {
    const isOfNow = of?.id === plan && of.version === plan_version;
    return of !== undefined && !(isOfNow && isMeasured(before.terms));
  });
  const asked = { ...before, unmeasured: before.unmeasured || isHeld };
  const due = refundDue(asked, event, { ...beside, quotas: beside.quotas() });
  if (back !== due) name('what comes back is not what nobody has used', textOf(due), textOf(back));
}

const isFree = ({ now, terms }: Subscribed): boolean =>
  now.status === 'active' && now.period_paid && costsNothing(terms);

function inPots(pots: PotsText | null): readonly (readonly [string, bigint])[] {
  if (pots === null) return [];
  return [[pots.currency, pots.lines.reduce((sum, line) => sum + stepsOf(line), 0n)]];
}

/** A hold that ended by itself had a plan: its call may be settled yet. */
function hadPlan({ data }: AuditedEvent, { all }: HoldBook): boolean {
  const items = data.items as readonly { readonly kind: string; readonly id: string }[];
  return items.some(({ kind, id }) => kind === 'hold' && all.get(id)?.terms.plan !== undefined);
}

/** What is under way on terms that are changed within a period has what they give. */
function markedAfter(
  before: Subscribed | null,
  after: Subscribed,
  { data }: AuditedEvent,
  holds: HoldBook,
): Subscribed {
  const isSame = before?.now.id === after.now.id && before.now.period_start === after.now.period_start;
  if (!isSame || (data as ToldData).terms === undefined || isMeasured(before.terms)) return after;
  const isHeld = holds.allOpen().some(({ terms }) => terms.plan !== undefined);
  return isHeld ? { ...after, unmeasured: true } : after;
}

interface ChargedData {
  readonly plan?: object;
  readonly hold?: string;
  readonly violations?: readonly string[];
}
