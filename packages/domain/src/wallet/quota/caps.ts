/**
 * Caps limit, whoever pays: every cap of the plan that is for the model must let the call through (billing rule 4). A cap
 * is a counter of its window in the wallet, and what open holds may still use counts too: parallel calls cannot outrun it.
 */
import type { CompiledCap } from '../../plans/compile.ts';
import { compiledTerms } from '../../plans/compile.ts';
import type { Hold, Wallet } from '../state.ts';
import { type Span, type TimeWindow, windowAt } from '../subscription/calendar.ts';
import type { UseRefusal } from '../subscription/commands.ts';
import type { Subscription } from '../subscription/events.ts';
import { isInForce, rhythmOf, type SubscriptionState } from '../subscription/state.ts';
import type { CapCount } from './events.ts';
import { isFor } from './funding.ts';
import { type Call, callsOf, leastTokensOf, tokensOf } from './measure.ts';

/** What a call takes of a cap, in the window that is open. */
export interface CapTaken {
  readonly cap: number;
  readonly quantity: bigint;
  readonly window: TimeWindow;
}

export interface Counted {
  readonly counts: readonly CapTaken[];
  /** The first that does not let it through. */
  readonly reached: UseRefusal | null;
}

export const NOT_COUNTED: Counted = { counts: [], reached: null };

/** Where a cap stands: what calls have used in its window, and what those under way may still use. */
export interface CapNow extends CompiledCap {
  readonly used: bigint;
  readonly held: bigint;
  /** Milliseconds since 1970. */
  readonly resetsAt: number;
}

/** The caps of the plan in force, in its order. */
export function capsNow({ subscription }: Readonly<Wallet>, now: number): CapNow[] {
  if (!isInForce(subscription)) return [];
  return compiledTerms(subscription.terms).caps.map((cap, index) => {
    const { window, used, held } = counterOf(subscription, index, cap, now);
    return { ...cap, used, held, resetsAt: window.end };
  });
}

export function countCaps(wallet: Readonly<Wallet>, { model, usage, now, hold, isEstimate }: Call): Counted {
  const { subscription } = wallet;
  if (subscription === null || (!isInForce(subscription) && hold === null)) return NOT_COUNTED;
  const { caps } = compiledTerms(subscription.terms);
  if (caps.length === 0) return NOT_COUNTED;
  // What was held on a plan counts though it has ended: whoever comes back finds its caps as they are.
  const { ended_at, plan } = subscription.now;
  const mayCount = ended_at === null || hold?.plan?.id === plan;
  const counts: CapTaken[] = [];
  let reached: UseRefusal | null = null;
  caps.forEach((cap, index) => {
    if (!isFor(model, cap)) return;
    const tokens = isEstimate ? leastTokensOf : tokensOf;
    const quantity = cap.unit === 'calls' ? callsOf(usage) : tokens(usage);
    if (quantity === 0n) return;
    const { window, used, held } = counterOf(subscription, index, cap, now);
    const own = hold?.caps.find((count) => count.cap === index)?.quantity ?? 0n;
    if (!mayCount && own === 0n) return;
    // "At least": what a hold has already it may have again.
    const isMore = !isEstimate || quantity > own;
    if (isMore && used + held - own + quantity > cap.amount) reached ??= refusalOf(cap, window);
    counts.push({ cap: index, quantity, window });
  });
  return { counts, reached };
}

function counterOf(
  subscription: SubscriptionState,
  index: number,
  cap: CompiledCap,
  now: number,
): { window: TimeWindow; used: bigint; held: bigint } {
  const counter = subscription.caps[index];
  const held = counter?.held ?? 0n;
  if (counter !== undefined && counter.start <= now && now < counter.end)
    return { window: counter, used: counter.used, held };
  const window = capWindow(subscription, cap, now);
  // Another subscription's window may have reached into this one.
  return { window: { ...window, start: Math.max(window.start, counter?.end ?? 0) }, used: 0n, held };
}

function capWindow(subscription: SubscriptionState, cap: CompiledCap, now: number): TimeWindow {
  if (cap.per !== 'period') return rememberedWindow(subscription.now, cap.per, now);
  const { period_start, period_end } = subscription.now;
  return { start: Date.parse(period_start), end: Date.parse(period_end) };
}

const remembered = new WeakMap<Subscription, Map<Span, TimeWindow>>();

/** Calendars cost far more than all the rest of a decision, and a window is asked for by every call in it. */
function rememberedWindow(subscription: Subscription, span: Span, now: number): TimeWindow {
  const windows = remembered.get(subscription) ?? new Map<Span, TimeWindow>();
  const known = windows.get(span);
  if (known !== undefined && known.start <= now && now < known.end) return known;
  const window = windowAt(rhythmOf(subscription), span, now);
  remembered.set(subscription, windows.set(span, window));
  return window;
}

function refusalOf(cap: CompiledCap, { end }: TimeWindow): UseRefusal {
  const resets_at = new Date(end).toISOString();
  return { code: 'cap_reached', unit: cap.unit, model: cap.model, amount: cap.amount.toString(), resets_at };
}

/** As an event says it. */
export function countsOf(taken: readonly CapTaken[]): CapCount[] {
  return taken.map(({ cap, quantity, window }) => ({
    cap,
    quantity: quantity.toString(),
    start: new Date(window.start).toISOString(),
    end: new Date(window.end).toISOString(),
  }));
}

/** The counters after a charge: a window that is another than before begins at 0. */
export function addToCaps(state: SubscriptionState, counts: readonly CapCount[]): SubscriptionState {
  const caps = [...state.caps];
  for (const { cap, quantity, start, end } of counts) {
    if (start === undefined || end === undefined) continue;
    const before = caps[cap] ?? { start: 0, end: 0, used: 0n, held: 0n };
    const window = { start: Date.parse(start), end: Date.parse(end) };
    const used = before.start === window.start ? before.used : 0n;
    caps[cap] = { ...before, ...window, used: used + BigInt(quantity) };
  }
  return { ...state, caps };
}

/** The counters after a hold took (or, with -1, let go of) its share. */
export function holdOfCaps(state: SubscriptionState, held: Hold['caps'], sign: bigint): SubscriptionState {
  const caps = [...state.caps];
  for (const { cap, quantity } of held) {
    const before = caps[cap] ?? { start: 0, end: 0, used: 0n, held: 0n };
    caps[cap] = { ...before, held: before.held + sign * quantity };
  }
  return { ...state, caps };
}
