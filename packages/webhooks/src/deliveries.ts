/** The log of deliveries: what was to be sent to whom, what became of each attempt, and sending it again. */
import { decodeNumber, encodeCursor, type PageOf, type PageQuery } from '@tallystick/projections';
import type { ClientBase, Pool } from 'pg';
import { sizeOf } from './endpoints.ts';
import { TEST_TYPE } from './event-types.ts';
import type { Sent } from './send.ts';
import type { Webhooks } from './webhooks.ts';

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'canceled'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What is not delivered by then is given up, whatever the schedule says: an endpoint that rests has few attempts. */
export const GIVE_UP_MS = 5 * 24 * 3_600_000;

/** One attempt, as the log keeps it. */
export interface AttemptView {
  readonly at: string;
  /** Null where there was no answer. */
  readonly status: number | null;
  /** Why there was none. */
  readonly fault: string | null;
  readonly response: string | null;
  readonly took_ms: number;
}

export interface DeliveryView {
  readonly id: string;
  readonly endpoint: string;
  readonly type: string;
  readonly account: string | null;
  /** The event; null for a test. */
  readonly entry_id: string | null;
  /** The store's own. */
  readonly position: string | null;
  readonly status: DeliveryStatus;
  /** Since it was made, or replayed. */
  readonly attempts: number;
  readonly replays: number;
  readonly next_attempt_at: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
  /** The last ones, in their order. */
  readonly log: readonly AttemptView[];
}

export interface DeliveriesQuery extends PageQuery {
  readonly endpoint?: string | undefined;
  readonly status?: DeliveryStatus | undefined;
  readonly type?: string | undefined;
  readonly account?: string | undefined;
}

export interface DeliveryRow {
  readonly id: string;
  readonly endpoint: string;
  readonly type: string;
  readonly account: string | null;
  readonly stream: string | null;
  readonly revision: string | null;
  readonly position: string | null;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly replays: number;
  readonly next_attempt_at: Date | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly log: readonly AttemptView[];
}

type Queries = Pick<ClientBase | Pool, 'query'>;

const COLUMNS = `id, endpoint, type, account, stream, revision, position, status, attempts, replays, next_attempt_at,
  created_at, finished_at, log`;

/** Outside, an id says of what it is. */
export const deliveryId = (id: string): string => `whd_${id}`;

/** Null where it cannot be the id of a delivery. */
const rowId = (id: string): string | null => /^whd_([1-9]\d{0,17})$/.exec(id)?.[1] ?? null;

const LIST = 'webhook-deliveries';

/** The newest first. */
export async function listDeliveries(
  { pool, schema }: Webhooks,
  query: DeliveriesQuery,
): Promise<PageOf<DeliveryView>> {
  const size = sizeOf(query);
  const { endpoint = null, status = null, type = null, account = null } = query;
  const { rows } = await pool.query<DeliveryRow>(
    `select ${COLUMNS} from ${schema}.deliveries
     where ($1::bigint is null or id < $1) and ($3::text is null or endpoint = $3)
       and ($4::text is null or status = $4) and ($5::text is null or type = $5)
       and ($6::text is null or account = $6)
     order by id desc limit $2`,
    [decodeNumber(LIST, query), size + 1, endpoint, status, type, account],
  );
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  const next_cursor = rows.length > size && last !== undefined ? encodeCursor(LIST, last.id) : null;
  return { data: shown.map(viewOf), next_cursor };
}

export async function getDelivery({ pool, schema }: Webhooks, id: string): Promise<DeliveryView | null> {
  const { rows } = await pool.query<DeliveryRow>(
    `select ${COLUMNS} from ${schema}.deliveries where id = $1`,
    [rowId(id)],
  );
  return rows[0] === undefined ? null : viewOf(rows[0]);
}

/**
 * To be sent again, whatever became of it, with attempts as at first. One that is on its way just now may arrive twice.
 * @returns null where there is no such delivery, or its endpoint is there no more
 */
export async function replayDelivery(
  { pool, schema }: Webhooks,
  id: string,
  now: number,
): Promise<DeliveryView | null> {
  const { rows } = await pool.query<DeliveryRow>(
    `update ${schema}.deliveries set ${AGAIN}
     where id = $1 and exists (select from ${schema}.endpoints e where e.id = endpoint and e.status = 'open')
     returning ${COLUMNS}`,
    [rowId(id), new Date(now), new Date(now + GIVE_UP_MS)],
  );
  return rows[0] === undefined ? null : viewOf(rows[0]);
}

/** $2: now · $3: when it is given up. The lease goes: what the attempt under way comes to is not written. */
const AGAIN = `status = 'pending', attempts = 0, replays = deliveries.replays + 1, next_attempt_at = $2,
  gives_up_at = $3, lease = null, finished_at = null`;

export interface NewDelivery {
  readonly endpoint: string;
  readonly type: string;
  readonly account: string | null;
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
}

/**
 * To be sent now. A row that is there already stays as it is, so that what is queued twice is sent once; a replay sends
 * it again, unless it is waiting to be sent anyway.
 */
export async function queueDeliveries(
  client: Queries,
  { schema }: Pick<Webhooks, 'schema'>,
  deliveries: readonly NewDelivery[],
  now: number,
  { replay }: { readonly replay: boolean },
): Promise<number> {
  if (deliveries.length === 0) return 0;
  const { rowCount } = await client.query(
    `insert into ${schema}.deliveries
       (endpoint, type, account, stream, revision, position, status, next_attempt_at, gives_up_at, created_at)
     select d.endpoint, d.type, d.account, d.stream, d.revision, d.position, 'pending', $2, $3, $2
     from jsonb_to_recordset($1) as
       d (endpoint text, type text, account text, stream text, revision bigint, position bigint)
     on conflict (endpoint, stream, revision) do
       ${replay ? `update set ${AGAIN} where deliveries.status <> 'pending'` : 'nothing'}`,
    [
      JSON.stringify(deliveries.map((delivery) => ({ ...delivery, position: delivery.position.toString() }))),
      new Date(now),
      new Date(now + GIVE_UP_MS),
    ],
  );
  return rowCount ?? 0;
}

/** A test in the log. It is sent at once, by whoever has asked, and never by itself. @returns its id, to send it by */
export async function openTest({ pool, schema }: Webhooks, endpoint: string, now: number): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into ${schema}.deliveries (endpoint, type, status, created_at, finished_at)
     values ($1, $2, 'failed', $3, $3) returning id`,
    [endpoint, TEST_TYPE, new Date(now)],
  );
  return rows[0]?.id ?? '';
}

export async function closeTest(
  { pool, schema }: Webhooks,
  id: string,
  sent: Sent,
  at: number,
): Promise<void> {
  await pool.query(
    `update ${schema}.deliveries set status = $2, attempts = 1, finished_at = $3,
       log = jsonb_build_array($4::jsonb) where id = $1`,
    [id, isDelivered(sent) ? 'delivered' : 'failed', new Date(at + sent.tookMs), attemptText(sent, at)],
  );
}

export const isDelivered = (sent: Sent): boolean =>
  sent.kind === 'answered' && sent.status >= 200 && sent.status < 300;

export function attemptOf(sent: Sent, at: number): AttemptView {
  return {
    at: new Date(at).toISOString(),
    status: sent.kind === 'answered' ? sent.status : null,
    fault: sent.kind === 'answered' ? null : sent.fault,
    response: sent.kind === 'answered' ? sent.response : null,
    took_ms: sent.tookMs,
  };
}

export const attemptText = (sent: Sent, at: number): string => JSON.stringify(attemptOf(sent, at));

function viewOf({
  stream,
  revision,
  next_attempt_at,
  created_at,
  finished_at,
  ...row
}: DeliveryRow): DeliveryView {
  return {
    ...row,
    id: deliveryId(row.id),
    entry_id: stream === null ? null : `${stream}:${revision}`,
    next_attempt_at: next_attempt_at?.toISOString() ?? null,
    created_at: created_at.toISOString(),
    finished_at: finished_at?.toISOString() ?? null,
  };
}
