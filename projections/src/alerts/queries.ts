/** What an account has been warned of, the latest first. */
import type { AlertRaised } from '@tallystick/domain';
import { decodeNumber, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { instant, type Reads } from '../reads.ts';

export interface AlertsQuery extends PageQuery {
  readonly account: string;
}

/** As the event says it, and when it was recorded. */
export type AlertView = AlertRaised & { readonly raised_at: string };

interface Row {
  readonly born: string;
  readonly alert: AlertRaised['alert'];
  readonly threshold: string;
  readonly key: string;
  readonly figures: string;
  readonly effective_at: Date;
  readonly raised_at: Date;
}

export async function listAlerts({ pool, schema }: Reads, query: AlertsQuery): Promise<PageOf<AlertView>> {
  const size = pageSizeOf(query);
  const { rows } = await pool.query<Row>(
    `select * from ${schema}.alerts
     where account = $1 and ($2::bigint is null or born < $2) order by born desc limit $3`,
    [query.account, decodeNumber('alerts', query), size + 1],
  );
  return pageOf('alerts', rows, size, (row) => row.born, viewOf);
}

function viewOf({ alert, threshold, key, figures, effective_at, raised_at }: Row): AlertView {
  return {
    ...{ alert, threshold, key, ...(JSON.parse(figures) as object) },
    effective_at: instant(effective_at),
    raised_at: instant(raised_at),
  } as AlertView;
}
