/** API keys to be listed; without anything of their secrets. */
import { decodeCursor, type PageOf, type PageQuery, pageOf, pageSizeOf } from '../paging.ts';
import { instant, instantOrNull, type Reads } from '../reads.ts';

export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly account: string | null;
  readonly created_at: string;
  readonly revoked_at: string | null;
}

interface Row extends Omit<ApiKeyView, 'created_at' | 'revoked_at'> {
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

/** In the order of their ids. */
export async function listApiKeys({ pool, schema }: Reads, query: PageQuery): Promise<PageOf<ApiKeyView>> {
  const size = pageSizeOf(query);
  const { rows } = await pool.query<Row>(
    `select id, name, scopes, account, created_at, revoked_at from ${schema}.api_keys
     where $1::text is null or id > $1 order by id limit $2`,
    [decodeCursor('api-keys', query), size + 1],
  );
  return pageOf(
    'api-keys',
    rows,
    size,
    (row) => row.id,
    (row) => ({ ...row, created_at: instant(row.created_at), revoked_at: instantOrNull(row.revoked_at) }),
  );
}
