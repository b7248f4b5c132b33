/** Lines of a plan go by what they are, not where they stand: another version may have them in another order. */
import type { IncludedLine, PlanTerms } from '../../plans/terms.ts';
import type { Quota } from '../quota/state.ts';

type Line = Pick<IncludedLine, 'unit' | 'model' | 'per'>;

export function isSameLine(a: Line, b: Line): boolean {
  return a.unit === b.unit && a.model === b.model && a.per === b.per;
}

/**
 * Its quotas tell all that a plan gives. Not so calls without limit, prices of its own for what is beyond, a price book, or
 * a plan without any quota.
 */
export function isMeasured({ included, overage_multiplier, overage_prices, price_book }: PlanTerms): boolean {
  const isPriced = [overage_multiplier, overage_prices, price_book].some((terms) => terms !== undefined);
  return included.length > 0 && !isPriced && included.every(({ amount }) => amount !== 'unlimited');
}

/** The index that a line had in other terms: the same unit, model and window. -1: it is new. */
export function linesBefore(terms: PlanTerms, before: PlanTerms | null): (index: number) => number {
  if (before === terms) return (index) => index;
  return (index) => {
    const line = terms.included[index];
    return line === undefined ? -1 : (before?.included ?? []).findIndex((other) => isSameLine(other, line));
  };
}

/** @param withExtra what a change of plan has added of it counts too */
export function isOfLine(
  { unit, model, origin }: Pick<Quota, 'unit' | 'model' | 'origin'>,
  subscription: string,
  line: Line | undefined,
  withExtra = false,
): boolean {
  if (line === undefined || origin.kind !== 'plan' || (origin.extra === true && !withExtra)) return false;
  return origin.subscription === subscription && isSameLine({ unit, model, per: origin.per }, line);
}
