/** Seals to be kept by whoever wants to hold the ledger to them, and which of them covers an event. */
import { chainStart } from '@tallystick/event-store';
import { decodeNumber, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { instant, type Reads } from '../reads.ts';

export interface SealView {
  readonly number: number;
  readonly root: string;
  /** What to keep, with the number: it stands for every seal before it too. */
  readonly hash: string;
  readonly events: number;
  readonly recorded_at: string;
  /** From here to `previous_hash`: what `hash` is made of. */
  readonly data: string;
  readonly internal: string;
  readonly previous_hash: string;
}

interface Row {
  readonly number: string;
  readonly root: string;
  readonly hash: string;
  readonly events: string;
  readonly recorded_at: Date;
  readonly data: string;
  readonly internal: string;
  /** Null for the first. */
  readonly previous_hash: string | null;
}

export interface SealsQuery extends PageQuery {
  /** Oldest first, from this number on. */
  readonly from?: number | undefined;
}

/** Newest first, unless it is told where to begin. */
export async function listSeals({ pool, schema }: Reads, query: SealsQuery): Promise<PageOf<SealView>> {
  const size = pageSizeOf(query);
  const list = query.from === undefined ? 'seals' : 'seals_from';
  const beyond = query.from === undefined ? null : String(query.from - 1);
  const [after, order] = query.from === undefined ? ['<', 'desc'] : ['>', 'asc'];
  const { rows } = await pool.query<Row>(
    `select s.number, s.root, s.hash, s.events, s.recorded_at, s.data, s.internal, before.hash as previous_hash
     from ${schema}.seals s left join ${schema}.seals before on before.number = s.number - 1
     where $1::bigint is null or s.number ${after} $1 order by s.number ${order} limit $2`,
    [decodeNumber(list, query) ?? beyond, size + 1],
  );
  return pageOf(list, rows, size, (row) => row.number, viewOf);
}

function viewOf({ number, root, hash, events, recorded_at, data, internal, previous_hash }: Row): SealView {
  return {
    number: Number(number),
    root,
    hash,
    events: Number(events),
    recorded_at: instant(recorded_at),
    data,
    internal,
    previous_hash: previous_hash ?? START,
  };
}

const START = chainStart('seal-ledger');

export interface SealLink {
  readonly number: number;
  readonly data: string;
  readonly internal: string;
  readonly hash: string;
}

/** The seals after one, up to another as far as there are that many; in order. */
export async function readSealLinks(
  { pool, schema }: Reads,
  { after, to }: { readonly after: number; readonly to: number },
): Promise<readonly SealLink[]> {
  const { rows } = await pool.query<Omit<SealLink, 'number'> & { number: string }>(
    `select number, data, internal, hash from ${schema}.seals where number > $1 and number <= $2 order by number`,
    [after, to],
  );
  return rows.map((row) => ({ ...row, number: Number(row.number) }));
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
