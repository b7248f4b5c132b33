/**
 * The checkpoint and the rows tell the same story, at any moment that anybody can see: at every death of a process, and
 * at the end. An event behind a checkpoint has its row; one that no checkpoint has passed has none.
 */
import type { WalletEvent } from '@tallystick/domain';
import { decodeEvent, splitStream } from '@tallystick/event-store';
import { partitionOf } from '@tallystick/projections';
import { isEntry } from '../refold.ts';
import type { World } from '../world.ts';
import { broken } from './evidence.ts';

interface Seen {
  readonly checkpoints: readonly { partition: number; position: string }[] | null;
  readonly entries: readonly { stream: string; revision: number }[] | null;
}

const ALL = 1_000_000;

export async function checkpointIsNotAheadOfRows({ store, database, shape }: World): Promise<void> {
  // One statement, so one snapshot.
  const { rows } = await database.single.query<Seen>(`select
    (select json_agg(json_build_object('partition', partition, 'position', position::text))
       from "${database.schema}".checkpoints where name = 'reads') as checkpoints,
    (select json_agg(json_build_object('stream', stream, 'revision', revision))
       from "${database.schema}".entries) as entries`);
  const positions = new Map(
    rows[0]?.checkpoints?.map(({ partition, position }) => [partition, BigInt(position)]),
  );
  const written = new Set(rows[0]?.entries?.map(({ stream, revision }) => `${stream}:${revision}`));
  const { events } = await store.readAll({ after: null, limit: ALL, categories: ['wallet'] });
  for (const event of events) {
    const { stream, revision, position } = event;
    if (!isEntry(decodeEvent<WalletEvent>(event))) continue;
    const id = `${stream}:${revision}`;
    const partition = partitionOf(splitStream(stream).id, shape.partitions);
    const isPassed = position <= (positions.get(partition) ?? 0n);
    if (isPassed && !written.has(id)) broken('the checkpoint is not ahead of the rows', { id, partition });
    if (!isPassed && written.has(id)) broken('the rows are not ahead of the checkpoint', { id, partition });
    written.delete(id);
  }
  if (written.size > 0) broken('every entry has its event', [...written]);
}
