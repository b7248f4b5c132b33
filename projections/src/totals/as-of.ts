/**
 * The trial balance at a moment of the past, from the rows of all entries. Nearly all postings follow from typed columns
 * (`entries/table.ts`), so they are summed as numbers, by model and supplier; only entries that keep their postings as
 * text are expanded. It reads every entry: a second for each million or two, so it is for finance, not for a dashboard.
 */
import { CREDITS } from '@tallystick/domain';
import type { Reads } from '../reads.ts';
import type { Until } from '../until.ts';
import { AVAILABLE, HELD, type TrialBalance, type TrialBalanceRow, trialBalanceOf } from './queries.ts';

export async function readTrialBalanceAt({ pool, schema }: Reads, moment: Until): Promise<TrialBalance> {
  const [until, value] =
    'position' in moment
      ? ['e.position <= $1::bigint', moment.position.toString()]
      : ['e.recorded_at <= $1', new Date(moment.at)];
  const { rows } = await pool.query<TrialBalanceRow>(
    `with typed as (
       select case when e.type = 'UsageCharged' then e.model end as model, e.supplier, e.cost_currency, e.revenue_currency,
         sum(e.available) as available, sum(e.held) as held,
         sum(e.credits) filter (where e.type = 'UsageCharged') as credits, sum(e.revenue) as revenue, sum(e.cost) as cost
       from ${schema}.entries e where e.postings is null and ${until}
       group by 1, 2, 3, 4
     ),
     texts as (
       select p.account, p.unit, sum(p.amount::numeric) as amount
       from ${schema}.entries e
       cross join lateral json_to_recordset(e.postings::json) as p(account text, unit text, amount text)
       where e.postings is not null and ${until}
       group by 1, 2
     ),
     legs as (
       select '${AVAILABLE}' as account, '${CREDITS}' as unit, -available as balance from typed
       union all select '${HELD}', '${CREDITS}', -held from typed
       union all select 'income:usage:' || ${schema}.segment(model), '${CREDITS}', -credits from typed
         where model is not null
       union all select 'liabilities:deferred-revenue', revenue_currency, revenue from typed where revenue is not null
       union all select 'income:usage:' || ${schema}.segment(model), revenue_currency, -revenue from typed
         where revenue is not null
       union all select 'expenses:suppliers:' || ${schema}.segment(coalesce(supplier, 'unknown')), cost_currency, cost
         from typed where cost is not null
       union all select 'liabilities:suppliers:' || ${schema}.segment(coalesce(supplier, 'unknown')), cost_currency, -cost
         from typed where cost is not null
       union all select
         regexp_replace(account, '^liabilities:wallets:[^:]+:(available|held|quotas|quotas-held)$', 'liabilities:wallets:*:\\1'), unit,
         amount * case when unit = '${CREDITS}' then 1000000 when unit ~ '^[A-Z]{3}$' then 1000000000 else 1 end
         from texts
     )
     select a.account, a.unit, trim_scale(a.balance)::text as balance, c.position
     from (select coalesce(min(position), 0)::text as position from ${schema}.checkpoints) c
     left join (select account, unit, sum(balance) as balance from legs group by 1, 2) a on true
     order by a.unit = '${CREDITS}' desc, a.unit, a.account collate "C"`,
    [value],
  );
  return trialBalanceOf(rows);
}
