/** The order about warnings, already parsed: amounts as canonical texts, no threshold twice. */
import type { AlertTerms } from './events.ts';

export interface SetAlerts {
  readonly type: 'SetAlerts';
  readonly terms: AlertTerms;
}
