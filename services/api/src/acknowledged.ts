/** What this process has acknowledged and the read models may not have yet: a customer's own write is seen by their next read. */

export interface Acknowledged {
  note(account: string, revision: number): void;
  /** Undefined: nothing to wait for. */
  of(account: string): number | undefined;
  /** The read models have it. */
  seen(account: string, revision: number): void;
}

export function rememberAcknowledged(accountsMax = 20_000): Acknowledged {
  const revisions = new Map<string, number>();
  return {
    note(account, revision) {
      const known = revisions.get(account);
      if (known !== undefined && known >= revision) return;
      if (known === undefined && revisions.size >= accountsMax) {
        // The oldest: it has been written to the read models long ago.
        for (const oldest of revisions.keys()) {
          revisions.delete(oldest);
          break;
        }
      }
      revisions.set(account, revision);
    },
    of: (account) => revisions.get(account),
    seen(account, revision) {
      const known = revisions.get(account);
      if (known !== undefined && known <= revision) revisions.delete(account);
    },
  };
}
