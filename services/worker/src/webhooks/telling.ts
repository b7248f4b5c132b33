/** Who is told of what: the same for what happens now and for what is told again. */
import { webhookEndpointDecider } from '@tallystick/domain';
import { type RecordedEvent, splitStream } from '@tallystick/event-store';
import { type EndpointRow, isWanted, type NewDelivery, OFFERED_CATEGORIES } from '@tallystick/webhooks';

/** What one step came to. */
export interface Moved {
  readonly queued: number;
  /** Whether there was more than one step's worth. */
  readonly more: boolean;
}

/** What is read of the feed. A cursor is good for the same reads again: replays read the same. */
export const CATEGORIES: readonly string[] = [...OFFERED_CATEGORIES, webhookEndpointDecider.category];

/** Events of one step, at most. */
export const PAGE = 4_000;

/** Of every transaction here: none may hang for ever on what it holds. */
export const BEGIN = `begin; set local statement_timeout = '30s';
  set local idle_in_transaction_session_timeout = '60s'`;

/** Whether an endpoint is told of an event that happens now. */
export function isToldOf(endpoint: EndpointRow, event: RecordedEvent): boolean {
  const { status, paused, startPosition } = endpoint;
  return status === 'open' && paused === null && event.position > startPosition && concerns(endpoint, event);
}

/** Whether an event is of the types and the account that an endpoint is for. */
export function concerns({ account, events }: EndpointRow, { type, stream }: RecordedEvent): boolean {
  return isWanted(events, type) && (account === null || account === splitStream(stream).id);
}

export function deliveryOf(
  { id: endpoint }: EndpointRow,
  { type, stream, revision, position }: RecordedEvent,
): NewDelivery {
  return { endpoint, type, account: splitStream(stream).id, stream, revision, position };
}
