/**
 * A usage that was recorded long ago may have had a later life: taken back, or parked first and charged since. Its
 * replay says so (rule 23). Only replays ask, and all replays of one account ask at once.
 */
import { keys, type WalletEventOf } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { type ChargedAnswer, chargedAnswer, type UnpricedAnswer, unpricedAnswer } from './answers.ts';
import type { Api } from './api.ts';

export type UsageEvent =
  | StoredEvent<WalletEventOf<'UsageCharged'>>
  | StoredEvent<WalletEventOf<'UsageUnpriced'>>;

export interface Replayed {
  readonly event: UsageEvent;
  readonly position: bigint;
}

/** One answer for each, in order. All are of one stream. */
export async function replayedUsage(
  api: Api,
  stream: string,
  replays: readonly Replayed[],
): Promise<(ChargedAnswer | UnpricedAnswer)[]> {
  const repriced = await findAll(
    api,
    stream,
    replays.map(({ event }) => repriceKey(event)),
  );
  const charges = replays.map((replay) => chargeOf(replay, repriced.get(repriceKey(replay.event) ?? '')));
  const reversed = await findAll(
    api,
    stream,
    charges.map((charge) => charge && keys.reverse(charge.event.revision)),
  );
  return replays.map((replay, index) => {
    const charge = charges[index];
    if (charge == null) {
      if (replay.event.type !== 'UsageUnpriced')
        throw new Error('a charge was lost on its way to the answer');
      return unpricedAnswer(replay.event, replay.position, api.epoch);
    }
    const answer = chargedAnswer(charge.event, charge.position, api.epoch);
    return reversed.has(keys.reverse(charge.event.revision)) ? { ...answer, reversed: true } : answer;
  });
}

function repriceKey(event: UsageEvent): string | null {
  return event.type === 'UsageUnpriced' ? keys.reprice(event.data.source, event.data.usage_id) : null;
}

interface Charge {
  readonly event: StoredEvent<WalletEventOf<'UsageCharged'>>;
  readonly position: bigint;
}

/** Null: it is parked still. */
function chargeOf({ event, position }: Replayed, repriced: StoredEvent | undefined): Charge | null {
  if (event.type === 'UsageCharged') return { event, position };
  if (repriced?.type !== 'UsageCharged') return null;
  return { event: repriced as Charge['event'], position: repriced.position };
}

async function findAll(
  { runner }: Api,
  stream: string,
  wanted: readonly (string | null)[],
): Promise<ReadonlyMap<string, StoredEvent>> {
  const present = wanted.filter((key) => key !== null);
  return present.length === 0 ? new Map() : runner.find(stream, present);
}
