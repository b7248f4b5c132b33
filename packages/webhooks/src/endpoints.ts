/**
 * The endpoints as rows. Their streams are the truth; whoever knows a later revision writes it, so the API shows what it
 * has just recorded and the outbox, which reads the streams, brings what an outage has kept from it. A revision never
 * goes back. Rows of deleted endpoints stay, because of that.
 */
import type { WebhookEndpointState, WebhookPause, WebhookScope } from '@tallystick/domain';
import {
  decodeNumber,
  encodeCursor,
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  type PageOf,
  type PageQuery,
} from '@tallystick/projections';
import type { ClientBase, Pool } from 'pg';
import type { Webhooks } from './webhooks.ts';

export interface EndpointRow {
  readonly id: string;
  readonly revision: number;
  readonly status: 'open' | 'deleted';
  readonly url: string;
  readonly events: readonly string[];
  readonly scope: WebhookScope;
  readonly account: string | null;
  readonly paused: WebhookPause | null;
  /** Of the event that made it: it is told of what follows. */
  readonly startPosition: bigint;
}

export interface EndpointView {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly scope: WebhookScope;
  readonly account: string | null;
  readonly active: boolean;
  /** Why it is not active; null where it is. */
  readonly paused: WebhookPause | null;
  readonly created_at: string;
  /** How many attempts in a row have failed. */
  readonly failures: number;
  /** Nothing is sent until then, because too many have; null where all is well. */
  readonly resting_until: string | null;
}

type Queries = Pick<ClientBase | Pool, 'query'>;

/** Where the stream begins. Writes nothing where the row is there already. */
export async function insertEndpoint(
  client: Queries,
  { schema }: Pick<Webhooks, 'schema'>,
  { id, url, events, scope, account }: WebhookEndpointState,
  { position, recordedAt }: { readonly position: bigint; readonly recordedAt: number },
): Promise<void> {
  await client.query(
    `insert into ${schema}.endpoints
       (id, revision, status, url, events, scope, account, start_position, created_at)
     values ($1, 0, 'open', $2, $3, $4, $5, $6, $7) on conflict (id) do nothing`,
    [id, url, events, scope, account, position.toString(), new Date(recordedAt)],
  );
}

/**
 * A later revision; an earlier one changes nothing, nor does one of a row that is not there yet. An endpoint that is
 * told of things again begins anew with a clean record.
 */
export async function updateEndpoint(
  client: Queries,
  { schema }: Pick<Webhooks, 'schema'>,
  state: WebhookEndpointState,
  revision: number,
): Promise<void> {
  const { id, url, events, scope, paused } = state;
  const status = state.status === 'deleted' ? 'deleted' : 'open';
  const { rowCount } = await client.query(
    `update ${schema}.endpoints set revision = $2, status = $3, url = $4, events = $5, scope = $6, paused = $7,
       failures = case when url = $4 and paused is not distinct from $7 then failures else 0 end,
       open_until = case when url = $4 and paused is not distinct from $7 then open_until end
     where id = $1 and revision < $2`,
    [id, revision, status, url, events, scope, paused],
  );
  if (rowCount === 0 || status !== 'deleted') return;
  await client.query(`delete from ${schema}.secrets where endpoint = $1`, [id]);
  await client.query(
    `update ${schema}.deliveries set status = 'canceled', next_attempt_at = null, lease = null, finished_at = now()
     where endpoint = $1 and status = 'pending'`,
    [id],
  );
  await client.query(
    `update ${schema}.replays set finished_at = now() where endpoint = $1 and finished_at is null`,
    [id],
  );
}

interface Row extends Omit<EndpointRow, 'revision' | 'startPosition'> {
  readonly revision: string;
  readonly start_position: string;
  readonly created_at: Date;
  readonly failures: number;
  readonly open_until: Date | null;
}

const COLUMNS =
  'id, revision, status, url, events, scope, account, paused, start_position, created_at, failures, open_until';

/** By id; deleted ones too. There are few. */
export async function readEndpoints(
  client: Queries,
  { schema }: Pick<Webhooks, 'schema'>,
): Promise<Map<string, EndpointRow>> {
  const { rows } = await client.query<Row>(`select ${COLUMNS} from ${schema}.endpoints`);
  return new Map(rows.map((row) => [row.id, endpointOf(row)]));
}

/** Null where there is none, or none any more. */
export async function findEndpoint(
  client: Queries,
  webhooks: Webhooks,
  id: string,
): Promise<EndpointRow | null> {
  const row = await findRow(client, webhooks, id);
  return row === null ? null : endpointOf(row);
}

export async function getEndpoint(webhooks: Webhooks, id: string): Promise<EndpointView | null> {
  const row = await findRow(webhooks.pool, webhooks, id);
  return row === null ? null : viewOf(row);
}

async function findRow(client: Queries, { schema }: Webhooks, id: string): Promise<Row | null> {
  const { rows } = await client.query<Row>(
    `select ${COLUMNS} from ${schema}.endpoints where id = $1 and status = 'open'`,
    [id],
  );
  return rows[0] ?? null;
}

const LIST = 'webhook-endpoints';

/** The newest first. */
export async function listEndpoints(
  { pool, schema }: Webhooks,
  query: PageQuery,
): Promise<PageOf<EndpointView>> {
  const size = sizeOf(query);
  const { rows } = await pool.query<Row>(
    `select ${COLUMNS} from ${schema}.endpoints
     where status = 'open' and ($1::bigint is null or start_position < $1)
     order by start_position desc limit $2`,
    [decodeNumber(LIST, query), size + 1],
  );
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  const next_cursor =
    rows.length > size && last !== undefined ? encodeCursor(LIST, last.start_position) : null;
  return { data: shown.map(viewOf), next_cursor };
}

/** As other lists bound it. */
export const sizeOf = ({ pageSize = PAGE_SIZE_DEFAULT }: PageQuery): number =>
  Math.min(PAGE_SIZE_MAX, Math.max(1, Math.trunc(pageSize)));

function endpointOf(row: Row): EndpointRow {
  const { id, status, url, events, scope, account, paused } = row;
  return {
    id,
    revision: Number(row.revision),
    status,
    url,
    events,
    scope,
    account,
    paused,
    startPosition: BigInt(row.start_position),
  };
}

function viewOf({
  id,
  url,
  events,
  scope,
  account,
  paused,
  created_at,
  failures,
  open_until,
}: Row): EndpointView {
  return {
    id,
    url,
    events,
    scope,
    account,
    active: paused === null,
    paused,
    created_at: created_at.toISOString(),
    failures,
    resting_until: open_until?.toISOString() ?? null,
  };
}
