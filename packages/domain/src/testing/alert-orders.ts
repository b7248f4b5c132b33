/** Commands about warnings, as the API would make them; and what was told, in short. */

import type { AlertRaised, AlertThreshold } from '../wallet/alerts/events.ts';
import type { WalletCommand } from '../wallet/commands.ts';
import type { Past } from './given.ts';

export const quotaAt = (percent: number): AlertThreshold => ({ on: 'quota', percent });
export const balanceBelow = (credits: string): AlertThreshold => ({ on: 'balance', credits });
export const spendOver = (credits: string): AlertThreshold => ({ on: 'daily_spend', credits });

export function setAlerts(...thresholds: readonly AlertThreshold[]): WalletCommand {
  return { type: 'SetAlerts', key: null, fingerprint: null, terms: { enabled: true, thresholds } };
}

export function muteAlerts(...thresholds: readonly AlertThreshold[]): WalletCommand {
  return { type: 'SetAlerts', key: null, fingerprint: null, terms: { enabled: false, thresholds } };
}

export function raisedIn({ events }: Pick<Past, 'events'>): readonly AlertRaised[] {
  return events.flatMap((event) => (event.type === 'AlertRaised' ? [event.data] : []));
}

/** What a command makes the wallet tell: `quota 80: 8 of 10`, `balance 100: 99.5`, `daily_spend 50: 51`. */
export function told(past: Past, work: (past: Past) => void): string[] {
  const before = raisedIn(past).length;
  work(past);
  return raisedIn(past).slice(before).map(inShort);
}

function inShort(alert: AlertRaised): string {
  const head = `${alert.alert} ${alert.threshold}`;
  switch (alert.alert) {
    case 'quota':
      return `${head}: ${BigInt(alert.used) + BigInt(alert.held)} of ${alert.granted} ${alert.unit} of ${alert.model}`;
    case 'balance':
      return `${head}: ${alert.available}`;
    case 'daily_spend':
      return `${head}: ${alert.spent} on ${alert.day}`;
  }
}
