/**
 * Warnings of the balance: what is available falls below a threshold. Held credits are not available: a call that is let
 * run may leave too little for the next one.
 * - told when it falls past, not while it is below
 * - again only after credits have come in from outside of the wallet, or back into it: what a hold lets go of was there
 *   before
 */
import { formatCredits, parseCredits } from '../../amount.ts';
import type { Movement, WalletEvent } from '../events.ts';
import { type Alert, iso, type Judged, raised } from './judged.ts';
import type { CreditsLimit } from './limits.ts';

export function addBalanceAlerts(
  alerts: Alert[],
  { wallet, events, now }: Judged,
  lows: readonly CreditsLimit[],
): void {
  const { low } = wallet.alerts;
  const isRearmed = low.length > 0 && events.some(bringsCredits);
  if (isRearmed) {
    const data = { alert: 'balance', thresholds: low, effective_at: iso(now) } as const;
    alerts.push({ type: 'AlertsRearmed', key: null, data, facts: {} });
  }
  const before = wallet.totals.available;
  const after = availableAfter(before, events);
  if (after >= before) return;
  for (const { text: threshold, credits } of lows) {
    if (before < credits || after >= credits || (low.includes(threshold) && !isRearmed)) continue;
    const key = `balance:${threshold}:${wallet.revision + 1}`;
    const figures = { available: formatCredits(after), effective_at: iso(now) };
    alerts.push(raised({ alert: 'balance', threshold, key, ...figures }));
  }
}

function bringsCredits({ data }: WalletEvent): boolean {
  return 'moves' in data && data.moves.some(({ from }) => OUTSIDE.has(from));
}
const OUTSIDE: ReadonlySet<string> = new Set(['granted', 'adjusted', 'spent']);

function availableAfter(before: bigint, events: readonly WalletEvent[]): bigint {
  const last = events.findLast(({ data }) => 'after' in data);
  return last === undefined ? before : parseCredits((last.data as Movement).after.available);
}
