/** Whose figures these are. The documented paths name no account: a user's key does. */
import { Type } from 'typebox';
import type { Principal } from '../../auth.ts';
import { settle } from '../../parse.ts';
import { refuse } from '../../problems.ts';
import { closed, Id, MinPosition } from '../../schemas.ts';

export const AccountQuery = {
  account: Type.Optional({
    ...Id,
    description: 'With a key that names no account; else it is that of the key.',
  }),
};
/** Of a read. What is told from an account's own events has always come as far as any position that was given out. */
export const ReadQuery = closed({ ...AccountQuery, ...MinPosition });

/** Ends the request with 422 where nobody names one, with 403 where a key names another. */
export function accountOf(principal: Principal, asked: string | undefined): string {
  if (principal.account !== null) {
    // The same answer whether the other account exists or not.
    return asked === undefined || asked === principal.account ? principal.account : refuse('forbidden');
  }
  if (asked === undefined) settle([{ field: 'account', rule: 'must be given with a key that names none' }]);
  return asked ?? '';
}
