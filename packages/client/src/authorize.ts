/**
 * May this call run? The ledger says so; where it cannot say so in time, the caller's own policy does, and the answer tells
 * which of the two it was.
 */
import { isAnswerLost, LedgerRefused, LedgerUnreachable } from './errors.ts';
import type { HeldTerms } from './holds.ts';
import { openLateVoids } from './late-voids.ts';
import type { QuotaPart, Usage } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface AuthorizeRequest {
  readonly account: string;
  readonly model: string;
  readonly estimate: Usage;
  /** Reserves the credits for `expires_in` seconds; without it the answer is advice. */
  readonly hold?: { readonly id: string; readonly expires_in: number };
}

export interface Authorization {
  readonly allowed: boolean;
  /** The price of what quotas do not cover of the estimate; null where it has none. */
  readonly credits: string | null;
  readonly available: string;
  /** Codes of refusals; empty where it is allowed. */
  readonly reasons: readonly string[];
  /** What quotas would cover, or of a hold cover; left out where they cover nothing. */
  readonly quota?: readonly QuotaPart[];
  /** With `cap_reached`: which of the caps of the plan, the first where there are several. */
  readonly cap?: {
    readonly unit: string;
    readonly model: string;
    readonly amount: string;
    readonly resets_at: string;
  };
  /** The plan's, as they stand now. */
  readonly limits?: {
    readonly requests_per_minute?: {
      readonly limit: number;
      readonly remaining: number;
      readonly resets_at: string;
    };
    readonly concurrent?: { readonly limit: number; readonly open: number };
  };
  /** The plan's class of service. */
  readonly priority?: string;
  /** Seconds until it may be different, where that is known. */
  readonly retry_after?: number;
  readonly hold?: HeldTerms;
  readonly position?: string;
}

/** Fail open or closed: there is no default, because either would surprise somebody. */
export interface Timeout {
  /** For all tries together. */
  readonly timeoutMs: number;
  /** What to answer where the ledger has not decided by then. */
  readonly onTimeout: 'allow' | 'deny';
}

export type Authorized =
  | (Authorization & { readonly decidedBy: 'ledger' })
  | {
      readonly decidedBy: 'policy';
      readonly allowed: boolean;
      readonly credits: null;
      readonly available: null;
      readonly reasons: readonly ['no_decision'] | readonly [];
      /**
       * Why the ledger has not decided. A hold that was asked for may have been placed all the same: denied, it is made
       * void in the background, so ask again under another id; allowed, the settle that names it uses it.
       */
      readonly cause: LedgerRefused | LedgerUnreachable;
    };

export interface AuthorizeRoutes {
  readonly 'POST /v1/authorize': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: AuthorizeRequest;
    readonly answers: { readonly 200: Authorization };
  };
}

/**
 * Without a time-out it answers as any other call does, by the client's own bounds, and throws where nothing came of it.
 * @throws LedgerRefused where the request itself is refused (no such account, a bad key), whatever the policy
 */
export type Authorize = (request: AuthorizeRequest, timeout?: Timeout) => Promise<Authorized>;

export function authorizeCall(transport: Transport): Authorize {
  const lateVoids = openLateVoids(transport);
  return async (request, timeout) => {
    const within = timeout === undefined ? {} : { withinMs: timeout.timeoutMs };
    try {
      const answer = await transport.send('POST /v1/authorize', { body: request }, within);
      return { ...answer, decidedBy: 'ledger' };
    } catch (cause) {
      if (timeout === undefined || !isUndecided(cause)) throw cause;
      const allowed = timeout.onTimeout === 'allow';
      if (!allowed && request.hold !== undefined) lateVoids.add(request.account, request.hold);
      const reasons = allowed ? ([] as const) : (['no_decision'] as const);
      return { decidedBy: 'policy', allowed, credits: null, available: null, reasons, cause };
    }
  };
}

/**
 * An outage, or a ledger that is too busy. Not a 429 of the account's own, such as too many open holds: whoever brings
 * that about must not be let through by it.
 */
function isUndecided(error: unknown): error is LedgerRefused | LedgerUnreachable {
  if (error instanceof LedgerUnreachable) return isAnswerLost(error) || (error.status ?? 0) >= 500;
  return error instanceof LedgerRefused && (error.status >= 500 || error.code === 'queue_full');
}
