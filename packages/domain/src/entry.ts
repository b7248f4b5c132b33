/**
 * The journal entry that an event carries: postings that sum to zero in every unit (L2).
 * Signs as in plain-text accounting: debit positive, so liabilities, income and equity are negative where they hold
 * something. A wallet with 10 credits available stands at -10: the platform owes them.
 */
import { formatAmount, parseAmount } from './amount.ts';

export interface Posting {
  readonly account: string;
  readonly unit: string;
  /** Decimal string. */
  readonly amount: string;
}

/** Segments may hold anything, so each is percent-encoded: `:` and `/` in a model's name cannot forge an account. */
const segment = (name: string): string => (PLAIN.test(name) ? name : encodeURIComponent(name));
/** What would come out as it went in; to ask is cheaper than to encode. */
const PLAIN = /^[A-Za-z0-9_.-]*$/;

export const accounts = {
  available: (wallet: string) => `liabilities:wallets:${segment(wallet)}:available`,
  held: (wallet: string) => `liabilities:wallets:${segment(wallet)}:held`,
  /** Quotas, in their own units. */
  quotas: (wallet: string) => `liabilities:wallets:${segment(wallet)}:quotas`,
  quotasHeld: (wallet: string) => `liabilities:wallets:${segment(wallet)}:quotas-held`,
  quotasGranted: 'equity:quotas:granted',
  quotasUsed: 'equity:quotas:used',
  quotasLapsed: 'equity:quotas:lapsed',
  issued: 'equity:credits:issued',
  adjustments: 'equity:credits:adjustments',
  promotions: (kind: string) => `expenses:promotions:${segment(kind)}`,
  usage: (model: string) => `income:usage:${segment(model)}`,
  /** What was paid for plans that include nothing to be earned call by call. */
  subscriptions: (plan: string) => `income:subscriptions:${segment(plan)}`,
  overrun: (plan: string) => `expenses:overrun:${segment(plan)}`,
  unapplied: 'liabilities:unapplied',
  repayments: 'income:repayments',
  breakage: 'income:breakage',
  incomeAdjustments: 'income:adjustments',
  clawbacks: 'expenses:clawbacks',
  clearing: (source: string) => `assets:clearing:${segment(source)}`,
  deferred: 'liabilities:deferred-revenue',
  supplierExpense: (supplier: string) => `expenses:suppliers:${segment(supplier)}`,
  supplierPayable: (supplier: string) => `liabilities:suppliers:${segment(supplier)}`,
} as const;

/** Gathers legs, adding up those of one account and unit; legs that come to zero are left out. */
export class EntryBuilder {
  /** A handful, looked through one by one: a map would cost more than all the rest. */
  readonly #legs: { readonly account: string; readonly unit: string; steps: bigint }[] = [];

  /** `steps` move from one account to the other: the one is debited, the other credited. */
  move(from: string, to: string, unit: string, steps: bigint): void {
    if (steps === 0n || from === to) return;
    this.#post(from, unit, steps);
    this.#post(to, unit, -steps);
  }

  #post(account: string, unit: string, steps: bigint): void {
    for (const leg of this.#legs) {
      if (leg.account !== account || leg.unit !== unit) continue;
      leg.steps += steps;
      return;
    }
    this.#legs.push({ account, unit, steps });
  }

  postings(): Posting[] {
    const postings: Posting[] = [];
    for (const { account, unit, steps } of this.#legs) {
      if (steps !== 0n) postings.push({ account, unit, amount: formatAmount(steps, unit) });
    }
    return postings;
  }
}

/** Sum of the postings in each unit; an entry is balanced when every one is 0. */
export function sumsOf(postings: readonly Posting[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { unit, amount } of postings) {
    sums.set(unit, (sums.get(unit) ?? 0n) + parseAmount(amount, unit));
  }
  return sums;
}
