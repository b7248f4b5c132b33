/** What the moves of an event's quotas should have posted, in the units of the quotas. */
import { textOf } from '../decimal.ts';
import { isQuotaUnit, type Leg } from './accounted.ts';
import type { Name } from './finding.ts';
import type { QuotaPassage } from './quotas.ts';

/** The account that stands for a place, of the wallet with this prefix. */
function accountOf(wallet: string, place: string): string {
  switch (place) {
    case 'granted':
      return 'equity:quotas:granted';
    case 'used':
      return 'equity:quotas:used';
    case 'expired':
      return 'equity:quotas:lapsed';
    case 'free':
      return `${wallet}:quotas`;
    default:
      return `${wallet}:quotas-held`;
  }
}

/** @param wallet `liabilities:wallets:{id}` */
export function compareQuotaPostings(
  wallet: string,
  legs: readonly Leg[],
  passages: readonly QuotaPassage[],
  name: Name,
): void {
  const due = new Map<string, bigint>();
  const post = (account: string, unit: string, steps: bigint): void => {
    const key = `${account} ${unit}`;
    due.set(key, (due.get(key) ?? 0n) + steps);
  };
  // What leaves a place debits its account, and what enters one credits it.
  for (const { quota, from, to, quantity } of passages) {
    post(accountOf(wallet, from), quota.marks.unit, quantity);
    post(accountOf(wallet, to), quota.marks.unit, -quantity);
  }
  for (const { account, unit, steps } of legs) {
    if (!isQuotaUnit(unit)) continue;
    const key = `${account} ${unit}`;
    const expected = due.get(key) ?? 0n;
    due.delete(key);
    if (expected !== steps)
      name(
        `the entry posts another amount of ${unit} to ${account} than its moves`,
        textOf(expected),
        textOf(steps),
      );
  }
  for (const [key, steps] of due)
    if (steps !== 0n) name(`the entry posts nothing to ${key}, its moves do`, textOf(steps), '0');
}
