/**
 * A wallet folded anew from its events, by arithmetic of its own: nothing of the domain's moves and nothing of the
 * projections' is used, so that a mistake in one of them shows as a difference. Amounts in smallest steps.
 */
import type { WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { noPlanState, type PlanState, refoldQuotas } from './refold-quotas.ts';

export interface LotState {
  free: bigint;
  pinned: bigint;
  /** Money behind the free credits. */
  paid: bigint;
  readonly currency: string | null;
}

export interface HoldState {
  status: 'open' | 'settled' | 'voided' | 'expired';
  credits: bigint;
  uncovered: bigint;
  readonly pins: Map<string, { credits: bigint; paid: bigint }>;
}

export interface WalletState {
  available: bigint;
  held: bigint;
  granted: bigint;
  adjusted: bigint;
  consumed: bigint;
  expired: bigint;
  debt: bigint;
  overdraft: bigint;
  readonly lots: Map<string, LotState>;
  readonly holds: Map<string, HoldState>;
  readonly plan: PlanState;
}

interface Moving {
  readonly lots?: readonly { readonly lot: string }[];
  readonly restored?: readonly { readonly lot: string }[];
  readonly moves?: readonly {
    readonly lot?: string;
    readonly from: string;
    readonly to: string;
    readonly credits: string;
  }[];
  readonly entry?: readonly Posting[];
}
interface MovingFacts {
  readonly entry?: readonly Posting[];
  readonly paid?: readonly string[];
  readonly lots?: { readonly [lot: string]: { readonly currency: string } };
}
export interface Posting {
  readonly account: string;
  readonly unit: string;
  readonly amount: string;
}

const PLACES: { readonly [unit: string]: number } = { credits: 6, calls: 0, tokens: 0 };
const CURRENCY_PLACES = 9;

/** A decimal text in steps: millionths of a credit, whole calls and tokens, billionths of a currency. */
export function stepsOf(text: string, unit = 'credits'): bigint {
  const places = PLACES[unit] ?? CURRENCY_PLACES;
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const steps = BigInt(whole + fraction.padEnd(places, '0'));
  return text.startsWith('-') ? -steps : steps;
}

export function emptyState(): WalletState {
  return {
    available: 0n,
    held: 0n,
    granted: 0n,
    adjusted: 0n,
    consumed: 0n,
    expired: 0n,
    debt: 0n,
    overdraft: 0n,
    lots: new Map(),
    holds: new Map(),
    plan: noPlanState(),
  };
}

/** All postings of an event: what owners see, and what they do not. */
export function postingsOf(event: StoredEvent<WalletEvent>): {
  readonly shown: readonly Posting[];
  readonly hidden: readonly Posting[];
} {
  return {
    shown: (event.data as Moving).entry ?? [],
    hidden: (event.facts as MovingFacts).entry ?? [],
  };
}

/** Whether the event has a row in the journal. */
export function isEntry(event: StoredEvent<WalletEvent>): boolean {
  const { shown, hidden } = postingsOf(event);
  if (event.type === 'UsageCharged' || event.type === 'UsageUnpriced') return true;
  return shown.length + hidden.length > 0;
}

export function refold(state: WalletState, event: StoredEvent<WalletEvent>): void {
  const data = event.data as Moving & { readonly overdraft_limit?: string };
  const facts = event.facts as MovingFacts;
  if (data.overdraft_limit !== undefined) state.overdraft = stepsOf(data.overdraft_limit);
  for (const { lot } of [...(data.restored ?? []), ...(data.lots ?? [])]) {
    if (state.lots.has(lot)) continue;
    state.lots.set(lot, { free: 0n, pinned: 0n, paid: 0n, currency: facts.lots?.[lot]?.currency ?? null });
  }
  openHolds(state, event);
  data.moves?.forEach((move, index) => {
    const paid = stepsOf(facts.paid?.[index] ?? '0', 'currency');
    moveCredits(state, { ...move, credits: stepsOf(move.credits), paid });
  });
  refoldQuotas(state.plan, event);
  closeHolds(state, event);
}

interface Moved {
  readonly lot?: string;
  readonly from: string;
  readonly to: string;
  readonly credits: bigint;
  readonly paid: bigint;
}

/** What the places mean is written here for the second time, on purpose. */
function moveCredits(state: WalletState, moved: Moved): void {
  leave(state, moved);
  enter(state, moved);
  const holds = [...state.holds.values()];
  state.held = sumOf(holds.map(({ credits }) => credits));
  const uncovered = sumOf(holds.map((hold) => hold.uncovered));
  state.available = sumOf([...state.lots.values()].map(({ free }) => free)) - state.debt - uncovered;
}

function leave(state: WalletState, { lot, from, to, credits, paid }: Moved): void {
  switch (from) {
    case 'granted':
      state.granted += credits;
      return;
    case 'adjusted':
      state.adjusted += credits;
      return;
    case 'spent':
      state.consumed -= credits;
      return;
    case 'overdraft':
      if (!to.startsWith('hold:')) state.debt += credits;
      return;
    case 'free':
      changeFree(state, lot, -credits, -paid);
      return;
    default:
      pin(state, from.slice('hold:'.length), lot, -credits, -paid);
      if (lot === undefined && to === 'spent') state.debt += credits;
  }
}

function enter(state: WalletState, { lot, from, to, credits, paid }: Moved): void {
  switch (to) {
    case 'granted':
      state.granted -= credits;
      return;
    case 'adjusted':
      state.adjusted -= credits;
      return;
    case 'spent':
      state.consumed += credits;
      return;
    case 'expired':
      state.expired += credits;
      return;
    case 'debt':
      state.debt -= credits;
      return;
    case 'overdraft':
      if (!from.startsWith('hold:')) state.debt -= credits;
      return;
    case 'free':
      changeFree(state, lot, credits, paid);
      return;
    default: {
      const hold = to.slice(to.indexOf(':') + 1);
      if (to.startsWith('cover:')) pin(state, hold, undefined, -credits, 0n);
      pin(state, hold, lot, credits, paid);
    }
  }
}

function changeFree(state: WalletState, id: string | undefined, credits: bigint, paid: bigint): void {
  const lot = lotOf(state, id ?? 'a lot without a name');
  lot.free += credits;
  lot.paid += paid;
}

/** What stands in a hold: of a lot, or uncovered. */
function pin(state: WalletState, id: string, lot: string | undefined, credits: bigint, paid: bigint): void {
  const hold = holdOf(state, id);
  hold.credits += credits;
  if (lot === undefined) {
    hold.uncovered += credits;
    return;
  }
  lotOf(state, lot).pinned += credits;
  const before = hold.pins.get(lot) ?? { credits: 0n, paid: 0n };
  const after = { credits: before.credits + credits, paid: before.paid + paid };
  if (after.credits === 0n && after.paid === 0n) hold.pins.delete(lot);
  else hold.pins.set(lot, after);
}

function lotOf(state: WalletState, id: string): LotState {
  const lot = state.lots.get(id);
  if (lot === undefined) throw new Error(`${id} was never born`);
  return lot;
}

function holdOf(state: WalletState, id: string): HoldState {
  const hold = state.holds.get(id);
  if (hold === undefined) throw new Error(`the hold ${id} was never placed`);
  return hold;
}

function openHolds(state: WalletState, event: StoredEvent<WalletEvent>): void {
  if (event.type !== 'HoldPlaced' && event.type !== 'HoldExtended') return;
  const hold = state.holds.get(event.data.hold);
  if (hold !== undefined) hold.status = 'open';
  else state.holds.set(event.data.hold, { status: 'open', credits: 0n, uncovered: 0n, pins: new Map() });
}

function closeHolds(state: WalletState, event: StoredEvent<WalletEvent>): void {
  switch (event.type) {
    case 'UsageCharged':
    case 'UsageUnpriced':
      if (event.data.hold !== undefined) holdOf(state, event.data.hold).status = 'settled';
      return;
    case 'HoldVoided':
      holdOf(state, event.data.hold).status = 'voided';
      return;
    case 'Expired':
      for (const { kind, id } of event.data.items) if (kind === 'hold') holdOf(state, id).status = 'expired';
      return;
    default:
  }
}

export const smallerOf = (a: bigint, b: bigint): bigint => (a < b ? a : b);

export const sumOf = (amounts: readonly bigint[]): bigint =>
  amounts.reduce((sum, amount) => sum + amount, 0n);
