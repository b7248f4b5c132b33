/**
 * The balance of an account at a moment of the past: what it had after its last entry until then. Found by halving, in
 * one statement: as quick with a million entries as with ten.
 */
import { entryId, walletStream } from '@tallystick/domain';
import { credits, instant, type Reads } from '../reads.ts';
import type { Until } from '../until.ts';
import { CLOCKS_MS } from './queries.ts';

export interface BalanceAtView {
  readonly account: string;
  readonly available: string;
  readonly held: string;
  /** The last entry that is in it; null where the account had none yet. */
  readonly entry_id: string | null;
  readonly recorded_at: string | null;
  /** Everything up to here could be looked at. */
  readonly position: string;
}

interface Row {
  readonly reached: string;
  readonly revision: string | null;
  readonly recorded_at: Date | null;
  readonly after_available: string | null;
  readonly after_held: string | null;
}

/** Whether there was such an account then is not asked here: it may have been opened without an entry yet. */
export async function readBalanceAt(reads: Reads, account: string, moment: Until): Promise<BalanceAtView> {
  const { pool, schema } = reads;
  const stream = walletStream(account);
  const [search, values] =
    'position' in moment
      ? [upToPosition(schema), [stream, moment.position.toString()]]
      : [upToInstant(schema), [stream, new Date(moment.at), new Date(moment.at + CLOCKS_MS)]];
  const { rows } = await pool.query<Row>(
    `select c.reached, e.revision, e.recorded_at, e.after_available, e.after_held
     from (select coalesce(min(position), 0)::text as reached from ${schema}.checkpoints) c
     left join ${schema}.entries e on e.stream = $1 and e.revision = (${search})`,
    values,
  );
  const [row] = rows;
  const { revision = null, recorded_at = null, after_available, after_held } = row ?? {};
  return {
    account,
    available: credits(after_available ?? '0'),
    held: credits(after_held ?? '0'),
    entry_id: revision === null ? null : entryId(stream, Number(revision)),
    recorded_at: recorded_at === null ? null : instant(recorded_at),
    position: row?.reached ?? '0',
  };
}

/** Positions of a stream grow with its revisions: its last revision whose position is not beyond. */
const upToPosition = (schema: string): string => `
  with recursive search (low, high) as (
    select -1::bigint, (select max(revision) from ${schema}.entries where stream = $1)
    union all
    select
      case when m.position <= $2::bigint then m.revision else s.low end,
      case when m.position <= $2::bigint then s.high else (s.low + s.high + 1) / 2 - 1 end
    from search s
    cross join lateral (
      -- Not every revision is an entry: the first one at the middle or after it, of which there is one at the top.
      select e.revision, e.position from ${schema}.entries e
      where e.stream = $1 and e.revision >= (s.low + s.high + 1) / 2 order by e.revision limit 1
    ) m
    where s.low < s.high
  )
  select low from search order by low desc limit 1`;

const upToInstant = (schema: string): string => `
  select e.revision from ${schema}.entries e
  where e.stream = $1 and e.recorded_at <= $2 and e.revision < (select ${schema}.revision_at($1, $3))
  order by e.revision desc limit 1`;
