/** `as_of`: reads of a moment of the past. */
import { formatPosition, parsePosition } from '@tallystick/connect';
import type { Until } from '@tallystick/projections';
import { Type } from 'typebox';
import type { Api } from './api.ts';
import { type Faults, instantOf, settle } from './parse.ts';
import { problemOf, Refused } from './problems.ts';

export const AsOf = Type.String({
  minLength: 1,
  maxLength: 40,
  description:
    'A moment of the past: a position, or a time of RFC 3339 with its zone. What was recorded at that very moment is in the answer.',
});

/** Ends the request with 422 where it is not a moment of this store's past. Waits a little for one that is just over. */
export async function momentOf(api: Api, text: string): Promise<Until> {
  if (/^[0-9]{1,30}$/.test(text)) {
    const position = parsePosition(api.epoch, text);
    // Of an earlier epoch every position reads as 0: here it would pass for "before everything".
    if (position === null || formatPosition(api.epoch, position) !== BigInt(text).toString())
      return refuseMoment('must be a position of the present store');
    if (position > 0n) await api.reads.waitFor({ position }, api.limits.waitMs);
    return { position };
  }
  const faults: Faults = [];
  const at = instantOf(text, 'as_of', faults) ?? 0;
  settle(
    faults.map(({ field }) => ({ field, rule: 'must be a position, or a time of RFC 3339 with its zone' })),
  );
  if (at > api.now()) return refuseMoment('must not be in the future');
  return { at };
}

/** Ends the request with 422 where the read models have not come as far as the moment: more may belong to it. */
export function assertReached(api: Api, moment: Until, reached: string): void {
  if (!('position' in moment) || moment.position <= BigInt(reached)) return;
  refuseMoment('is after what has been projected', { position: formatPosition(api.epoch, BigInt(reached)) });
}

function refuseMoment(rule: string, facts: object = {}): never {
  throw new Refused(problemOf('invalid_value', { errors: [{ field: 'as_of', rule }], ...facts }));
}
