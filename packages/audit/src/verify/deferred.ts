/**
 * Deferred revenue is the money behind what a wallet still has: its lots and quotas, what holds have of them, and what is
 * left in the pots of its subscription. So what an event posts to the one is what it changes in the others.
 */
import { textOf } from '../decimal.ts';
import type { Leg } from './accounted.ts';
import type { Name } from './finding.ts';

export const DEFERRED = 'liabilities:deferred-revenue';

export class DeferredChange {
  /** What has come to be behind something, by currency. Made at the first money: most events of many wallets have none. */
  #behind: Map<string, bigint> | null = null;

  add(currency: string | null | undefined, steps: bigint): void {
    if (steps === 0n) return;
    this.#behind ??= new Map();
    const unit = currency ?? 'no currency';
    this.#behind.set(unit, (this.#behind.get(unit) ?? 0n) + steps);
  }

  compare(legs: readonly Leg[], name: Name): void {
    for (const { account, unit, steps } of legs) if (account === DEFERRED) this.add(unit, steps);
    if (this.#behind === null) return;
    for (const [currency, left] of this.#behind)
      if (left !== 0n)
        name(
          `deferred revenue in ${currency} is not the money behind lots, quotas, holds and pots`,
          '0 left over',
          textOf(left),
        );
  }
}
