/** The subscriptions that an account has had, the latest first. What was charged for one stands in the statement. */
import type { Subscription } from '@tallystick/domain';
import { decodeNumber, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { instant, type Reads } from '../reads.ts';

/** As its last event told it: what has fallen due since, and is not carried out yet, is not in it. */
export interface SubscriptionView {
  readonly subscription: Subscription;
  readonly started_at: string;
}

interface Row {
  readonly picture: string;
  readonly born: string;
  readonly started_at: Date;
}

export interface SubscriptionsQuery extends PageQuery {
  readonly account: string;
}

export async function listSubscriptions(
  { pool, schema }: Reads,
  query: SubscriptionsQuery,
): Promise<PageOf<SubscriptionView>> {
  const size = pageSizeOf(query);
  const { rows } = await pool.query<Row>(
    `select picture, born, started_at from ${schema}.subscriptions
     where account = $1 and ($2::bigint is null or born < $2) order by born desc limit $3`,
    [query.account, decodeNumber('subscriptions', query), size + 1],
  );
  return pageOf(
    'subscriptions',
    rows,
    size,
    (row) => row.born,
    (row) => ({
      subscription: JSON.parse(row.picture) as Subscription,
      started_at: instant(row.started_at),
    }),
  );
}
