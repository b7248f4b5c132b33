/** The events that the read models know. Anything else stops the projector rather than be skipped (rule 11). */
import type { WalletEvent } from '@tallystick/domain';
import { splitStream } from '@tallystick/event-store';
import { CannotProject } from './faults.ts';

/** Whoever adds a wallet event finds out here that the read models must learn it. */
const WALLET: Record<WalletEvent['type'], true> = {
  AccountOpened: true,
  AccountChanged: true,
  AccountFrozen: true,
  AccountUnfrozen: true,
  TopUp: true,
  CreditsGranted: true,
  CreditsAdjusted: true,
  UsageCharged: true,
  UsageUnpriced: true,
  HoldPlaced: true,
  HoldExtended: true,
  HoldVoided: true,
  HoldClosed: true,
  Expired: true,
  EntryReversed: true,
};

const KNOWN: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['wallet', new Set(Object.keys(WALLET))],
  ['pricebook', new Set(['PriceBookPublished'])],
  ['apikey', new Set(['ApiKeyCreated', 'ApiKeyRevoked'])],
  ['profile', new Set(['ProfileSet'])],
  ['ledger', new Set(['LedgerOpened'])],
  ['seal', new Set(['LedgerSealed'])],
]);

export function assertKnown(
  stream: string,
  revision: number,
  type: string,
): { category: string; id: string } {
  const place = splitStream(stream);
  const types = KNOWN.get(place.category);
  if (types === undefined) throw new CannotProject(`${stream}:${revision} is of an unknown category`);
  if (!types.has(type)) throw new CannotProject(`${stream}:${revision} is of an unknown type: ${type}`);
  return place;
}
