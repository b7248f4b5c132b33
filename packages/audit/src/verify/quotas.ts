/**
 * The quotas of one wallet: born by events, filled and emptied by moves, never below zero.
 *
 *   granted = free + pinned + used + expired, for every quota                              (L14)
 *
 * What a plan's line grants for a window is granted once. Quantities are in steps of 10^-9 like all others here; each is
 * a whole number of calls or tokens.
 */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, QuotaMoveText } from '../event.ts';
import type { Name } from './finding.ts';
import { GrantedWindows } from './granted-windows.ts';
import type { ToldData } from './picture.ts';

export interface QuotaText {
  readonly quota: string;
  readonly unit: string;
  readonly model: string;
  readonly quantity: string;
  readonly starts_at: string;
  readonly expires_at: string;
  readonly counted_dimensions?: readonly string[];
  readonly origin: OriginText;
}
export type OriginText =
  | {
      readonly kind: 'plan';
      readonly subscription: string;
      readonly line: number;
      readonly per: string;
      readonly extra?: boolean;
    }
  | { readonly kind: 'expansion'; readonly ref: string; readonly reason: string };

export interface Quota {
  readonly marks: QuotaText;
  readonly money: { readonly amount: string; readonly currency: string } | null;
  /** Revision and time of the event of its birth. */
  readonly born: number;
  readonly createdAt: string;
  /** What there was of the same window of its line when it was born, and was not lost. */
  beside: bigint;
  granted: bigint;
  free: bigint;
  pinned: bigint;
  used: bigint;
  expired: bigint;
  /** Money that it was granted with. */
  paidInAll: bigint;
  /** Money behind what is free. */
  paid: bigint;
}

/** A move in steps; what was paid for it is in the quota's currency. */
export interface QuotaPassage {
  readonly quota: Quota;
  readonly from: string;
  readonly to: string;
  readonly quantity: bigint;
  readonly paid: bigint;
}

interface QuotasData {
  readonly granted?: readonly QuotaText[];
  readonly moves: readonly QuotaMoveText[];
}
interface QuotasFacts {
  readonly paid?: readonly string[];
  readonly granted?: Readonly<Record<string, { readonly amount: string; readonly currency: string }>>;
}

const WHOLE = 10n ** 9n;
const HOUR_MS = 3_600_000;

export class QuotaBook {
  readonly all = new Map<string, Quota>();
  readonly #touched = new Set<Quota>();
  readonly #windows = new GrantedWindows();
  /** Of the last subscription: its windows are counted from it. */
  #anchor: { readonly id: string; readonly anchor_at: string } | null = null;

  /** Takes up what an event says of quotas; its moves, in their order. */
  apply(event: AuditedEvent, name: Name): readonly QuotaPassage[] {
    this.#beginRhythm(event);
    const quotas = event.data.quotas as QuotasData | undefined;
    if (quotas === undefined) return NONE;
    const facts = (event.facts.quotas ?? {}) as QuotasFacts;
    const born = (quotas.granted ?? []).map((marks) => this.#bear(event, marks, facts, name));
    const passages: QuotaPassage[] = [];
    quotas.moves.forEach((move, index) => {
      const passage = this.#move(move, facts.paid?.[index] ?? '0', name);
      if (passage !== null) passages.push(passage);
    });
    // After the moves: what a grace had left may be lost in the very event that grants it anew.
    for (const { quota, others } of born)
      quota.beside = others.reduce((sum, other) => sum + this.#keptOf(other), 0n);
    this.#check(name);
    return passages;
  }

  /** With another anchor other windows begin; those before end with the period, whatever they were granted for. */
  #beginRhythm({ data }: AuditedEvent): void {
    const now = (data as ToldData).subscription;
    if (now === undefined) return;
    const was = this.#anchor;
    if (was?.id === now.id && was.anchor_at === now.anchor_at) return;
    if (was?.id === now.id) this.#windows.cut(now.id, Date.parse(now.period_start));
    this.#anchor = { id: now.id, anchor_at: now.anchor_at };
  }

  #bear(
    event: AuditedEvent,
    marks: QuotaText,
    facts: QuotasFacts,
    name: Name,
  ): { readonly quota: Quota; readonly others: readonly string[] } {
    const { quota: id, origin, starts_at, expires_at } = marks;
    const born = event.revision;
    if (this.all.has(id)) name('a quota is born twice', 'once', id);
    if (birthOf(id) !== born) name('a quota is not named after its event', `quota-${born}`, id);
    if (Date.parse(starts_at) >= Date.parse(expires_at))
      name(`the window of ${id} ends before it begins`, `after ${starts_at}`, expires_at);
    const others = origin.kind === 'plan' ? this.#windows.add(event, marks, origin, name) : [];
    const quota: Quota = {
      ...{ marks, money: facts.granted?.[id] ?? null, born, createdAt: event.recordedAt, beside: 0n },
      ...{ granted: 0n, free: 0n, pinned: 0n, used: 0n, expired: 0n, paidInAll: 0n, paid: 0n },
    };
    this.all.set(id, quota);
    return { quota, others };
  }

  #keptOf(id: string): bigint {
    const { free, pinned, used } = this.all.get(id) ?? { free: 0n, pinned: 0n, used: 0n };
    return free + pinned + used;
  }

  #move(
    { quota: id, from, to, quantity: text }: QuotaMoveText,
    money: string,
    name: Name,
  ): QuotaPassage | null {
    const quota = this.all.get(id);
    if (quota === undefined) {
      name('a quota is moved that was never granted', 'a quota of this wallet', id);
      return null;
    }
    const quantity = stepsOf(text);
    if (quantity % WHOLE !== 0n || quantity <= 0n)
      name(`what moves of ${id} is not a whole number`, 'a whole number above 0', text);
    const paid = money === '0' ? 0n : stepsOf(money);
    if (paid !== 0n && quota.money === null) name(`money moves with ${id}, which has none`, '0', money);
    if (!enter(quota, from, -quantity, -paid) || !enter(quota, to, quantity, paid))
      name('a quota moves to or from a place that is not known', PLACES, `${from} -> ${to}`);
    if (from === 'granted') quota.paidInAll += paid;
    this.#touched.add(quota);
    return { quota, from, to, quantity, paid };
  }

  /** After all moves of an event: within it a quota may be taken and given back. */
  #check(name: Name): void {
    for (const { marks, money, granted, free, pinned, used, expired, paidInAll, paid } of this.#touched) {
      const { quota, quantity } = marks;
      if (granted !== stepsOf(quantity))
        name(`what was granted of ${quota} is not what its event says`, quantity, textOf(granted));
      for (const [place, steps] of Object.entries({ free, pinned, used, expired }))
        if (steps < 0n) name(`${place} of ${quota} is below zero`, 'at least 0', textOf(steps));
      if (free + pinned + used + expired !== granted)
        name(
          `${quota} is not whole: granted is free + pinned + used + expired`,
          textOf(granted),
          textOf(free + pinned + used + expired),
        );
      if (paid < 0n) name(`the money behind ${quota} is below zero`, 'at least 0', textOf(paid));
      if (paidInAll !== stepsOf(money?.amount ?? '0'))
        name(
          `the money behind ${quota} is not what it was granted with`,
          textOf(paidInAll),
          money?.amount ?? '0',
        );
      if (paid > paidInAll)
        name(`more money is behind ${quota} than it was granted with`, textOf(paidInAll), textOf(paid));
      if (free === 0n && paid !== 0n)
        name(`money is behind ${quota}, of which nothing is free`, '0', textOf(paid));
    }
    this.#touched.clear();
  }

  /** When something of one is lost next: its window ends, or what holds have kept of it for an hour beyond. */
  firstExpiry(): string | null {
    let first: number | null = null;
    for (const { marks, free, pinned } of this.all.values()) {
      if (free === 0n && pinned === 0n) continue;
      const at = Date.parse(marks.expires_at) + (free > 0n ? 0 : HOUR_MS);
      if (first === null || at < first) first = at;
    }
    return first === null ? null : new Date(first).toISOString();
  }
}
const NONE: readonly QuotaPassage[] = [];
const PLACES = 'granted, free, used, expired, hold:';

/** `quota-17.2` is the third of revision 17. */
export function birthOf(id: string): number {
  return Number(/^quota-(\d+)(?:\.\d+)?$/.exec(id)?.[1] ?? Number.NaN);
}

/** False where there is no such place. */
function enter(quota: Quota, place: string, quantity: bigint, paid: bigint): boolean {
  switch (place) {
    case 'granted':
      quota.granted -= quantity;
      return true;
    case 'free':
      quota.free += quantity;
      quota.paid += paid;
      return true;
    case 'used':
      quota.used += quantity;
      return true;
    case 'expired':
      quota.expired += quantity;
      return true;
    default:
      quota.pinned += quantity;
      return place.startsWith('hold:');
  }
}
