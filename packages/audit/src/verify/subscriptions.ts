/** The subscriptions of one wallet: what its events tell of each, whether they follow from one another, and the caps' counters. */

import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, MoveText } from '../event.ts';
import { type CapCounter, countCharge, NOT_COUNTED } from './caps.ts';
import { checkCarriedOver } from './carried-over.ts';
import type { DeferredChange } from './deferred.ts';
import type { Name } from './finding.ts';
import type { HoldBook } from './holds.ts';
import {
  isOfSubscription,
  type Picture,
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

  apply(event: AuditedEvent, beside: Beside, name: Name): void {
    if (event.type === 'UsageCharged' && this.current !== null) {
      this.caps = countCharge(event, this.current.terms.caps ?? [], this.caps, name);
      return;
    }
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
    const after = subscribedAfter(before, event, now);
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
    this.current = after;
    this.all.set(now.id, after);
    this.trialUsed ||= now.trial_end !== null;
    if (isFree(now)) this.freeUntil = Math.max(this.freeUntil, Date.parse(now.period_end));
    if (before === null || before.now.id !== now.id || (event.data as ToldData).terms !== undefined)
      this.#renumber(before, after, beside.holds);
  }

  /** Other terms number their caps anew: one of the same unit, model and window goes on counting. */
  #renumber(before: Subscribed | null, { now, terms }: Subscribed, holds: HoldBook): void {
    const [were, caps] = [before?.terms.caps ?? [], terms.caps ?? []];
    const isSame = before?.now.id === now.id;
    this.caps = caps.map((cap) => (isSame ? this.caps[sameLine(cap, were)] : undefined) ?? NOT_COUNTED);
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
  const due = refundDue(before, event, { ...beside, quotas: beside.quotas() });
  if (back !== due) name('what comes back is not what nobody has used', textOf(due), textOf(back));
}

const isFree = ({ status, period_paid, pay, period_credits }: Picture): boolean =>
  status === 'active' && period_paid && pay === 'credits' && period_credits === '0';

function inPots(pots: PotsText | null): readonly (readonly [string, bigint])[] {
  if (pots === null) return [];
  return [[pots.currency, pots.lines.reduce((sum, line) => sum + stepsOf(line), 0n)]];
}
