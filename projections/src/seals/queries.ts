/** Seals to be kept by whoever wants to hold the ledger to them, and which of them covers an event. */
import { decodeNumber, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { instant, type Reads } from '../reads.ts';

export interface SealView {
  readonly number: number;
  readonly root: string;
  /** What to keep: it stands for everything up to this seal. */
  readonly hash: string;
  readonly events: number;
  readonly recorded_at: string;
}

interface Row {
  readonly number: string;
  readonly root: string;
  readonly hash: string;
  readonly events: string;
  readonly recorded_at: Date;
}

/** Newest first. */
export async function listSeals({ pool, schema }: Reads, query: PageQuery): Promise<PageOf<SealView>> {
  const size = pageSizeOf(query);
  const { rows } = await pool.query<Row>(
    `select number, root, hash, events, recorded_at from ${schema}.seals
     where $1::bigint is null or number < $1 order by number desc limit $2`,
    [decodeNumber('seals', query), size + 1],
  );
  return pageOf(
    'seals',
    rows,
    size,
    (row) => row.number,
    ({ number, root, hash, events, recorded_at }) => ({
      number: Number(number),
      root,
      hash,
      events: Number(events),
      recorded_at: instant(recorded_at),
    }),
  );
}

export interface Covering {
  readonly seal: number;
  readonly from: number;
  readonly to: number;
}

/** The range of a seal that covers an event; null where none does yet. Ranges follow one another from revision 0 on. */
export async function findSeal(
  { pool, schema }: Reads,
  stream: string,
  revision: number,
): Promise<Covering | null> {
  const { rows } = await pool.query<{ seal: string; from_revision: string; to_revision: string }>(
    `select seal, from_revision, to_revision from ${schema}.sealed_ranges
     where stream = $1 and to_revision >= $2 order by to_revision limit 1`,
    [stream, revision],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return { seal: Number(row.seal), from: Number(row.from_revision), to: Number(row.to_revision) };
}
