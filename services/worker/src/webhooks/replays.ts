/** Replays from a position, a step at a time, each step with how far it has come in one transaction. */
import type { EventStore } from '@tallystick/event-store';
import { inTransaction } from '@tallystick/projections';
import { queueDeliveries, readEndpoints, type Webhooks } from '@tallystick/webhooks';
import { BEGIN, CATEGORIES, concerns, deliveryOf, type Moved, PAGE } from './telling.ts';

export interface ReplayParts {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly webhooks: Webhooks;
  readonly now?: () => number;
}

interface Replay {
  readonly id: string;
  readonly endpoint: string;
  readonly from_position: string;
  readonly until_position: string;
  readonly cursor: string | null;
}

/** One step of the oldest replay that nobody else is at. */
export async function moveReplays({ store, webhooks, now = Date.now }: ReplayParts): Promise<Moved> {
  const { pool, schema } = webhooks;
  return inTransaction(pool, BEGIN, async (client) => {
    const { rows } = await client.query<Replay>(
      `select id, endpoint, from_position, until_position, cursor from ${schema}.replays
       where finished_at is null order by id limit 1 for update skip locked`,
    );
    const [replay] = rows;
    if (replay === undefined) return { queued: 0, more: false };
    const endpoint = (await readEndpoints(client, webhooks)).get(replay.endpoint);
    const page = await store.readAll({ after: replay.cursor, limit: PAGE, categories: CATEGORIES });
    const from = BigInt(replay.from_position);
    const until = BigInt(replay.until_position);
    const deliveries =
      endpoint?.status !== 'open'
        ? []
        : page.events
            .filter(({ position }) => position >= from && position <= until)
            .filter((event) => concerns(endpoint, event))
            .map((event) => deliveryOf(endpoint, event));
    const queued = await queueDeliveries(client, webhooks, deliveries, now(), { replay: true });
    const isDone = endpoint?.status !== 'open' || page.atEnd || page.position >= until;
    await client.query(
      `update ${schema}.replays set cursor = $2, queued = queued + $3, finished_at = $4 where id = $1`,
      [replay.id, page.cursor, queued, isDone ? new Date(now()) : null],
    );
    return { queued, more: true };
  });
}
