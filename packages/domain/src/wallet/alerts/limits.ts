/** What an account wants to be warned of, sorted by what it is on. */
import { parseCredits } from '../../amount.ts';
import type { AlertTerms } from './events.ts';

/** Of an account that never said what it wants. */
export const DEFAULT_ALERTS: AlertTerms = { enabled: true, thresholds: [{ on: 'quota', percent: 80 }] };

export interface CreditsLimit {
  readonly text: string;
  readonly credits: bigint;
}
export interface Limits {
  /** Of quotas; the lowest first. */
  readonly percents: readonly number[];
  /** On the balance; the highest first, as a falling balance comes past them. */
  readonly lows: readonly CreditsLimit[];
  /** On a day's spending; the lowest first. */
  readonly highs: readonly CreditsLimit[];
}

const limitsOfTerms = new WeakMap<AlertTerms, Limits>();

/** Thresholds by what they are on, read once: every charge asks. */
export function limitsOf(terms: AlertTerms): Limits {
  const known = limitsOfTerms.get(terms);
  if (known !== undefined) return known;
  const percents = terms.thresholds.flatMap((each) => (each.on === 'quota' ? [each.percent] : []));
  const inCredits = (on: 'balance' | 'daily_spend'): CreditsLimit[] =>
    terms.thresholds
      .flatMap((each) =>
        each.on === on ? [{ text: each.credits, credits: parseCredits(each.credits) }] : [],
      )
      .sort((a, b) => (a.credits < b.credits ? -1 : 1));
  const limits: Limits = {
    percents: percents.sort((a, b) => a - b),
    lows: inCredits('balance').reverse(),
    highs: inCredits('daily_spend'),
  };
  limitsOfTerms.set(terms, limits);
  return limits;
}
