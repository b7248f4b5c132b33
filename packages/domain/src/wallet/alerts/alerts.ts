/**
 * When an account is warned (billing rule 15), decided in the append that crosses a threshold, so that no crash loses it.
 * The rules of each kind stand in its own file: of quotas, of the balance, of a day's spending.
 * - an account that never said what it wants is warned at 80 % of its quotas
 * - settings are what is wanted and nothing else; turned off nothing is told, and what is crossed meanwhile never is
 * - warnings move nothing, so nothing hangs on them
 *
 * Nothing here forks the wallet: what an append changes is read off its events. Of what falls due only the balance can
 * cross anything: calls alone take quota, and are spending.
 */
import { canonical } from '../../canonical.ts';
import { accepted, UNCHANGED, type WalletDecision } from '../commands.ts';
import type { WalletEvent } from '../events.ts';
import type { Wallet } from '../state.ts';
import { addBalanceAlerts } from './balance.ts';
import type { AlertTerms } from './events.ts';
import type { Alert } from './judged.ts';
import { DEFAULT_ALERTS, limitsOf } from './limits.ts';
import { addQuotaAlerts } from './quota.ts';
import { addSpendAlerts } from './spend.ts';

export function setAlerts({ alerts }: Wallet, terms: AlertTerms): WalletDecision {
  if (alerts.terms !== null && canonical(alerts.terms) === canonical(terms)) return UNCHANGED;
  return accepted({ type: 'AlertsSet', key: null, data: terms, facts: {} });
}

/** What follows from `events`, which come next in this wallet. */
export function alertsAfter(wallet: Wallet, events: readonly WalletEvent[], now: number): readonly Alert[] {
  const terms = wallet.alerts.terms ?? (wallet.quotas.length === 0 ? null : DEFAULT_ALERTS);
  if (terms === null || !terms.enabled) return NONE;
  const { percents, lows, highs } = limitsOf(terms);
  const alerts: Alert[] = [];
  const judged = { wallet, events, now };
  if (percents.length > 0) addQuotaAlerts(alerts, judged, percents);
  if (lows.length > 0) addBalanceAlerts(alerts, judged, lows);
  if (highs.length > 0) addSpendAlerts(alerts, judged, highs);
  return alerts;
}

const NONE: readonly Alert[] = [];

/** As `alertsAfter`, of events that have fallen due by `now`. */
export function alertsAfterDues(
  wallet: Wallet,
  events: readonly WalletEvent[],
  now: number,
): readonly Alert[] {
  if (wallet.alerts.terms === null) return NONE;
  const data = events.at(-1)?.data ?? {};
  const last = 'items' in data ? data.items.at(-1) : data;
  const at = last !== undefined && 'effective_at' in last ? last.effective_at : undefined;
  return alertsAfter(wallet, events, at === undefined ? now : Date.parse(at));
}
