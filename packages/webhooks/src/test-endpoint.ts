/** Tries an endpoint out: one message, sent now, whatever state the endpoint is in; and what came back. */
import { type AttemptView, attemptOf, closeTest, deliveryId, isDelivered, openTest } from './deliveries.ts';
import type { EndpointRow } from './endpoints.ts';
import { letterOf, testMessage } from './message.ts';
import { readSecrets } from './secrets.ts';
import { send } from './send.ts';
import type { Webhooks } from './webhooks.ts';

export interface Tried extends AttemptView {
  readonly delivery: string;
  readonly delivered: boolean;
}

export async function testEndpoint(
  webhooks: Webhooks,
  { id, url }: Pick<EndpointRow, 'id' | 'url'>,
  now: number,
): Promise<Tried> {
  const secrets = await readSecrets(webhooks.pool, webhooks, id, now);
  const row = await openTest(webhooks, id, now);
  const delivery = deliveryId(row);
  const sent = await send(letterOf(url, testMessage(id, delivery, now), secrets, now), webhooks.sending);
  await closeTest(webhooks, row, sent, now);
  return { delivery, delivered: isDelivered(sent), ...attemptOf(sent, now) };
}
