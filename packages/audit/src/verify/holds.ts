/** The holds of one wallet: opened and closed by their events, filled and emptied by moves. In steps of 10^-9. */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, MoveText } from '../event.ts';
import type { Name } from './finding.ts';

export interface HoldTerms {
  readonly hold: string;
  readonly purpose: string;
  readonly model: string;
  readonly estimate: object;
  readonly credits: string;
  readonly expires_at: string;
  readonly price_book: { readonly name: string; readonly version: number };
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
  /** Revision at which it was last opened. */
  opened: number;
  closedAt: string | null;
  closed: number | null;
  credits: bigint;
  uncovered: bigint;
  /** By lot; only what is not zero. */
  readonly pins: Map<string, Pin>;
}

export class HoldBook {
  readonly all = new Map<string, Hold>();
  readonly #open = new Set<Hold>();
  #uncovered = 0n;

  open({ data, revision, recordedAt }: AuditedEvent): void {
    const terms = data as unknown as HoldTerms;
    const found = this.all.get(terms.hold);
    if (found === undefined) {
      const hold: Hold = {
        terms,
        placedAt: recordedAt,
        status: 'open',
        opened: revision,
        closedAt: null,
        closed: null,
        credits: 0n,
        uncovered: 0n,
        pins: new Map(),
      };
      this.all.set(terms.hold, hold);
      this.#open.add(hold);
      return;
    }
    if (found.status !== 'open') found.opened = revision;
    found.terms = terms;
    found.status = 'open';
    found.closedAt = null;
    found.closed = null;
    this.#open.add(found);
  }

  close(id: string, status: HoldStatus, { revision, recordedAt }: AuditedEvent, name: Name): void {
    const hold = this.all.get(id);
    if (hold === undefined) {
      name('a hold is closed that was never placed', 'a hold of this wallet', id);
      return;
    }
    if (hold.credits !== 0n || hold.uncovered !== 0n || hold.pins.size > 0)
      name(`the hold ${id} is closed and still holds credits`, '0', textOf(hold.credits));
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
