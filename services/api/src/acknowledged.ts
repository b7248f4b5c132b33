/** What this process has acknowledged and the read models may not have yet: a customer's own write is seen by their next read. */

/** What a read of the account waits for. */
export interface Awaited {
  /** Of the wallet's stream. */
  readonly revision: number | null;
  /** Of the account's other streams: its profile. */
  readonly position: bigint | null;
}

export interface Acknowledged {
  note(account: string, seen: Partial<Awaited>): void;
  /** Undefined: nothing to wait for. */
  of(account: string): Awaited | undefined;
  /** The read models have it. */
  seen(account: string, awaited: Awaited): void;
}

export function rememberAcknowledged(accountsMax = 20_000): Acknowledged {
  const accounts = new Map<string, Awaited>();
  return {
    note(account, { revision = null, position = null }) {
      const known = accounts.get(account);
      if (known === undefined && accounts.size >= accountsMax) {
        // The oldest: it has been written to the read models long ago.
        for (const oldest of accounts.keys()) {
          accounts.delete(oldest);
          break;
        }
      }
      accounts.set(account, {
        revision: later(known?.revision, revision),
        position: later(known?.position, position),
      });
    },
    of: (account) => accounts.get(account),
    seen(account, awaited) {
      // Something newer may have been noted meanwhile.
      if (accounts.get(account) === awaited) accounts.delete(account);
    },
  };
}

function later<T extends number | bigint>(known: T | null | undefined, noted: T | null): T | null {
  if (known == null) return noted;
  return noted === null || known > noted ? known : noted;
}
