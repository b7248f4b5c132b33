/** What an operator keeps an eye on over all accounts. Exact as of the read models. */
import { CREDITS } from '@tallystick/domain';
import { credits, type Reads } from './reads.ts';

export interface OpenItems {
  /** Usages that are parked because they have no price. */
  readonly unpriced: number;
  readonly holds: number;
}

/** Each by its partial index: what it costs grows with what is open, not with the ledger. */
export async function countOpenItems({ pool, schema }: Reads): Promise<OpenItems> {
  const { rows } = await pool.query<OpenItems>(
    `select
       (select count(*) from ${schema}.entries where type = 'UsageUnpriced' and resolved_by is null)::float8 as unpriced,
       (select count(*) from ${schema}.holds where status = 'open')::float8 as holds`,
  );
  return rows[0] ?? { unpriced: 0, holds: 0 };
}

/** Decimals. */
export interface CreditSums {
  /** Of the accounts that are not in debt. */
  readonly available: string;
  readonly held: string;
  readonly debt: string;
}

/** Reads a row of every account. */
export async function sumCredits({ pool, schema }: Reads): Promise<CreditSums> {
  const { rows } = await pool.query<CreditSums>(
    `select coalesce(sum(greatest(available, 0)), 0)::text as available, coalesce(sum(held), 0)::text as held,
       coalesce(sum(debt), 0)::text as debt
     from ${schema}.balances where unit = '${CREDITS}'`,
  );
  const { available = '0', held = '0', debt = '0' } = rows[0] ?? {};
  return { available: credits(available), held: credits(held), debt: credits(debt) };
}
