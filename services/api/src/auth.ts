/**
 * Who calls, and what they may do (rule 19).
 *
 *   usage    report usage, authorize, settle, void, extend, quote
 *   read     accounts, balances, lots, holds, statements, usage: nothing in a currency (P8)
 *   manage   `read`, and what a customer decides for an account of their own: its plan, what it buys
 *   finance  `read`, and everything that moves or shows money: accounts, top-ups, grants, adjustments, reversals,
 *            prices, entries, trial balance
 *   admin    all of these, API keys, plans, packages, coupons
 *
 * A key with an account may read that account only and, with the scope `manage`, manage it. Keys are
 * `tally_<id>_<secret>`; what is stored is the SHA-256 of the whole. The feed of keys must be fresh: without it nobody is
 * let in, for a revocation may have been missed.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Catalogue, KnownKey, TestClock } from '@tallystick/connect';
import type { Scope } from '@tallystick/domain';
import { refuse } from './problems.ts';

export interface Principal {
  /** The key's id; the actor of what it causes. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Null: not bound to one account. */
  readonly account: string | null;
}

const IMPLIED: Readonly<Record<Scope, readonly Scope[]>> = {
  usage: ['usage'],
  read: ['read'],
  manage: ['manage', 'read'],
  finance: ['finance', 'read'],
  admin: ['usage', 'read', 'manage', 'finance', 'admin'],
};

/** The feed of keys and prices may be this old; then nobody is served (rule 24). */
export const STALE_MS = 10_000;
const CACHE_MAX = 10_000;

export function newApiKey(id: string): { key: string; sha256: string } {
  const key = `tally_${id}_${randomBytes(32).toString('base64url')}`;
  return { key, sha256: digest(key) };
}

export const digest = (key: string): string => hash('sha256', key, 'hex');

/** The id of a key that was given to us instead of made by us. */
export const derivedId = (key: string): string => `given-${digest(key).slice(0, 16)}`;

export interface Authenticator {
  /** The caller behind an `Authorization` header. Ends the request with 401 or 503. */
  identify(header: string | undefined): Promise<Principal> | Principal;
}

/** @param clock the one that can be moved, if there is one: without it, too, nobody is served */
export function createAuthenticator(
  catalogue: Catalogue,
  clock: Pick<TestClock, 'ageMs'> | null = null,
): Authenticator {
  const cache = new Map<string, Principal>();
  let cachedVersion = -1;

  function remember(header: string, principal: Principal): Principal {
    if (cache.size >= CACHE_MAX) cache.clear();
    cache.set(header, principal);
    return principal;
  }

  function verify(header: string): Principal | null {
    const key = /^Bearer +([\x21-\x7e]{1,300})$/i.exec(header)?.[1];
    if (key === undefined) return null;
    const known = knownKey(catalogue, key);
    if (known === null || known.revokedAt !== null) return null;
    return {
      id: known.id,
      scopes: new Set(known.scopes.flatMap((scope) => IMPLIED[scope])),
      account: known.account,
    };
  }

  return {
    identify(header) {
      if (catalogue.ageMs() > STALE_MS || (clock !== null && clock.ageMs() > STALE_MS))
        return refuse('catalogue_stale');
      if (cachedVersion !== catalogue.keysVersion) {
        cache.clear();
        cachedVersion = catalogue.keysVersion;
      }
      if (header === undefined) return refuse('unauthorized');
      const cached = cache.get(header);
      if (cached !== undefined) return cached;
      const principal = verify(header);
      if (principal !== null) return remember(header, principal);
      // It may have been made a moment ago by another process. Reads are shared, so guessing does not flood the store.
      return catalogue.fresh().then(
        () => verify(header) ?? refuse('unauthorized'),
        () => refuse('store_unavailable'),
      );
    },
  };
}

function knownKey(catalogue: Catalogue, key: string): KnownKey | null {
  const sha256 = digest(key);
  const named = /^tally_([A-Za-z0-9.@+-]+)_/.exec(key)?.[1];
  for (const id of [named, `given-${sha256.slice(0, 16)}`]) {
    const known = id === undefined ? undefined : catalogue.keys.get(id);
    if (known !== undefined && timingSafeEqual(Buffer.from(known.sha256), Buffer.from(sha256))) return known;
  }
  return null;
}

/** Whether answers may hold what is in a currency, and what reveals it (P8). */
export const seesMoney = ({ scopes }: Principal): boolean => scopes.has('finance');

export const isAdmin = ({ scopes }: Principal): boolean => scopes.has('admin');

/** What a route asks of its caller. */
export interface Access {
  /** One of these suffices. None: the route is open to everyone. */
  readonly scopes: readonly Scope[];
  /** A key that is bound to an account may call it: for its own account in the path, or as the route itself checks. */
  readonly ownAccount?: 'path' | 'checked';
}

/** No scope that a key of one account can have would help. */
export const NOT_FOR_OWNERS = { detail: 'Not with a key of one account.' };

/** Ends the request with 403 where the caller may not. `account` is the one in the path. */
export function allow(principal: Principal, access: Access, account: string | undefined): void {
  const isForOwners = access.ownAccount !== undefined;
  if (principal.account !== null && !isForOwners) refuse('forbidden', NOT_FOR_OWNERS);
  if (!access.scopes.some((scope) => principal.scopes.has(scope))) {
    refuse('forbidden', { required_scopes: access.scopes });
  }
  if (principal.account === null || access.ownAccount === 'checked') return;
  // The same answer whether the other account exists or not.
  if (principal.account !== account) refuse('forbidden');
}
