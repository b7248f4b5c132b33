/** The subscriptions of one wallet: what its events tell of each, whether they follow from one another, and the caps' counters. */

import { stepsOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import { type CapCounter, countCharge, NOT_COUNTED } from './caps.ts';
import type { DeferredChange } from './deferred.ts';
import type { Name } from './finding.ts';
import type { HoldBook } from './holds.ts';
import {
  isOfSubscription,
  type PotsText,
  type Subscribed,
  sameLine,
  subscribedAfter,
  type ToldData,
} from './picture.ts';
import { checkGrants } from './plan-grants.ts';
import { checkPots } from './pots.ts';
import type { QuotaPassage } from './quotas.ts';
import { checkStep } from './subscription-steps.ts';

/** What else of the wallet an event of a subscription is held to. */
export interface Beside {
  readonly isNext: boolean;
  readonly passages: readonly QuotaPassage[];
  readonly holds: HoldBook;
  readonly deferred: DeferredChange;
  readonly currencyOf: (lot: string) => string | null;
}

export class SubscriptionBook {
  readonly all = new Map<string, Subscribed>();
  /** The last one; it may have ended. */
  current: Subscribed | null = null;
  trialUsed = false;
  /** Of the last one, by index of its terms' caps. */
  caps: readonly CapCounter[] = [];

  apply(event: AuditedEvent, beside: Beside, name: Name): void {
    if (event.type === 'UsageCharged' && this.current !== null) {
      this.caps = countCharge(event, this.current.terms.caps ?? [], this.caps, name);
      return;
    }
    if (!isOfSubscription(event)) return;
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
    }
    checkGrants(after, event, beside.passages, name);
    const pots = before?.now.id === now.id ? before.pots : null;
    for (const [currency, steps] of inPots(pots)) beside.deferred.add(currency, -steps);
    for (const [currency, steps] of inPots(after.pots)) beside.deferred.add(currency, steps);
    this.current = after;
    this.all.set(now.id, after);
    this.trialUsed ||= now.trial_end !== null;
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

function inPots(pots: PotsText | null): readonly (readonly [string, bigint])[] {
  if (pots === null) return [];
  return [[pots.currency, pots.lines.reduce((sum, line) => sum + stepsOf(line), 0n)]];
}
