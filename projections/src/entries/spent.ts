/**
 * What an account has spent since an instant, by the time of recording (rule 36): credits that usage and plans took, less
 * what came back of them, wherever they had gone out; and the tokens of its charged usage, but for calls that have been
 * taken back.
 *
 * It reads the entries since then and no others; what was spent before is the balance's own `consumed` less this. So the
 * months of an account add up to what it has consumed.
 */
import { TOKEN_DIMENSIONS, walletStream } from '@tallystick/domain';
import type { Reads } from '../reads.ts';
import { CLOCKS_MS } from './queries.ts';

export interface Spent {
  /** Credits, in smallest steps: since the instant, and ever. Of one snapshot. */
  readonly since: bigint;
  readonly ever: bigint;
  readonly tokens: bigint;
}

const COLUMNS = TOKEN_DIMENSIONS.map((name) => `${name} numeric`).join(', ');
const SUM = TOKEN_DIMENSIONS.map((name) => `coalesce(u.${name}, 0)`).join(' + ');

/** @param from milliseconds since 1970, itself included */
export async function readSpent({ pool, schema }: Reads, account: string, from: number): Promise<Spent> {
  const { rows } = await pool.query<{ since: string; ever: string; tokens: string }>(
    `select
       coalesce(sum(case
         when e.type = 'UsageCharged' then e.credits
         when e.type = 'EntryReversed' then case (
           select o.type from ${schema}.entries o where o.stream = $1 and o.revision = e.reverses
         ) when 'UsageCharged' then -e.credits end
         -- What a plan takes or gives back moves nothing else.
         when e.type like 'Subscription%' then -(e.available + e.held)
       end), 0)::text as since,
       coalesce(sum(case when e.type = 'UsageCharged' and e.reversed_by is null then ${SUM} end), 0)::text as tokens,
       coalesce((select b.consumed from ${schema}.balances b where b.account = $2 and b.unit = 'credits'), 0)::text as ever
     from ${schema}.entries e
     cross join lateral json_to_record(coalesce(e.usage, '{}')::json) as u(${COLUMNS})
     where e.stream = $1 and e.recorded_at >= $3 and e.revision >= (select ${schema}.revision_at($1, $4))`,
    [walletStream(account), account, new Date(from), new Date(from - CLOCKS_MS)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a sum without a row');
  return { since: BigInt(row.since), ever: BigInt(row.ever), tokens: BigInt(row.tokens) };
}
