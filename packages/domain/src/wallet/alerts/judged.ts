/** What each kind of warning is judged by, and what comes of it. */
import type { WalletEvent, WalletEventOf } from '../events.ts';
import type { Wallet } from '../state.ts';
import type { AlertRaised } from './events.ts';

export interface Judged {
  /** As it stands before the events. */
  readonly wallet: Readonly<Wallet>;
  readonly events: readonly WalletEvent[];
  /** When they happen; of dues their own instant. */
  readonly now: number;
}

export type Alert = WalletEventOf<'AlertRaised' | 'AlertsRearmed' | 'SpendDayBegan'>;

export const raised = (data: AlertRaised): Alert => ({ type: 'AlertRaised', key: null, data, facts: {} });

export const iso = (at: number): string => new Date(at).toISOString();
