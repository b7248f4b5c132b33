/** The lots of one wallet: born by events, filled and emptied by moves, never below zero. In steps of 10^-9. */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, MoveText } from '../event.ts';
import type { Name } from './finding.ts';

interface LotText {
  readonly lot: string;
  readonly unit: string;
  readonly quantity: string;
  readonly priority: number;
  readonly expires_at: string | null;
  readonly withdrawable: string;
  readonly origin: { readonly kind: string; readonly of: string; readonly ref: string };
}

export interface Lot {
  readonly marks: LotText;
  readonly money: { readonly amount: string; readonly currency: string } | null;
  /** Revision and time of the event of its birth. */
  readonly born: number;
  readonly createdAt: string;
  /** What has come into it from outside: at its birth, and since where equal credits joined it. */
  most: bigint;
  free: bigint;
  pinned: bigint;
  /** Money behind the free credits. */
  paid: bigint;
}

export class LotBook {
  readonly all = new Map<string, Lot>();
  readonly #touched = new Set<Lot>();
  /** Whether what comes from outside is new. A reversal only gives back what had gone. */
  #isNew = false;
  #revision = -1;
  #free = 0n;

  bear({ type, data, facts, revision, recordedAt }: AuditedEvent): void {
    this.#revision = revision;
    this.#isNew = type !== 'EntryReversed';
    const born = data.lots as readonly LotText[] | undefined;
    if (born === undefined) return;
    const paid = facts.lots as Record<string, { amount: string; currency: string }> | undefined;
    for (const marks of born) {
      const money = paid?.[marks.lot] ?? null;
      this.all.set(marks.lot, {
        marks,
        money,
        born: revision,
        createdAt: recordedAt,
        most: stepsOf(marks.quantity),
        free: 0n,
        pinned: 0n,
        paid: 0n,
      });
    }
  }

  move({ lot: id, from, to }: MoveText, credits: bigint, paid: bigint, name: Name): void {
    if (id === undefined) {
      if (from === 'free' || to === 'free') name('free credits move without a lot', 'a lot', 'none');
      return;
    }
    const lot = this.all.get(id);
    if (lot === undefined) {
      name('a lot is moved that was never born', 'a lot of this wallet', id);
      return;
    }
    if (from === 'free') {
      lot.free -= credits;
      lot.paid -= paid;
      this.#free -= credits;
    } else if (from.startsWith('hold:')) lot.pinned -= credits;
    if (to === 'free') {
      lot.free += credits;
      lot.paid += paid;
      this.#free += credits;
    } else if (to.startsWith('hold:') || to.startsWith('cover:')) lot.pinned += credits;
    const isFromOutside = from === 'granted' || from === 'adjusted';
    if (isFromOutside && this.#isNew && lot.born !== this.#revision) lot.most += credits;
    this.#touched.add(lot);
  }

  /** After all moves of an event: within it a lot may be lent and given back. */
  check(name: Name): void {
    for (const { marks, most, free, pinned, paid } of this.#touched) {
      if (free < 0n) name(`free credits of ${marks.lot} are below zero`, 'at least 0', textOf(free));
      if (pinned < 0n) name(`held credits of ${marks.lot} are below zero`, 'at least 0', textOf(pinned));
      if (paid < 0n) name(`the money behind ${marks.lot} is below zero`, 'at least 0', textOf(paid));
      if (free + pinned > most && free + pinned > 0n)
        name(`${marks.lot} has more than has come into it`, textOf(most), textOf(free + pinned));
    }
    this.#touched.clear();
  }

  /** Those that have free or held credits. */
  allOpen(): Lot[] {
    return [...this.all.values()].filter(({ free, pinned }) => free !== 0n || pinned !== 0n);
  }

  /** Free credits of all lots. */
  free(): bigint {
    return this.#free;
  }

  /** When the first lot with free credits expires. */
  firstExpiry(): string | null {
    let first: string | null = null;
    for (const { marks, free } of this.all.values()) {
      const { expires_at } = marks;
      if (free > 0n && expires_at !== null && (first === null || expires_at < first)) first = expires_at;
    }
    return first;
  }
}
