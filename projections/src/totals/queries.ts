/** The trial balance: every account of the platform, all wallets together, and a total that is zero in every unit (L2). */
import { CREDITS, formatAmount } from '@tallystick/domain';
import type { Reads } from '../reads.ts';

export interface TrialBalance {
  readonly units: readonly {
    readonly unit: string;
    readonly total: string;
    readonly accounts: readonly { readonly account: string; readonly balance: string }[];
  }[];
  /** Everything up to here is in it. */
  readonly position: string;
}

/** `*` stands for all wallets. */
export const AVAILABLE = 'liabilities:wallets:*:available';
export const HELD = 'liabilities:wallets:*:held';
const QUOTAS = 'liabilities:wallets:*:quotas';
const QUOTAS_HELD = 'liabilities:wallets:*:quotas-held';

/**
 * Wallets come by moves, platform accounts by postings, so a total of zero says that the two agree. All from one
 * statement, so from one snapshot.
 */
export async function readTrialBalance({ pool, schema }: Reads): Promise<TrialBalance> {
  const { rows } = await pool.query<TrialBalanceRow>(
    `with accounts as (
       select '${AVAILABLE}' as account, unit, -sum(available) as balance from ${schema}.balances group by unit
       union all select '${HELD}', unit, -sum(held) from ${schema}.balances group by unit
       union all select '${QUOTAS}', unit, -sum(free) from ${schema}.quotas where open group by unit
       union all select '${QUOTAS_HELD}', unit, -sum(pinned) from ${schema}.quotas where open group by unit
       union all select account, unit, sum(balance) from ${schema}.platform_totals group by account, unit
     )
     select a.account, a.unit, a.balance::text, c.position
     from (select coalesce(min(position), 0)::text as position from ${schema}.checkpoints) c
     left join accounts a on true
     order by a.unit = '${CREDITS}' desc, a.unit, a.account`,
  );
  return trialBalanceOf(rows);
}

/** In smallest steps; account and unit are null where there is nothing at all. */
export interface TrialBalanceRow {
  readonly account: string | null;
  readonly unit: string | null;
  readonly balance: string | null;
  readonly position: string;
}

/** Rows in order, each unit's together. */
export function trialBalanceOf(rows: readonly TrialBalanceRow[]): TrialBalance {
  const units = new Map<string, { total: bigint; accounts: { account: string; balance: string }[] }>();
  for (const { account, unit, balance } of rows) {
    if (account === null || unit === null || balance === null) continue;
    const sum = units.get(unit) ?? { total: 0n, accounts: [] };
    units.set(unit, sum);
    sum.total += BigInt(balance);
    if (balance !== '0') sum.accounts.push({ account, balance: formatAmount(BigInt(balance), unit) });
  }
  return {
    units: [...units].map(([unit, { total, accounts }]) => ({
      unit,
      total: formatAmount(total, unit),
      accounts,
    })),
    position: rows[0]?.position ?? '0',
  };
}
