/**
 * What is sent: an event as the endpoint's scope may see it, signed by the Standard Webhooks scheme. It is made from the
 * stored event each time it is sent, so it is the same to the byte over all attempts, and says nothing that the
 * endpoint may not see any more (P8).
 *
 *   {"type", "timestamp", "data": {"account", "entry_id", "revision", "position", …the event's own data, "facts"?}}
 */
import { entryId, type WebhookScope } from '@tallystick/domain';
import { decodeEvent, type RecordedEvent, splitStream } from '@tallystick/event-store';
import { Webhook } from 'standardwebhooks';
import { TEST_TYPE } from './event-types.ts';
import type { Letter } from './send.ts';

export interface Message {
  /** The same over all attempts: what a receiver tells repeats by. */
  readonly id: string;
  readonly body: string;
}

/** @param position the store's own, as the API writes positions */
export function messageOf(
  recorded: RecordedEvent,
  { id: endpoint, scope }: { readonly id: string; readonly scope: WebhookScope },
  formatPosition: (position: bigint) => string,
): Message {
  const { data, facts, stream, revision, position } = decodeEvent(recorded);
  const { v: _, recorded_at: timestamp, ...said } = data as { v: number; recorded_at: string };
  const place = {
    account: splitStream(stream).id,
    entry_id: entryId(stream, revision),
    revision,
    position: formatPosition(position),
  };
  // Twice: first in the order of reading, and nothing that an event says of itself may pass for its place.
  const shown = { ...place, ...said, ...place, ...(scope === 'finance' ? { facts } : {}) };
  return {
    id: messageId(endpoint, place.entry_id),
    body: JSON.stringify({ type: recorded.type, timestamp, data: shown }),
  };
}

/** @param at milliseconds since 1970 */
export function testMessage(endpoint: string, delivery: string, at: number): Message {
  const data = { endpoint, delivery };
  const timestamp = new Date(at).toISOString();
  return {
    id: messageId(endpoint, delivery),
    body: JSON.stringify({ type: TEST_TYPE, timestamp, data }),
  };
}

/** A full stop parts what is signed, so an id has none. */
const messageId = (endpoint: string, what: string): string => `${endpoint}:${what}`.replaceAll('.', '%2E');

/**
 * Signs for an attempt at a time.
 * @param secrets `whsec_…`; while one follows on another both sign, and either verifies
 */
export function letterOf(
  url: string,
  { id, body }: Message,
  secrets: readonly string[],
  now: number,
): Letter {
  const at = new Date(now);
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, at, body));
  return {
    url,
    body,
    headers: {
      'content-type': 'application/json',
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'Tallystick-Webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / 1_000)),
      'webhook-signature': signatures.join(' '),
    },
  };
}
