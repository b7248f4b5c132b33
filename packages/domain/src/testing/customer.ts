/** A customer of plans, in few words: joins, calls, leaves. Each order has a name of its own. */
import type { PlanTerms } from '../plans/terms.ts';
import type { QuotaMovement } from '../wallet/quota/events.ts';
import { accept, given, later, type Past, type StoredWalletEvent } from './given.ts';
import * as order from './orders.ts';
import { cancel, publish, subscribe } from './subscription-orders.ts';

/** Somebody with so many credits, at a cent each, in a world of these plans. */
export function customer(credits: string, plans: Readonly<Record<string, PlanTerms>>): Past {
  const past = given();
  for (const [id, terms] of Object.entries(plans)) publish(past, id, terms, 0);
  if (credits !== '0') accept(past, order.topUp('t1', credits, { paid: String(Number(credits) / 100) }));
  return past;
}

export const includes = (amount: string, per: PlanTerms['included'][number]['per'], model = '*') =>
  [{ unit: 'calls', model, amount, per }] as const;

let named = 0;
export const name = (): string => {
  named += 1;
  return `n${named}`;
};

export const call = (past: Past, calls: number): readonly StoredWalletEvent[] =>
  accept(past, order.charge(name(), { calls }));
export const look = (past: Past, after: number): void => {
  later(past, after);
  accept(past, order.carryOutDues);
};
export const join = (past: Past, plan: string): readonly StoredWalletEvent[] =>
  accept(past, subscribe(plan, { reference: name() }));
export const leave = (past: Past): readonly StoredWalletEvent[] => accept(past, cancel('now', name()));
export const status = (past: Past): string | undefined => past.wallet.subscription?.now.status;
export const granted = (past: Past): bigint =>
  past.events
    .flatMap(({ data }) => (data as { quotas?: QuotaMovement }).quotas?.granted ?? [])
    .reduce((sum, { quantity }) => sum + BigInt(quantity), 0n);
