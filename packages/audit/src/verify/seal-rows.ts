/** What the rows of seals should be, and, stream by stream, the digest of those of what they cover: there are many. */
import { internalDigest } from '@tallystick/event-store';
import type { AuditedEvent } from '../event.ts';
import { type Cell, textCell, timeCell } from './cells.ts';
import { RowDigest } from './digest.ts';

/** Events `from` to `to` of a stream. */
type Range = readonly [stream: string, from: number, to: number];

export class SealRows {
  readonly rows: Cell[][] = [];
  /** By the stream that is covered. */
  readonly covered = new Map<string, RowDigest>();

  add(event: AuditedEvent, hash: string | null): void {
    if (event.type !== 'LedgerSealed') return;
    const { data, recorded, recordedAt } = event;
    const { number, root, events, ranges } = data;
    const made = [recorded.data, internalDigest(recorded)];
    const cells = [number, timeCell(recordedAt), root, hash, events, ranges, ...made].map(textCell);
    this.rows.push(cells);
    for (const row of rangeRows(event)) {
      const stream = row[0] ?? '';
      let digest = this.covered.get(stream);
      if (digest === undefined) {
        digest = new RowDigest();
        this.covered.set(stream, digest);
      }
      digest.add(row);
    }
  }
}

export function rangeRows({ type, data, facts }: AuditedEvent): Cell[][] {
  if (type !== 'LedgerSealed') return [];
  const ranges = facts.ranges as readonly Range[];
  return ranges.map(([stream, from, to]) => [stream, String(to), String(from), textCell(data.number)]);
}
