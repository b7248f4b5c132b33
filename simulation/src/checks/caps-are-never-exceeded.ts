/**
 * Billing rules 4 and 9: what a charge in mode `charge`, or a hold, adds to a cap fits in it, with what was charged in its
 * window and what open holds may still use. And of calls under way there are no more than the plan allows.
 *
 * Counted here from the calls themselves: of a cap from when the plan got it, in the windows that charges tell. A call that
 * has not run is one token at least, unless it is of another kind.
 */
import type { PlanTerms, Subscription, Usage, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { emptyState, refold } from '../refold.ts';
import { subscriptionAfter } from '../refold-quotas.ts';
import { broken, type Evidence } from './evidence.ts';

type Cap = NonNullable<PlanTerms['caps']>[number];

interface Counter {
  start: number;
  end: number;
  used: bigint;
  readonly held: Map<string, bigint>;
}

export function capsAreNeverExceeded({ wallets }: Evidence): void {
  for (const { stream, events } of wallets) {
    const state = emptyState();
    const counters = new Counters();
    for (const event of events) {
      const at = { stream, revision: event.revision, type: event.type };
      const open = [...state.holds].filter(([, { status }]) => status === 'open').map(([hold]) => hold);
      counters.judge(event, open, at);
      refold(state, event);
      for (const [hold, { status }] of state.holds) if (status !== 'open') counters.letGo(hold);
      counters.follow(event);
    }
  }
}

type At = { readonly stream: string; readonly revision: number; readonly type: string };

class Counters {
  #counters = new Map<string, Counter>();
  #subscription: Subscription | null = null;
  #terms: PlanTerms | null = null;

  judge(event: StoredEvent<WalletEvent>, open: readonly string[], at: At): void {
    if (this.#terms === null || this.#subscription === null || this.#subscription.ended_at !== null) return;
    switch (event.type) {
      case 'HoldPlaced': {
        const { model, estimate, hold } = event.data;
        const limit = this.#terms.max_concurrent_requests ?? Number.POSITIVE_INFINITY;
        if (open.length >= limit)
          broken('there are no more calls at once than the plan allows', { ...at, open });
        this.#fits(model, estimate, event.recordedAt, hold, true, at);
        return;
      }
      case 'HoldExtended': {
        const { model, estimate, hold, caps = [] } = event.data;
        const limit = this.#terms.max_concurrent_requests ?? Number.POSITIVE_INFINITY;
        if (!open.includes(hold) && open.length >= limit)
          broken('there are no more calls at once than the plan allows', { ...at, open });
        const counted = new Set(caps.map(({ cap }) => cap));
        this.#fits(model, estimate, event.recordedAt, hold, false, at, counted);
        return;
      }
      case 'UsageCharged': {
        const { model, usage, mode, hold, late, plan, caps = [] } = event.data;
        // It was parked, or held, when there was no plan: the windows of today's are none of its business.
        if (plan === undefined) return;
        const isBooked = mode === 'record' || hold !== undefined || late;
        this.#open(caps, event.recordedAt, at);
        if (!isBooked) this.#fits(model, usage, event.recordedAt, null, true, at);
        for (const { cap, counter } of this.#of(model)) counter.used += quantityOf(cap, usage, false);
        return;
      }
      default:
    }
  }

  /** What comes of an event for the ones after it. */
  follow(event: StoredEvent<WalletEvent>): void {
    const subscription = subscriptionAfter(event);
    if (subscription === undefined) return;
    const isNew = this.#subscription !== null && subscription.id !== this.#subscription.id;
    this.#subscription = subscription;
    this.#terms = (event.data as { terms?: PlanTerms }).terms ?? this.#terms;
    const before = this.#counters;
    const nothing = (): Counter => ({ start: 0, end: 0, used: 0n, held: new Map() });
    this.#counters = new Map(before);
    for (const cap of this.#terms?.caps ?? []) {
      // What is counted by period begins with a subscription; the rest goes on, also by way of plans that do not have it.
      const was = isNew && cap.per === 'period' ? undefined : before.get(nameOf(cap));
      this.#counters.set(nameOf(cap), was ?? nothing());
    }
  }

  letGo(hold: string): void {
    for (const { held } of this.#counters.values()) held.delete(hold);
  }

  #of(model: string): { readonly cap: Cap; readonly counter: Counter; readonly index: number }[] {
    return (this.#terms?.caps ?? []).flatMap((cap, index) => {
      const counter = this.#counters.get(nameOf(cap));
      const isFor = cap.model === '*' || cap.model === model;
      return counter !== undefined && isFor ? [{ cap, counter, index }] : [];
    });
  }

  /** The windows in which a charge says that it counts. */
  #open(counts: readonly { cap: number; start?: string; end?: string }[], now: number, at: At): void {
    for (const { cap: index, start = '', end = '' } of counts) {
      const cap = this.#terms?.caps?.[index] ?? broken('a cap is of the plan', { ...at, index });
      const counter = this.#counters.get(nameOf(cap));
      const window = { start: Date.parse(start), end: Date.parse(end) };
      if (counter === undefined || !(window.start <= now && now < window.end))
        throw broken('a charge counts in a window that is open', { ...at, cap, start, end });
      if (counter.start === window.start) continue;
      if (window.start < counter.end) broken('windows of a cap do not overlap', { ...at, cap, start });
      Object.assign(counter, { ...window, used: 0n });
    }
  }

  /**
   * @param isNew a hold that is extended keeps what it has: only what it has more may be too much
   * @param counted the caps that it says it has a share of; left out: all that are for the model
   */
  #fits(
    model: string,
    usage: Usage,
    now: number,
    hold: string | null,
    isNew: boolean,
    at: At,
    counted?: ReadonlySet<number>,
  ): void {
    for (const { cap, counter, index } of this.#of(model)) {
      if (counted?.has(index) === false) continue;
      const quantity = quantityOf(cap, usage, hold !== null);
      const used = counter.start <= now && now < counter.end ? counter.used : 0n;
      const own = hold === null ? 0n : (counter.held.get(hold) ?? 0n);
      let held = -own;
      for (const of of counter.held.values()) held += of;
      if (hold !== null) counter.held.set(hold, quantity > own ? quantity : own);
      const isMore = isNew ? quantity > 0n : quantity > own;
      if (isMore && used + held + quantity > BigInt(cap.amount))
        broken('a cap is never exceeded', { ...at, cap, used, held, quantity });
    }
  }
}

const nameOf = ({ unit, model, per }: Cap): string => `${unit} ${model} ${per}`;

function quantityOf({ unit }: Cap, usage: Usage, isEstimate: boolean): bigint {
  if (unit === 'calls') return BigInt(usage.calls || 1);
  let sum = 0n;
  let isOther = false;
  for (const [dimension, quantity = 0] of Object.entries(usage)) {
    if (dimension.endsWith('_tokens')) sum += BigInt(quantity);
    else if (dimension !== 'calls' && quantity > 0) isOther = true;
  }
  return isEstimate && sum === 0n && !isOther ? 1n : sum;
}
