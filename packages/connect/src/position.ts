/**
 * The API's position: one growing integer as text, the store's epoch in its high digits (rule 16). A client that
 * compares two of them is right even after the store was moved, where its own positions start anew.
 */
const EPOCH = 10n ** 18n;

export const POSITION_PATTERN = '^[0-9]{1,30}$';

export function formatPosition(epoch: number, position: bigint): string {
  return epoch === 0 ? position.toString() : (BigInt(epoch) * EPOCH + position).toString();
}

/**
 * What a reader has to wait for in this store: 0 where the position is of an earlier epoch, whose events all precede
 * ours; null where it is of a later one, which cannot come here.
 */
export function parsePosition(epoch: number, text: string): bigint | null {
  const value = BigInt(text);
  const theirs = value / EPOCH;
  if (theirs === BigInt(epoch)) return value % EPOCH;
  return theirs < BigInt(epoch) ? 0n : null;
}
