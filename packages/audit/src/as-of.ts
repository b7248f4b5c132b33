/**
 * A moment of the ledger: everything up to a position, or everything recorded up to an instant (the accounting date,
 * rule 36). By time it is a choice of events and not a prefix of the store: processes' clocks differ a little.
 */
export type AsOf =
  | { readonly position: bigint }
  /** Milliseconds since 1970, inclusive. */
  | { readonly at: number };

/** Null: all there is. */
export function includes(
  asOf: AsOf | null,
  event: { readonly position: bigint; readonly recordedAt: string },
): boolean {
  if (asOf === null) return true;
  return 'position' in asOf ? event.position <= asOf.position : Date.parse(event.recordedAt) <= asOf.at;
}
