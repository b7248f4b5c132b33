/**
 * Warnings in a wallet's state: what has been told, so that it is not told again. Values are replaced, never changed in
 * place: forks share them. What was told of a window is forgotten when the window is over, at the next warning.
 */
import { parseCredits } from '../../amount.ts';
import type { EntryReversed } from '../events.ts';
import type { AlertEvent, AlertTerms } from './events.ts';

export interface AlertsState {
  /** Null: never set; then it is what everybody has (`DEFAULT_ALERTS`). */
  readonly terms: AlertTerms | null;
  /** Of quotas: keys that were told, each until its window ends. */
  readonly quotas: readonly { readonly key: string; readonly until: number }[];
  /** Thresholds on the balance that were told, and wait for credits to come in. */
  readonly low: readonly string[];
  /** Null before the first. It may have ended: then nothing has been spent since. */
  readonly day: SpendDay | null;
}

export interface SpendDay {
  /** `2026-01-31`, in the account's time zone. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly since: number;
  /** Charged for usage, less what of it was taken back. */
  readonly spent: bigint;
  /** Thresholds that were told. */
  readonly told: readonly string[];
}

export const NO_ALERTS: AlertsState = { terms: null, quotas: [], low: [], day: null };

export function alertsAfterEvent(state: AlertsState, event: AlertEvent): AlertsState {
  switch (event.type) {
    case 'AlertsSet': {
      const { enabled, thresholds } = event.data;
      // Set anew is trusted anew, for while they were off nobody looked whether credits came in. What was told of a
      // window or a day stays told.
      return { ...state, terms: { enabled, thresholds }, low: [] };
    }
    case 'AlertRaised':
      return afterRaised(state, event.data);
    case 'AlertsRearmed': {
      const { thresholds } = event.data;
      return { ...state, low: state.low.filter((threshold) => !thresholds.includes(threshold)) };
    }
    case 'SpendDayBegan': {
      const { day: name, starts_at, ends_at, since, spent } = event.data;
      const [start, end] = [Date.parse(starts_at), Date.parse(ends_at)];
      return { ...state, day: { name, start, end, since, spent: parseCredits(spent), told: [] } };
    }
  }
}

function afterRaised(
  state: AlertsState,
  data: Extract<AlertEvent, { type: 'AlertRaised' }>['data'],
): AlertsState {
  const { key, threshold } = data;
  switch (data.alert) {
    case 'quota': {
      const at = Date.parse(data.effective_at);
      const open = state.quotas.filter(({ until }) => until > at);
      return { ...state, quotas: [...open, { key, until: Date.parse(data.period_end) }] };
    }
    case 'balance':
      return { ...state, low: [...state.low.filter((told) => told !== threshold), threshold] };
    case 'daily_spend': {
      if (state.day === null) throw new Error(`${key} was told of a day that had not begun`);
      return { ...state, day: { ...state.day, told: [...state.day.told, threshold] } };
    }
  }
}

/** After a charge. Which day it is of is for `SpendDayBegan` to say, which follows where it is the first of its day. */
export function spentMore(state: AlertsState, credits: string): AlertsState {
  const { day } = state;
  return day === null || credits === '0' ? state : withSpent(state, day, parseCredits(credits));
}

/** A charge of the day that is taken back was not spent; one of an earlier day says nothing about this one. */
export function spentLess(
  state: AlertsState,
  { reverses, reversed_type, credits }: Pick<EntryReversed, 'reverses' | 'reversed_type' | 'credits'>,
): AlertsState {
  const { day } = state;
  if (day === null || reversed_type !== 'UsageCharged' || reverses < day.since) return state;
  return withSpent(state, day, -parseCredits(credits));
}

function withSpent(state: AlertsState, day: SpendDay, credits: bigint): AlertsState {
  return { ...state, day: { ...day, spent: day.spent + credits } };
}
