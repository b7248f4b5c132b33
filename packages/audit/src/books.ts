/** Balances of accounts, added up from the postings of entries and from nothing else. */
import { stepsOf } from './decimal.ts';
import type { PostingText } from './event.ts';

export class Books {
  /** By unit, then account; in steps of 10^-9, debit positive. */
  readonly units = new Map<string, Map<string, bigint>>();

  /** Returns the units in which the entry does not come to zero, with what is left over (L2). */
  post(entry: readonly PostingText[]): ReadonlyMap<string, bigint> {
    const left = new Map<string, bigint>();
    for (const { account, unit, amount } of entry) {
      const steps = stepsOf(amount);
      let accounts = this.units.get(unit);
      if (accounts === undefined) {
        accounts = new Map();
        this.units.set(unit, accounts);
      }
      accounts.set(account, (accounts.get(account) ?? 0n) + steps);
      left.set(unit, (left.get(unit) ?? 0n) + steps);
    }
    for (const [unit, steps] of left) if (steps === 0n) left.delete(unit);
    return left;
  }

  balance(account: string, unit: string): bigint {
    return this.units.get(unit)?.get(account) ?? 0n;
  }

  /** Of all accounts in one unit; zero in sound books. */
  total(unit: string): bigint {
    let sum = 0n;
    for (const steps of this.units.get(unit)?.values() ?? []) sum += steps;
    return sum;
  }
}
