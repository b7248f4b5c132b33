/**
 * The checkpoints of the read models, where positions are the store's cursors: a projector goes on from the cursor, and
 * readers go by the position, so both must say the same, and nothing that the store does not have yet.
 */
import type { Finding } from './finding.ts';
import type { Checkpoint } from './reads.ts';

export function compareCheckpoints(
  checkpoints: readonly Checkpoint[],
  lastPosition: bigint,
  report: (finding: Finding) => void,
): void {
  for (const { partition, position, cursor } of checkpoints) {
    const place = { table: 'checkpoints', row: `partition ${partition}` };
    const expected = position === 0n ? null : String(position);
    if (cursor !== expected)
      report({ what: 'a read model differs', ...place, column: 'cursor', expected, found: cursor });
    if (position > lastPosition)
      report({
        what: 'a checkpoint is ahead of the store',
        ...place,
        column: 'position',
        expected: `${lastPosition} at most`,
        found: String(position),
      });
  }
}
