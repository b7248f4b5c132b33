/** What every read does first and last: see what this process has acknowledged, wait for a position, survive outages. */

import { formatPosition, parsePosition } from '@tallystick/connect';
import type { Api } from './api.ts';
import { refuse } from './problems.ts';

export interface ReadOf {
  /** Waits for what this process has acknowledged for it. */
  readonly account?: string;
  /** Ends the request with `projection_behind` where it is not reached in time. */
  readonly minPosition?: string | undefined;
}

/** Runs a query on the read models when they have come as far as this reader may expect. */
export async function reading<T>(
  api: Api,
  { account, minPosition }: ReadOf,
  query: () => Promise<T>,
): Promise<T> {
  if (minPosition !== undefined) await awaitPosition(api, minPosition);
  if (account !== undefined) await awaitAcknowledged(api, account);
  return query();
}

async function awaitPosition({ reads, limits, epoch }: Api, text: string): Promise<void> {
  const position = parsePosition(epoch, text);
  const reached =
    position !== null && (position === 0n || (await reads.waitFor({ position }, limits.waitMs)));
  if (!reached) refuse('projection_behind', { min_position: text });
}

/** Waits a little, then lets the reader have what there is: its position says how far it goes. */
async function awaitAcknowledged({ acknowledged, reads, limits }: Api, account: string): Promise<void> {
  const awaited = acknowledged.of(account);
  if (awaited === undefined) return;
  const { revision, position } = awaited;
  const [wallet, profile] = await Promise.all([
    revision === null || reads.waitFor({ account, revision }, limits.waitMs),
    position === null || reads.waitFor({ position }, limits.waitMs),
  ]);
  if (wallet && profile) acknowledged.seen(account, awaited);
}

/** Positions in read models are the store's own; outside they carry the epoch. */
export function withEpoch<V extends { readonly position: string }>({ epoch }: Api, view: V): V {
  return epoch === 0 ? view : { ...view, position: formatPosition(epoch, BigInt(view.position)) };
}
