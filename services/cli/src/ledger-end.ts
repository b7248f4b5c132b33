/** Where the ledger ends. What is beyond has not happened yet, and a question about it has no answer. */
import { scan } from '@tallystick/audit';
import type { EventStore } from '@tallystick/event-store';
import { positionOf } from '@tallystick/projections';
import { type Sources, UsageFault } from './connect.ts';
import type { Moment, Positions } from './moment.ts';

export interface LedgerEnd {
  /** Of the last event. */
  readonly position: bigint;
  /** The latest time of recording, milliseconds since 1970. */
  readonly at: number;
}

/** Reads the whole store: it does not know its end in another way. */
export async function endOf(store: EventStore): Promise<LedgerEnd> {
  let end: LedgerEnd = { position: 0n, at: 0 };
  for await (const page of scan(store))
    for (const { position, data } of page) end = { position, at: Math.max(end.at, timeOf(data)) };
  return end;
}

/** A text that was damaged has no time. */
function timeOf(data: string): number {
  const [, text = ''] = /"recorded_at":"([^"]*)"/.exec(data) ?? [];
  return Date.parse(text) || 0;
}

/** @throws UsageFault where the moment is in the future, or a position that no event has come to */
export async function assertReached(
  { store, pool, schema }: Sources,
  moment: Moment | undefined,
  positions: Positions,
): Promise<void> {
  if (moment === undefined || !(await isBeyond(moment))) return;
  const { position, at } = await endOf(store);
  // A time that has been recorded has come, whatever this machine's clock says.
  if (moment.kind === 'position' ? positions.read(moment.text) <= position : moment.begins <= at) return;
  const asked =
    moment.kind === 'position'
      ? `no event has the position ${moment.text} yet`
      : 'that time is in the future';
  throw new UsageFault(
    `${asked}: the ledger ends at position ${positions.show(position)}, recorded at ${new Date(at).toISOString()}`,
  );

  async function isBeyond(asked: Moment): Promise<boolean> {
    if (asked.kind === 'instant') return asked.begins > Date.now();
    // What has been projected is certainly there.
    return positions.read(asked.text) > ((await positionOf(pool, schema)) ?? 0n);
  }
}
