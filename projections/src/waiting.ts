/**
 * Readers that wait until the read models have come far enough. In the projector's own process it tells them; elsewhere
 * a notification per batch does, with a look now and then, because notifications get lost with their connection.
 */

/** What a reader wants to have been folded: everything up to a position, or an account's events up to a revision. */
export type Wanted = { readonly position: bigint } | { readonly account: string; readonly revision: number };

interface Waiter {
  readonly wanted: Wanted;
  readonly settle: (reached: boolean) => void;
}

/** Those who wait. Whoever owns it says how far things have come. */
export class WaitingList {
  readonly #waiters = new Set<Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves true when it is reached, false when the time is over. */
  wait(wanted: Wanted, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        wanted,
        settle: (reached) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(reached);
        },
      };
      const timer = setTimeout(() => waiter.settle(false), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** The accounts that somebody waits for. */
  accounts(): string[] {
    const accounts = new Set<string>();
    for (const { wanted } of this.#waiters) if ('account' in wanted) accounts.add(wanted.account);
    return [...accounts];
  }

  /** Lets go whoever has what they wait for. */
  reached(position: bigint, revisionOf: (account: string) => number | undefined): void {
    for (const { wanted, settle } of this.#waiters) {
      if ('position' in wanted) {
        if (wanted.position <= position) settle(true);
      } else if ((revisionOf(wanted.account) ?? -1) >= wanted.revision) settle(true);
    }
  }

  giveUp(): void {
    for (const { settle } of this.#waiters) settle(false);
  }
}
