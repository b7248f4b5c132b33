/**
 * A seal as somebody has kept it, and what a receipt is to it. A hash without its number says less: one that is none of
 * the receipt's may be that of another seal as well as a proof of forgery, and the two must not be confused.
 */
import type { Receipt } from './receipt.ts';
import { type NumberedHash, sealsOf } from './verify-receipt.ts';

export interface KeptSeal {
  /** Null where the hash alone was kept. */
  readonly number: number | null;
  readonly hash: string;
}

/** `number:hash`, or the hash alone; its digits in upper or lower case. Null where it is neither. */
export function readKeptSeal(text: string): KeptSeal | null {
  const [, number, hash] = /^(?:([1-9][0-9]{0,14}):)?([0-9a-fA-F]{64})$/.exec(text) ?? [];
  if (hash === undefined) return null;
  return { number: number === undefined ? null : Number(number), hash: hash.toLowerCase() };
}

export type Comparison =
  | { readonly status: 'same'; readonly seal: NumberedHash }
  /** The receipt says another hash of that very seal. */
  | { readonly status: 'differs'; readonly seal: NumberedHash }
  /** The receipt does not come to the seal that was kept; or, without a number, nobody can tell whether it does. */
  | { readonly status: 'not_compared' };

/** Of a receipt that is consistent in itself. */
export function compareKept(receipt: Receipt, { number, hash }: KeptSeal): Comparison {
  const seal = sealsOf(receipt).find((one) => (number === null ? one.hash === hash : one.number === number));
  if (seal === undefined) return { status: 'not_compared' };
  return { status: seal.hash === hash ? 'same' : 'differs', seal };
}
