/** L2, and P8: an entry sums to zero in every unit, and its owner sees no currency in it. */
import { postingsOf, stepsOf } from '../refold.ts';
import { broken, type Evidence } from './evidence.ts';

const SHOWN = new Set(['credits', 'calls', 'tokens']);

export function entriesSumToZero({ wallets }: Evidence): void {
  for (const { stream, events } of wallets) {
    for (const event of events) {
      const { shown, hidden } = postingsOf(event);
      for (const part of [shown, hidden]) {
        const sums = new Map<string, bigint>();
        for (const { unit, amount } of part) sums.set(unit, (sums.get(unit) ?? 0n) + stepsOf(amount, unit));
        for (const [unit, sum] of sums)
          if (sum !== 0n) broken('an entry sums to zero', { stream, revision: event.revision, unit, sum });
      }
      const currency = shown.find(({ unit }) => !SHOWN.has(unit));
      if (currency !== undefined)
        broken('owners see credits and quotas only', { stream, revision: event.revision });
    }
  }
}
