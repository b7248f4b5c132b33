/**
 * Warnings of a day's spending: what usage has cost goes beyond a limit, once in a day of the account.
 * - spending is what was charged for usage, less what of it was taken back. The price of a plan is known before; what
 *   quotas cover costs nothing; a hold is not spent yet
 * - a day counts from its first usage on, or from when somebody wanted to know. It keeps the time zone that it began in
 * - a limit that is set below what was spent already tells at the next charge
 */
import { formatCredits, parseCredits } from '../../amount.ts';
import { dayOf } from '../auto-top-up/auto-top-up.ts';
import type { WalletEvent } from '../events.ts';
import type { Wallet } from '../state.ts';
import { windowAt } from '../subscription/calendar.ts';
import { type Alert, iso, type Judged, raised } from './judged.ts';
import type { CreditsLimit } from './limits.ts';
import { type AlertsState, type SpendDay, spentLess, spentMore } from './state.ts';

export function addSpendAlerts(
  alerts: Alert[],
  { wallet, events, now }: Judged,
  highs: readonly CreditsLimit[],
): void {
  if (!events.some(({ type }) => type === 'UsageCharged')) return;
  let day = dayAfter(wallet.alerts, events);
  if (day === null || day.end <= now) {
    day = dayFrom(wallet, events, now);
    alerts.push({ type: 'SpendDayBegan', key: null, data: begun(day), facts: {} });
  }
  const { spent, told, name } = day;
  for (const { text: threshold, credits } of highs) {
    if (spent <= credits || told.includes(threshold)) continue;
    const key = `daily_spend:${threshold}:${iso(day.start)}`;
    const figures = { spent: formatCredits(spent), day: name, effective_at: iso(now) };
    alerts.push(raised({ alert: 'daily_spend', threshold, key, ...figures }));
  }
}

/** The day that was counted last, as the fold will have it. */
function dayAfter(alerts: AlertsState, events: readonly WalletEvent[]): SpendDay | null {
  let after = alerts;
  for (const event of events) {
    if (event.type === 'UsageCharged') after = spentMore(after, event.data.credits);
    else if (event.type === 'EntryReversed') after = spentLess(after, event.data);
  }
  return after.day;
}

function dayFrom(
  { timeZone: zone, revision }: Readonly<Wallet>,
  events: readonly WalletEvent[],
  now: number,
): SpendDay {
  let spent = 0n;
  for (const event of events) if (event.type === 'UsageCharged') spent += parseCredits(event.data.credits);
  const { start, end } = windowAt({ zone, anchor: 'calendar', anchorAt: now }, 'day', now);
  return { name: dayOf(now, zone), start, end, since: revision + 1, spent, told: [] };
}

const begun = ({ name: day, start, end, since, spent }: SpendDay) => ({
  day,
  starts_at: iso(start),
  ends_at: iso(end),
  since,
  spent: formatCredits(spent),
});
