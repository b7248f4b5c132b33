/**
 * Endpoints for outgoing webhooks are streams: who was told what, and from when on, stands on the same feed as what is
 * told of. An endpoint is told of the events that follow the one that made it. What it signs with is no event: secrets
 * live in a table and go with the endpoint (rule 17).
 */
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import { quiet, unknownEvent } from './quiet.ts';

/** `owner` sees what the account's owner may see, an event's `data`; `finance` its `facts` as well (P8). */
export const WEBHOOK_SCOPES = ['owner', 'finance'] as const;
export type WebhookScope = (typeof WEBHOOK_SCOPES)[number];

/** All event types that are offered, those too that are offered later. */
export const EVERY_TYPE = '*';

export interface WebhookEndpointTerms {
  readonly id: string;
  readonly url: string;
  /** Types of events, or `*` alone. */
  readonly events: readonly string[];
  readonly scope: WebhookScope;
  /** Null: events of every account. */
  readonly account: string | null;
}

/** `by_hand`, by whoever runs the ledger; `gone`: the receiver has answered 410. */
export type WebhookPause = 'by_hand' | 'gone';

/** What may change. Left out: stays as it is. */
export interface WebhookEndpointChange {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly scope?: WebhookScope;
  /** Null: it is told of what happens; else why it is not. */
  readonly paused?: WebhookPause | null;
}

interface Of<T extends string, D extends object> extends DomainEvent {
  readonly type: T;
  readonly data: D;
  readonly facts: object;
}
export type WebhookEndpointEvent =
  | Of<'WebhookEndpointCreated', WebhookEndpointTerms>
  | Of<'WebhookEndpointChanged', WebhookEndpointChange>
  | Of<'WebhookSecretRotated', { readonly previous_expires_at: string }>
  | Of<'WebhookEndpointDeleted', { readonly id: string }>;

export type WebhookEndpointCommand = CommandKey &
  (
    | { readonly type: 'CreateWebhookEndpoint'; readonly terms: WebhookEndpointTerms }
    | { readonly type: 'ChangeWebhookEndpoint'; readonly change: WebhookEndpointChange }
    /** `previousExpiresAt` in milliseconds since 1970. */
    | { readonly type: 'RotateWebhookSecret'; readonly previousExpiresAt: number }
    | { readonly type: 'DeleteWebhookEndpoint' }
  );

export type WebhookEndpointRefusal =
  | { readonly code: 'webhook_endpoint_not_found' }
  | { readonly code: 'webhook_endpoint_exists' }
  | { readonly code: 'idempotency_conflict' };

export interface WebhookEndpointState {
  readonly id: string;
  status: 'unknown' | 'open' | 'deleted';
  url: string;
  events: readonly string[];
  scope: WebhookScope;
  account: string | null;
  paused: WebhookPause | null;
}

const missing = { kind: 'refused', refusal: { code: 'webhook_endpoint_not_found' } } as const;

export const webhookEndpointDecider: Decider<
  WebhookEndpointState,
  WebhookEndpointCommand,
  WebhookEndpointEvent,
  WebhookEndpointRefusal
> = {
  ...quiet,
  category: 'webhook',
  foldVersion: 1,
  initial: (id) => ({
    id,
    status: 'unknown',
    url: '',
    events: [],
    scope: 'owner',
    account: null,
    paused: null,
  }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    switch (event.type) {
      case 'WebhookEndpointCreated': {
        const { url, events, scope, account } = event.data;
        Object.assign(state, { status: 'open', url, events, scope, account, paused: null });
        return;
      }
      case 'WebhookEndpointChanged': {
        const { url, events, scope, paused } = event.data;
        if (url !== undefined) state.url = url;
        if (events !== undefined) state.events = events;
        if (scope !== undefined) state.scope = scope;
        if (paused !== undefined) state.paused = paused;
        return;
      }
      case 'WebhookSecretRotated':
        return;
      case 'WebhookEndpointDeleted':
        state.status = 'deleted';
        return;
      default:
        throw unknownEvent('webhook-endpoint', event);
    }
  },
  decide(state, command) {
    const accept = (event: WebhookEndpointEvent) => ({ kind: 'accepted', events: [event] }) as const;
    if (command.type === 'CreateWebhookEndpoint') {
      if (state.status !== 'unknown')
        return { kind: 'refused', refusal: { code: 'webhook_endpoint_exists' } };
      return accept({ type: 'WebhookEndpointCreated', key: null, data: command.terms, facts: {} });
    }
    if (state.status === 'unknown') return missing;
    if (command.type === 'DeleteWebhookEndpoint') {
      if (state.status === 'deleted') return { kind: 'unchanged' };
      return accept({ type: 'WebhookEndpointDeleted', key: null, data: { id: state.id }, facts: {} });
    }
    if (state.status === 'deleted') return missing;
    if (command.type === 'ChangeWebhookEndpoint') {
      const data = differing(state, command.change);
      if (Object.keys(data).length === 0) return { kind: 'unchanged' };
      return accept({ type: 'WebhookEndpointChanged', key: null, data, facts: {} });
    }
    const previous_expires_at = new Date(command.previousExpiresAt).toISOString();
    return accept({ type: 'WebhookSecretRotated', key: null, data: { previous_expires_at }, facts: {} });
  },
};

/** Of a change what is not so already. */
function differing(state: WebhookEndpointState, change: WebhookEndpointChange): WebhookEndpointChange {
  const { url, events, scope, paused } = change;
  return {
    ...(url === undefined || url === state.url ? {} : { url }),
    ...(events === undefined || sameTypes(events, state.events) ? {} : { events }),
    ...(scope === undefined || scope === state.scope ? {} : { scope }),
    // Who has paused an endpoint first has paused it: a second reason changes nothing.
    ...(paused === undefined || (paused === null) === (state.paused === null) ? {} : { paused }),
  };
}

const sameTypes = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((type, index) => type === b[index]);
