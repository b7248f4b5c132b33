/**
 * Quotas and the money of a subscription's period, folded anew beside the credits (see `refold.ts`): whole numbers of calls
 * and tokens, money in smallest steps. What the places mean is written here for the second time, on purpose.
 */
import type { Money, NewQuota, Pots, QuotaMove, Subscription, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { stepsOf } from './refold.ts';

export interface QuotaState {
  readonly born: NewQuota;
  readonly currency: string | null;
  granted: bigint;
  free: bigint;
  pinned: bigint;
  used: bigint;
  expired: bigint;
  /** Money behind what is free. */
  paid: bigint;
  /** By hold; money with it. */
  readonly pins: Map<string, { quantity: bigint; paid: bigint }>;
}

export interface PlanState {
  readonly quotas: Map<string, QuotaState>;
  subscription: Subscription | null;
  /** Of its period, not taken by any quota yet. */
  pots: Pots | null;
}

export const noPlanState = (): PlanState => ({ quotas: new Map(), subscription: null, pots: null });

interface Told {
  readonly quotas?: { readonly granted?: readonly NewQuota[]; readonly moves: readonly QuotaMove[] };
  readonly subscription?: Subscription;
}
interface ToldOfMoney {
  readonly quotas?: {
    readonly paid: readonly string[];
    readonly granted?: { readonly [quota: string]: Money };
  };
  readonly pots?: Pots | null;
}

export function quotaMovesOf(event: StoredEvent<WalletEvent>): readonly QuotaMove[] {
  return (event.data as Told).quotas?.moves ?? [];
}

export function quotasGrantedBy(event: StoredEvent<WalletEvent>): readonly NewQuota[] {
  return (event.data as Told).quotas?.granted ?? [];
}

export const subscriptionAfter = (event: StoredEvent<WalletEvent>): Subscription | undefined =>
  (event.data as Told).subscription;

export function refoldQuotas(state: PlanState, event: StoredEvent<WalletEvent>): void {
  const facts = event.facts as ToldOfMoney;
  for (const born of quotasGrantedBy(event)) {
    const currency = facts.quotas?.granted?.[born.quota]?.currency ?? null;
    const nothing = { granted: 0n, free: 0n, pinned: 0n, used: 0n, expired: 0n, paid: 0n };
    if (state.quotas.has(born.quota)) throw new Error(`${born.quota} was born twice`);
    state.quotas.set(born.quota, { born, currency, ...nothing, pins: new Map() });
  }
  quotaMovesOf(event).forEach(({ quota: id, from, to, quantity }, index) => {
    const quota = state.quotas.get(id);
    if (quota === undefined) throw new Error(`${id} was never granted`);
    const paid = stepsOf(facts.quotas?.paid[index] ?? '0', 'currency');
    change(quota, from, -BigInt(quantity), -paid);
    change(quota, to, BigInt(quantity), paid);
  });
  const subscription = subscriptionAfter(event);
  if (subscription !== undefined) {
    state.subscription = subscription;
    state.pots = facts.pots ?? null;
  }
}

function change(quota: QuotaState, place: string, quantity: bigint, paid: bigint): void {
  switch (place) {
    case 'granted':
      quota.granted -= quantity;
      return;
    case 'free':
      quota.free += quantity;
      quota.paid += paid;
      return;
    case 'used':
      quota.used += quantity;
      return;
    case 'expired':
      quota.expired += quantity;
      return;
    default: {
      quota.pinned += quantity;
      const hold = place.slice('hold:'.length);
      const before = quota.pins.get(hold) ?? { quantity: 0n, paid: 0n };
      const after = { quantity: before.quantity + quantity, paid: before.paid + paid };
      if (after.quantity === 0n && after.paid === 0n) quota.pins.delete(hold);
      else quota.pins.set(hold, after);
    }
  }
}

/** In quotas, in what holds have of them, and in the pots. */
export function planMoney({ quotas, pots }: PlanState, currency: string): bigint {
  let sum = 0n;
  for (const quota of quotas.values()) {
    if (quota.currency !== currency) continue;
    sum += quota.paid;
    for (const pin of quota.pins.values()) sum += pin.paid;
  }
  if (pots?.currency === currency) for (const line of pots.lines) sum += stepsOf(line, currency);
  return sum;
}
