/** Outgoing webhooks, for admins: where they go, and the log of what was sent. */
import type { Page, Paging } from './shapes.ts';
import type { Transport } from './transport.ts';

/** `owner`: what the owner of an account may see; `finance`: costs and money as well. */
export type WebhookScope = 'owner' | 'finance';

export interface NewWebhookEndpoint {
  /** https, to a public address. */
  readonly url: string;
  /** Types of events, or `["*"]`. */
  readonly events: readonly string[];
  readonly scope: WebhookScope;
  /** Of this account alone; left out: of all. */
  readonly account?: string;
}

export interface WebhookEndpointChange {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly scope?: WebhookScope;
  /** False pauses it. */
  readonly active?: boolean;
}

export interface WebhookEndpoint {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly scope: string;
  readonly account: string | null;
  readonly active: boolean;
  /** `by_hand`, or `gone`: the receiver has answered 410. */
  readonly paused: string | null;
  readonly created_at: string;
  /** Attempts in a row that have failed. */
  readonly failures: number;
  readonly resting_until: string | null;
}

export interface CreatedWebhookEndpoint extends WebhookEndpoint {
  /** Shown this once. */
  readonly secret: string;
}

export interface RotatedSecret {
  /** Shown this once. */
  readonly secret: string;
  /** Until then both sign. */
  readonly previous_expires_at: string;
}

export interface WebhookAttempt {
  readonly at: string;
  readonly status: number | null;
  readonly fault: string | null;
  readonly response: string | null;
  readonly took_ms: number;
}

export interface WebhookTest extends WebhookAttempt {
  readonly delivery: string;
  readonly delivered: boolean;
}

/** Positions: everything after `from`, up to `until`. */
export interface WebhookReplay {
  readonly id: string;
  readonly endpoint: string;
  readonly from: string;
  readonly until: string;
}

type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'canceled';

export interface WebhookDelivery {
  readonly id: string;
  readonly endpoint: string;
  readonly type: string;
  readonly account: string | null;
  readonly entry_id: string | null;
  readonly position: string | null;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly replays: number;
  readonly next_attempt_at: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly log: readonly WebhookAttempt[];
}

type Listing = Omit<Paging, 'min_position'>;

export interface WebhookDeliveriesQuery extends Listing {
  readonly endpoint?: string;
  readonly status?: DeliveryStatus;
  readonly type?: string;
  readonly account?: string;
}

interface OfId {
  readonly id: string;
}

export interface WebhookRoutes {
  readonly 'POST /v1/webhook-endpoints': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: NewWebhookEndpoint;
    readonly answers: { readonly 201: CreatedWebhookEndpoint };
  };
  readonly 'GET /v1/webhook-endpoints': {
    readonly path: undefined;
    readonly query: Listing;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<WebhookEndpoint> };
  };
  readonly 'GET /v1/webhook-endpoints/{id}': {
    readonly path: OfId;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: WebhookEndpoint };
  };
  readonly 'PATCH /v1/webhook-endpoints/{id}': {
    readonly path: OfId;
    readonly query: undefined;
    readonly body: WebhookEndpointChange;
    readonly answers: { readonly 200: WebhookEndpoint };
  };
  readonly 'DELETE /v1/webhook-endpoints/{id}': {
    readonly path: OfId;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 204: undefined };
  };
  readonly 'POST /v1/webhook-endpoints/{id}/rotate-secret': {
    readonly path: OfId;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: RotatedSecret };
  };
  readonly 'POST /v1/webhook-endpoints/{id}/test': {
    readonly path: OfId;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: WebhookTest };
  };
  readonly 'POST /v1/webhook-endpoints/{id}/replay': {
    readonly path: OfId;
    readonly query: undefined;
    readonly body: { readonly from: string };
    readonly answers: { readonly 202: WebhookReplay };
  };
  readonly 'GET /v1/webhook-deliveries': {
    readonly path: undefined;
    readonly query: WebhookDeliveriesQuery;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<WebhookDelivery> };
  };
  readonly 'GET /v1/webhook-deliveries/{id}': {
    readonly path: OfId;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: WebhookDelivery };
  };
  readonly 'POST /v1/webhook-deliveries/{id}/replay': {
    readonly path: OfId;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 202: WebhookDelivery };
  };
}

export function webhookEndpointCalls({ send }: Transport) {
  return {
    /** Tried once: it has no id of the caller's, and a second try would make a second endpoint. */
    create(endpoint: NewWebhookEndpoint): Promise<CreatedWebhookEndpoint> {
      return send('POST /v1/webhook-endpoints', { body: endpoint }, { once: true });
    },
    list(query: Listing = {}): Promise<Page<WebhookEndpoint>> {
      return send('GET /v1/webhook-endpoints', { query });
    },
    get(id: string): Promise<WebhookEndpoint> {
      return send('GET /v1/webhook-endpoints/{id}', { path: { id } });
    },
    change(id: string, change: WebhookEndpointChange): Promise<WebhookEndpoint> {
      return send('PATCH /v1/webhook-endpoints/{id}', { path: { id }, body: change });
    },
    /** What has not been sent is canceled. */
    delete(id: string): Promise<undefined> {
      return send('DELETE /v1/webhook-endpoints/{id}', { path: { id } });
    },
    /** Tried once: each try makes another secret, and a receiver may be told of one only. */
    rotateSecret(id: string): Promise<RotatedSecret> {
      return send('POST /v1/webhook-endpoints/{id}/rotate-secret', { path: { id } }, { once: true });
    },
    /** Sends a test now, and tells what came back. Tried once, for as long as a receiver may take. */
    test(id: string): Promise<WebhookTest> {
      const sending = { once: true, withinMs: TEST_MS, tryMs: TEST_MS };
      return send('POST /v1/webhook-endpoints/{id}/test', { path: { id } }, sending);
    },
    /** Sends everything again that has happened since the position. Tried once: each try is a replay of its own. */
    replay(id: string, from: string): Promise<WebhookReplay> {
      return send('POST /v1/webhook-endpoints/{id}/replay', { path: { id }, body: { from } }, { once: true });
    },
  };
}

/** A little more than the longest that a ledger may be set to wait for a receiver. */
const TEST_MS = 65_000;

export function webhookDeliveryCalls({ send }: Transport) {
  return {
    /** The newest first. */
    list(query: WebhookDeliveriesQuery = {}): Promise<Page<WebhookDelivery>> {
      return send('GET /v1/webhook-deliveries', { query });
    },
    get(id: string): Promise<WebhookDelivery> {
      return send('GET /v1/webhook-deliveries/{id}', { path: { id } });
    },
    /** Sends it again, whatever became of it: receivers know it by its id. */
    replay(id: string): Promise<WebhookDelivery> {
      return send('POST /v1/webhook-deliveries/{id}/replay', { path: { id } });
    },
  };
}
