/** API keys, for admins. */
import type { Page, Paging } from './shapes.ts';
import type { Transport } from './transport.ts';

export type Scope = 'usage' | 'read' | 'manage' | 'finance' | 'admin';

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Reads this account alone and, with the scope `manage`, manages it; no other scope goes with it. */
  readonly account?: string;
}

interface KeyTerms {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly account: string | null;
  readonly created_at: string;
}

export interface CreatedApiKey extends KeyTerms {
  /** Shown this once. */
  readonly key: string;
}

export interface ListedApiKey extends KeyTerms {
  readonly revoked_at: string | null;
}

export interface ApiKeyRoutes {
  readonly 'POST /v1/api-keys': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: NewApiKey;
    readonly answers: { readonly 201: CreatedApiKey };
  };
  readonly 'GET /v1/api-keys': {
    readonly path: undefined;
    readonly query: Paging;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<ListedApiKey> };
  };
  readonly 'DELETE /v1/api-keys/{id}': {
    readonly path: { readonly id: string };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 204: undefined };
  };
}

export function apiKeyCalls({ send }: Transport) {
  return {
    /** Tried once: it has no id of the caller's, and a second try would make a second key that nobody knows of. */
    create(key: NewApiKey): Promise<CreatedApiKey> {
      return send('POST /v1/api-keys', { body: key }, { once: true });
    },
    list(query: Paging = {}): Promise<Page<ListedApiKey>> {
      return send('GET /v1/api-keys', { query });
    },
    revoke(id: string): Promise<undefined> {
      return send('DELETE /v1/api-keys/{id}', { path: { id } });
    },
  };
}
