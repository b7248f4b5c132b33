/** Lines of a plan go by what they are, not where they stand: another version may have them in another order. */
import type { IncludedLine, PlanTerms } from '../../plans/terms.ts';
import type { Quota } from '../quota/state.ts';

type Line = Pick<IncludedLine, 'unit' | 'model' | 'per'>;

export function isSameLine(a: Line, b: Line): boolean {
  return a.unit === b.unit && a.model === b.model && a.per === b.per;
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
