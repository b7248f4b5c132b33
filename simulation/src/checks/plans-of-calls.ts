/**
 * Which plan a call is charged on, worked out from the events alone: the one in force when it is decided; of a call that was
 * held the one that it was placed on, and none where it was placed on none; of what was parked, none. Whether a plan is
 * open, too: it is paid for, or its grace says so; a hold that was placed on an open plan is settled so, unless it had
 * expired. And whose expense it is what runs beyond its hard stop: the platform's where it is paid for, or was when the
 * hold was placed, whose subscription was not left before its period's end since.
 */
import type { Subscription, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { subscriptionAfter } from '../refold-quotas.ts';
import { broken } from './evidence.ts';

type DataOf<Type extends WalletEvent['type']> = Extract<WalletEvent, { type: Type }>['data'];
export type Charge = DataOf<'UsageCharged'>;
type Pinned = DataOf<'HoldPlaced'>['plan'];

export interface PlanOfCall {
  readonly id: string;
  readonly version: number;
  readonly isOpen: boolean;
}

interface Held {
  readonly model: string;
  /** As placed, or extended, last. */
  readonly last: Pinned;
  /** Revision at which it was placed first. */
  readonly at: number;
  /** The subscription that had it paid for, and was not left before its time since. */
  readonly paidIn: string | null;
  readonly hasExpired: boolean;
}

type At = { readonly stream: string; readonly revision: number };

const isSame = (a: Pinned | PlanOfCall | null, b: Pinned | PlanOfCall | null): boolean =>
  a?.id === b?.id && a?.version === b?.version;

export class PlansOfCalls {
  #subscription: Subscription | null = null;
  readonly #holds = new Map<string, Held>();

  of({ hold, late, repriced }: Charge): PlanOfCall | null {
    if (repriced !== undefined) return null;
    if (hold === undefined) return this.#inForce();
    const terms = this.#holds.get(hold) ?? broken('what is settled was held', { hold });
    const pinned = terms.last;
    if (pinned === undefined) return null;
    const now = this.#inForce();
    // Its own subscription goes on: a call whose hold has expired is one on the plan as it is now.
    if (late === true && now !== null && terms.at > Number(this.#subscription?.id.slice('sub-'.length)))
      return now;
    const isOpenNow = isSame(now, pinned) && now?.isOpen === true;
    return { ...pinned, isOpen: isOpenNow || (late !== true && pinned.open === true) };
  }

  /** What runs beyond the hard stop of its plan is the platform's. */
  isOurs({ hold, model, late, repriced }: Charge): boolean {
    if (late === true || repriced !== undefined) return false;
    if (hold === undefined) return this.#paidIn() !== null;
    const held = this.#holds.get(hold);
    return held !== undefined && held.paidIn !== null && held.model === model;
  }

  /** A hold says truly what it was placed on. */
  judge(event: StoredEvent<WalletEvent>, at: At): void {
    if (event.type === 'HoldPlaced') {
      const { plan } = event.data;
      const now = this.#inForce();
      if (!isSame(plan, now) || (plan?.open === true) !== (now?.isOpen === true))
        broken('a hold is placed on the plan in force', { ...at, plan, now });
      if ((plan?.paid_in ?? null) !== this.#paidIn())
        broken('a hold says where it was paid for', { ...at, plan, now });
    }
    if (event.type === 'HoldExtended') {
      const { hold, plan } = event.data;
      const { last, hasExpired } = this.#holds.get(hold) ?? broken('what is extended was held', { hold });
      const now = this.#inForce();
      const mayMove = last !== undefined && isSame(plan, now);
      // It was placed anew: it has what the plan gives now.
      const isAsNow = (plan?.open === true) === now?.isOpen && (plan?.paid_in ?? null) === this.#paidIn();
      if (hasExpired && mayMove && !isAsNow)
        broken('an expired hold that is extended has the terms of now', { ...at, plan, now });
      if (!isSame(plan, last) && !mayMove)
        broken('a hold stays on the plan that it was placed on', { ...at, plan });
    }
  }

  follow(event: StoredEvent<WalletEvent>): void {
    this.#subscription = subscriptionAfter(event) ?? this.#subscription;
    if (event.type === 'SubscriptionEnded') this.#leave(event.data.subscription);
    if (event.type === 'Expired')
      for (const { kind, id } of event.data.items)
        if (kind === 'hold') this.#change(id, { hasExpired: true });
    if (event.type !== 'HoldPlaced' && event.type !== 'HoldExtended') return;
    const { hold, model, plan } = event.data;
    const before = this.#holds.get(hold);
    const isAnew = before === undefined || before.hasExpired;
    this.#holds.set(hold, {
      model,
      last: plan,
      at: before?.at ?? event.revision,
      paidIn: isAnew ? (isSame(plan, this.#inForce()) ? this.#paidIn() : null) : before.paidIn,
      hasExpired: false,
    });
  }

  #leave({ id, status, ended_at, period_end }: Subscription): void {
    if (status !== 'canceled' || ended_at === period_end) return;
    for (const [hold, { paidIn }] of this.#holds) if (paidIn === id) this.#change(hold, { paidIn: null });
  }

  #change(id: string, change: Partial<Held>): void {
    const hold = this.#holds.get(id);
    if (hold !== undefined) this.#holds.set(id, { ...hold, ...change });
  }

  /** A grace is not paid for, whatever it gives. */
  #paidIn(): string | null {
    const now = this.#subscription;
    return now === null || now.ended_at !== null || now.status === 'past_due' ? null : now.id;
  }

  #inForce(): PlanOfCall | null {
    const now = this.#subscription;
    if (now === null || now.ended_at !== null) return null;
    const isOpen = now.status !== 'past_due' || (now.grace_quota ?? 'none') !== 'none';
    return { id: now.plan, version: now.plan_version, isOpen };
  }
}
