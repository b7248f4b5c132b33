/** API keys are streams: a revocation travels on the same feed as price books and holds everywhere (rule 19). */
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import { quiet, unknownEvent } from './quiet.ts';

export const SCOPES = ['usage', 'read', 'manage', 'finance', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface ApiKeyTerms {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** A key with an account acts on that account only: it reads and, with the scope, manages it. */
  readonly account: string | null;
}

interface ApiKeyCreated extends DomainEvent {
  readonly type: 'ApiKeyCreated';
  readonly data: ApiKeyTerms;
  /** SHA-256 of the secret, hex: the secret itself is shown once and kept nowhere. */
  readonly facts: { readonly sha256: string };
}
interface ApiKeyRevoked extends DomainEvent {
  readonly type: 'ApiKeyRevoked';
  readonly data: { readonly id: string };
  readonly facts: object;
}
export type ApiKeyEvent = ApiKeyCreated | ApiKeyRevoked;

export type ApiKeyCommand = CommandKey &
  (
    | { readonly type: 'CreateApiKey'; readonly terms: ApiKeyTerms; readonly sha256: string }
    | { readonly type: 'RevokeApiKey' }
  );

export type ApiKeyRefusal =
  | { readonly code: 'api_key_not_found' }
  | { readonly code: 'api_key_exists' }
  | { readonly code: 'idempotency_conflict' };

export interface ApiKeyState {
  readonly id: string;
  status: 'unknown' | 'active' | 'revoked';
}

export const apiKeyDecider: Decider<ApiKeyState, ApiKeyCommand, ApiKeyEvent, ApiKeyRefusal> = {
  ...quiet,
  category: 'apikey',
  foldVersion: 1,
  initial: (id) => ({ id, status: 'unknown' }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    switch (event.type) {
      case 'ApiKeyCreated':
        state.status = 'active';
        return;
      case 'ApiKeyRevoked':
        state.status = 'revoked';
        return;
      default:
        throw unknownEvent('api-key', event);
    }
  },
  decide(state, command) {
    if (command.type === 'CreateApiKey') {
      if (state.status !== 'unknown') return { kind: 'refused', refusal: { code: 'api_key_exists' } };
      const { terms, sha256 } = command;
      return {
        kind: 'accepted',
        events: [{ type: 'ApiKeyCreated', key: null, data: terms, facts: { sha256 } }],
      };
    }
    if (state.status === 'unknown') return { kind: 'refused', refusal: { code: 'api_key_not_found' } };
    if (state.status === 'revoked') return { kind: 'unchanged' };
    return {
      kind: 'accepted',
      events: [{ type: 'ApiKeyRevoked', key: null, data: { id: state.id }, facts: {} }],
    };
  },
};
