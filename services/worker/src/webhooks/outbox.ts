/**
 * From events to deliveries (billing rule 15). One transaction reads the checkpoint, adds a row for each endpoint that is
 * told of an event, and moves the checkpoint: whatever breaks off in between has done nothing, and of any number of
 * processes one is at work. The feed has the endpoints' own events among those of the wallets, so each endpoint is told
 * of exactly what follows the event that made it.
 */
import {
  type WebhookEndpointEvent,
  type WebhookEndpointState,
  webhookEndpointDecider,
} from '@tallystick/domain';
import {
  decodeEvent,
  type EventStore,
  hashOf,
  type Page,
  type RecordedEvent,
  splitStream,
} from '@tallystick/event-store';
import { inTransaction } from '@tallystick/projections';
import {
  type EndpointRow,
  ForeignWebhooks,
  insertEndpoint,
  type NewDelivery,
  queueDeliveries,
  readEndpoints,
  updateEndpoint,
  type Webhooks,
} from '@tallystick/webhooks';
import type { ClientBase } from 'pg';
import { type Loop, startLoop } from './loop.ts';
import { moveReplays } from './replays.ts';
import { BEGIN, CATEGORIES, deliveryOf, isToldOf, type Moved, PAGE } from './telling.ts';

export interface OutboxParts {
  readonly store: Pick<EventStore, 'readAll' | 'readRevisions' | 'watch'>;
  readonly webhooks: Webhooks;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Told when something has been queued: the sender need not wait for its next look. */
  readonly onQueued?: () => void;
  readonly onError?: (error: unknown) => void;
}

const POLL_MS = 1_000;
const GATHER_MS = 100;
/** A replay begins at most this many events before what it is for. */
const LANDMARK_EVENTS = 10_000n;

/** @returns how to stop it; resolves when the step under way has ended */
export function startOutbox(parts: OutboxParts): Pick<Loop, 'stop'> {
  const { store, onError = () => undefined, onQueued = () => undefined } = parts;
  let known = false;
  const loop = startLoop({
    pauseMs: POLL_MS,
    gatherMs: GATHER_MS,
    onError,
    async work() {
      if (!known) await assertOwnHistory(parts);
      known = true;
      const events = await moveOutbox(parts);
      const replays = await moveReplays(parts);
      if (events.queued + replays.queued > 0) onQueued();
      return events.more || replays.more;
    },
  });
  const unwatch = store.watch(() => loop.wake(), CATEGORIES);
  return {
    async stop() {
      unwatch();
      await loop.stop();
    },
  };
}

interface Checkpoint {
  readonly cursor: string | null;
  readonly stream: string | null;
  readonly revision: string | null;
  readonly hash: string | null;
}

/** One step: the next events after the checkpoint. */
export async function moveOutbox({ store, webhooks, now = Date.now }: OutboxParts): Promise<Moved> {
  const { pool, schema } = webhooks;
  return inTransaction(pool, BEGIN, async (client) => {
    const { rows } = await client.query<Checkpoint>(
      `select cursor from ${schema}.checkpoint for update skip locked`,
    );
    const [checkpoint] = rows;
    // Another process is at it.
    if (checkpoint === undefined) return { queued: 0, more: false };
    const page = await store.readAll({ after: checkpoint.cursor, limit: PAGE, categories: CATEGORIES });
    if (page.cursor === checkpoint.cursor) return { queued: 0, more: false };
    const deliveries = await deliveriesOf(client, webhooks, page.events);
    const queued = await queueDeliveries(client, webhooks, deliveries, now(), { replay: false });
    await moveCheckpoint(client, schema, page);
    return { queued, more: !page.atEnd };
  });
}

async function deliveriesOf(
  client: ClientBase,
  webhooks: Webhooks,
  events: readonly RecordedEvent[],
): Promise<NewDelivery[]> {
  const endpoints = await readEndpoints(client, webhooks);
  const deliveries: NewDelivery[] = [];
  for (const event of events) {
    if (splitStream(event.stream).category === webhookEndpointDecider.category) {
      const endpoint = await learn(client, webhooks, event, endpoints);
      endpoints.set(endpoint.id, endpoint);
    } else {
      for (const endpoint of endpoints.values()) {
        if (isToldOf(endpoint, event)) deliveries.push(deliveryOf(endpoint, event));
      }
    }
  }
  return deliveries;
}

/** An endpoint's own event. The API may have written its row already, at this revision or a later one. */
async function learn(
  client: ClientBase,
  webhooks: Webhooks,
  recorded: RecordedEvent,
  known: ReadonlyMap<string, EndpointRow>,
): Promise<EndpointRow> {
  const event = decodeEvent<WebhookEndpointEvent>(recorded);
  const { id } = splitStream(recorded.stream);
  const { initial, evolve } = webhookEndpointDecider;
  if (event.type === 'WebhookEndpointCreated') {
    const state = initial(id);
    evolve(state, event, event.revision);
    await insertEndpoint(client, webhooks, state, event);
  }
  const row = known.get(id) ?? (await readEndpoints(client, webhooks)).get(id);
  if (row === undefined)
    throw new Error(`${recorded.stream}:${recorded.revision} comes before its first event`);
  if (row.revision >= event.revision) return row;
  const state: WebhookEndpointState = { ...row };
  evolve(state, event, event.revision);
  await updateEndpoint(client, webhooks, state, event.revision);
  const status = state.status === 'deleted' ? 'deleted' : 'open';
  return { ...state, status, revision: event.revision, startPosition: row.startPosition };
}

async function moveCheckpoint(client: ClientBase, schema: string, page: Page): Promise<void> {
  const last = page.events.at(-1);
  const position = page.position.toString();
  await client.query(
    `update ${schema}.checkpoint set cursor = $1, position = $2, stream = coalesce($3, stream),
       revision = coalesce($4, revision), hash = coalesce($5, hash)`,
    [page.cursor, position, last?.stream ?? null, last?.revision ?? null, last ? hashOf(last) : null],
  );
  await client.query(
    `insert into ${schema}.landmarks (position, cursor)
     select $1, $2 where not exists (select from ${schema}.landmarks where position > $1 - ${LANDMARK_EVENTS}::bigint)
     on conflict (position) do nothing`,
    [position, page.cursor],
  );
}

/** A restored log may end before what has been sent of it: then nobody knows what its next events were (rule 10). */
async function assertOwnHistory({ store, webhooks: { pool, schema } }: OutboxParts): Promise<void> {
  const { rows } = await pool.query<Checkpoint>(`select stream, revision, hash from ${schema}.checkpoint`);
  const [{ stream = null, revision = null, hash = null } = {}] = rows;
  if (stream === null || hash === null) return;
  const [event] = await store.readRevisions(stream, [Number(revision)]);
  if (event === undefined || hashOf(event) !== hash)
    throw new ForeignWebhooks(`webhooks have told of ${stream}:${revision}, which the store does not have`);
}
