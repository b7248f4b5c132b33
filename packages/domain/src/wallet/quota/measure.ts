/**
 * What a usage is in calls and in tokens, and what it is at least before it has run: one call, as always, and one token in
 * what counts tokens. Else an estimate that names none would pass a stop in tokens that has nothing left, and what then
 * ran would be the platform's. A call of another kind (images, seconds, …) that names no tokens is none of their business.
 */
import { type IncludedLine, TOKEN_DIMENSIONS } from '../../plans/terms.ts';
import { type Dimension, type Usage, usedDimensions } from '../../usage.ts';
import type { Hold } from '../state.ts';

/** A call as quotas and caps look at it. */
export interface Call {
  readonly model: string;
  readonly usage: Usage;
  /** It counts in the windows that are open when it is decided, whenever it was (billing rule 8). */
  readonly now: number;
  /** It has not run: it counts as one token at least, as it counts as one call. */
  readonly isEstimate: boolean;
  /** For its own settlement what it has of quotas is there, and comes first; and it does not stand in its own way in caps. */
  readonly hold: Pick<Hold, 'quotaPins' | 'caps' | 'plan'> | null;
}

/** How many calls a usage is: what it says, else one. */
export function callsOf(usage: Usage): bigint {
  return BigInt(usage.calls || 1);
}

export function tokensOf(usage: Usage, counted: readonly Dimension[] | null = null): bigint {
  let sum = 0n;
  for (const dimension of counted ?? TOKEN_DIMENSIONS) sum += BigInt(usage[dimension] ?? 0);
  return sum;
}

/** It names something that is neither tokens nor calls, and no tokens. */
export function isOfAnotherKind(estimate: Usage): boolean {
  return tokensOf(estimate) === 0n && usedDimensions(estimate).some((dimension) => dimension !== 'calls');
}

/** Of which nothing is to be taken off: told apart by being this very object. */
export const NO_USAGE: Usage = {};

/** The tokens that a call will use though its estimate does not name them: one that counts, for each of its model's lines. */
export function unnamedTokens(lines: readonly IncludedLine[], estimate: Usage): Usage {
  const counted = lines
    .filter(({ unit }) => unit === 'tokens')
    .map(({ counted_dimensions }): readonly Dimension[] => counted_dimensions ?? TOKEN_DIMENSIONS);
  if (counted.every((dimensions) => tokensOf(estimate, dimensions) > 0n)) return NO_USAGE;
  if (isOfAnotherKind(estimate)) return NO_USAGE;
  // One that counts for few dimensions counts for the lines of many, too.
  counted.sort((a, b) => a.length - b.length);
  let unnamed = NO_USAGE;
  for (const dimensions of counted) {
    const [first] = dimensions;
    if (first !== undefined && tokensOf({ ...estimate, ...unnamed }, dimensions) === 0n)
      unnamed = { ...unnamed, [first]: 1 };
  }
  return unnamed;
}

/** Of a cap in tokens, which counts all of them. */
export function leastTokensOf(estimate: Usage): bigint {
  const tokens = tokensOf(estimate);
  return tokens > 0n || isOfAnotherKind(estimate) ? tokens : 1n;
}
