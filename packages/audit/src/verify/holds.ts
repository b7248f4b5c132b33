/** The holds of one wallet: opened and closed by their events, filled and emptied by moves. In steps of 10^-9. */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, MoveText } from '../event.ts';
import type { Name } from './finding.ts';
import type { PlanTermsText, Subscribed } from './picture.ts';
import type { QuotaPassage } from './quotas.ts';

export interface HoldTerms {
  readonly hold: string;
  readonly purpose: string;
  readonly model: string;
  readonly estimate: Readonly<Record<string, number>>;
  readonly credits: string;
  readonly expires_at: string;
  readonly price_book: { readonly name: string; readonly version: number };
  /** What quotas cover of the estimate. */
  readonly covered?: readonly { readonly quota?: string; readonly quantity: string }[];
  readonly plan?: PinnedText;
  readonly caps?: readonly HeldCap[];
}

export interface PinnedText {
  readonly id: string;
  readonly version: number;
  readonly open?: boolean;
  /** The subscription that had it paid for. */
  readonly paid_in?: string;
}

/** What an open hold may still use of the cap with this index. */
export interface HeldCap {
  readonly cap: number;
  readonly quantity: string;
}

/** What a hold has of a quota. */
export interface QuotaPin {
  readonly quantity: bigint;
  readonly paid: bigint;
}

export interface Pin {
  credits: bigint;
  paid: bigint;
  /** Place of the move that made it, among all moves of the wallet. */
  readonly since: number;
}

export type HoldStatus = 'open' | 'settled' | 'voided' | 'expired';

export interface Hold {
  terms: HoldTerms;
  readonly placedAt: string;
  status: HoldStatus;
  /** Revision at which it was placed. */
  readonly placed: number;
  /** Revision at which it was last opened. */
  opened: number;
  closedAt: string | null;
  closed: number | null;
  credits: bigint;
  uncovered: bigint;
  /** By lot; only what is not zero. */
  readonly pins: Map<string, Pin>;
  /** By quota, in the order of their last moves; only what is not zero. */
  readonly quotaPins: Map<string, QuotaPin>;
  /** Those of its terms, numbered as the terms of the subscription are now. */
  caps: readonly HeldCap[];
  /** What it was placed on: the terms, and the subscription that had them paid for and was not left before its time since. */
  on: PlacedOn;
}

export interface PlacedOn {
  readonly terms: PlanTermsText | null;
  readonly paidIn: string | null;
}

export class HoldBook {
  readonly all = new Map<string, Hold>();
  readonly #open = new Set<Hold>();
  #uncovered = 0n;

  /** @param current the subscription as it is: of one that is open already it changes nothing */
  open({ data, revision, recordedAt }: AuditedEvent, current: Subscribed | null): void {
    const terms = data as unknown as HoldTerms;
    const found = this.all.get(terms.hold);
    if (found === undefined) {
      const hold: Hold = {
        terms,
        placedAt: recordedAt,
        status: 'open',
        placed: revision,
        opened: revision,
        closedAt: null,
        closed: null,
        credits: 0n,
        uncovered: 0n,
        pins: new Map(),
        quotaPins: new Map(),
        caps: terms.caps ?? [],
        on: placedOn(terms, current),
      };
      this.all.set(terms.hold, hold);
      this.#open.add(hold);
      return;
    }
    if (found.status !== 'open') {
      found.opened = revision;
      found.on = placedOn(terms, current);
    }
    found.terms = terms;
    found.caps = terms.caps ?? [];
    found.status = 'open';
    found.closedAt = null;
    found.closed = null;
    this.#open.add(found);
  }

  /** The subscription was left before its period's end: its price may have been given back. */
  leave(subscription: string): void {
    for (const hold of this.#open)
      if (hold.on.paidIn === subscription) hold.on = { ...hold.on, paidIn: null };
  }

  close(id: string, status: HoldStatus, { revision, recordedAt }: AuditedEvent, name: Name): void {
    const hold = this.all.get(id);
    if (hold === undefined) {
      name('a hold is closed that was never placed', 'a hold of this wallet', id);
      return;
    }
    if (hold.credits !== 0n || hold.uncovered !== 0n || hold.pins.size > 0)
      name(`the hold ${id} is closed and still holds credits`, '0', textOf(hold.credits));
    if (hold.quotaPins.size > 0)
      name(`the hold ${id} is closed and still holds quota`, 'none', [...hold.quotaPins.keys()].join(', '));
    hold.status = status;
    hold.closedAt = recordedAt;
    hold.closed = revision;
    this.#open.delete(hold);
  }

  move({ lot, from, to }: MoveText, credits: bigint, paid: bigint, since: number, name: Name): void {
    if (from.startsWith('hold:')) this.#shift(from.slice(5), lot, -credits, -paid, since, name);
    if (to.startsWith('hold:')) this.#shift(to.slice(5), lot, credits, paid, since, name);
    else if (to.startsWith('cover:')) {
      const hold = to.slice(6);
      this.#shift(hold, undefined, -credits, 0n, since, name);
      this.#shift(hold, lot, credits, paid, since, name);
    }
  }

  moveQuota({ quota, from, to, quantity, paid }: QuotaPassage, name: Name): void {
    const id = quota.marks.quota;
    if (from.startsWith('hold:')) this.#shiftQuota(from.slice(5), id, -quantity, -paid, name);
    if (to.startsWith('hold:')) this.#shiftQuota(to.slice(5), id, quantity, paid, name);
  }

  #shiftQuota(id: string, quota: string, quantity: bigint, paid: bigint, name: Name): void {
    const hold = this.all.get(id);
    if (hold === undefined) {
      name('quota moves to or from a hold that was never placed', 'a hold of this wallet', id);
      return;
    }
    const before = hold.quotaPins.get(quota);
    const pin = { quantity: (before?.quantity ?? 0n) + quantity, paid: (before?.paid ?? 0n) + paid };
    if (pin.quantity < 0n || pin.paid < 0n)
      name(`the hold ${id} has less than nothing of ${quota}`, 'at least 0', textOf(pin.quantity));
    hold.quotaPins.delete(quota);
    if (pin.quantity !== 0n || pin.paid !== 0n) hold.quotaPins.set(quota, pin);
  }

  #shift(
    id: string,
    lot: string | undefined,
    credits: bigint,
    paid: bigint,
    since: number,
    name: Name,
  ): void {
    const hold = this.all.get(id);
    if (hold === undefined) {
      name('credits move to or from a hold that was never placed', 'a hold of this wallet', id);
      return;
    }
    hold.credits += credits;
    if (lot === undefined) {
      hold.uncovered += credits;
      this.#uncovered += credits;
      return;
    }
    const pin = hold.pins.get(lot);
    if (pin === undefined) hold.pins.set(lot, { credits, paid, since });
    else {
      pin.credits += credits;
      pin.paid += paid;
      if (pin.credits === 0n && pin.paid === 0n) hold.pins.delete(lot);
    }
  }

  /** A hold's event says what is held after it; what is held is never below zero. */
  check({ type, data }: AuditedEvent, name: Name): void {
    if (type !== 'HoldPlaced' && type !== 'HoldExtended') return;
    const { hold: id, credits } = data as unknown as HoldTerms;
    const hold = this.all.get(id);
    if (hold === undefined) return;
    if (hold.credits !== stepsOf(credits))
      name(`the hold ${id} does not hold what its event says`, credits, textOf(hold.credits));
    if (hold.uncovered < 0n)
      name(`the uncovered part of the hold ${id} is below zero`, 'at least 0', textOf(hold.uncovered));
    for (const [lot, pin] of hold.pins)
      if (pin.credits < 0n)
        name(`the hold ${id} has less than nothing of ${lot}`, 'at least 0', textOf(pin.credits));
    this.#checkCovered(hold, name);
  }

  /** What covers its estimate it has reserved. "At least": an extension lets go of nothing. */
  #checkCovered({ terms, quotaPins }: Hold, name: Name): void {
    for (const { quota, quantity } of terms.covered ?? []) {
      if (quota === undefined) continue;
      const has = quotaPins.get(quota)?.quantity ?? 0n;
      if (has < stepsOf(quantity))
        name(`the hold ${terms.hold} has not reserved what covers it of ${quota}`, quantity, textOf(has));
    }
  }

  /** In the order in which they were last opened: so they are given what covers them. */
  allOpen(): Hold[] {
    return [...this.#open];
  }

  /** Of all holds. */
  uncovered(): bigint {
    return this.#uncovered;
  }

  firstExpiry(): string | null {
    let first: string | null = null;
    for (const { terms } of this.#open)
      if (first === null || terms.expires_at < first) first = terms.expires_at;
    return first;
  }
}

/** Nothing is placed on a plan that is not in force. A grace is not paid for, whatever it gives. */
function placedOn({ plan }: HoldTerms, current: Subscribed | null): PlacedOn {
  if (current === null || plan?.id !== current.now.plan || plan.version !== current.now.plan_version)
    return { terms: null, paidIn: null };
  return { terms: current.terms, paidIn: paidIn(current) };
}

/** The subscription in force, where its period is paid for, tried, or costs nothing. */
export function paidIn({ now: { id, ended_at, status } }: Subscribed): string | null {
  return ended_at === null && status !== 'past_due' ? id : null;
}

/** Which holds an event closes, and how. `HoldClosed` only claims the key of a hold that had ended before. */
export function closedBy({ type, data }: AuditedEvent): readonly (readonly [string, HoldStatus])[] {
  const hold = data.hold as string | undefined;
  switch (type) {
    case 'UsageCharged':
    case 'UsageUnpriced':
      return hold === undefined ? NONE : [[hold, 'settled']];
    case 'HoldVoided':
      return hold === undefined ? NONE : [[hold, 'voided']];
    case 'Expired': {
      const items = data.items as readonly { readonly kind: string; readonly id: string }[];
      return items.filter(({ kind }) => kind === 'hold').map(({ id }) => [id, 'expired'] as const);
    }
    default:
      return NONE;
  }
}
const NONE: readonly (readonly [string, HoldStatus])[] = [];
