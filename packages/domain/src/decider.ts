/**
 * What a decider is. `decide` is pure: state, command and context in, events or one refusal out; no IO, no clock.
 * `evolve` never refuses: an event has happened. The runner (packages/event-store) does all waiting and writing.
 */

/** An event as the domain sees it. `data` may be shown to the account's owner; `facts` never (P8, rule 15). */
export interface DomainEvent {
  readonly type: string;
  /** Business key claimed for ever by this event in its stream; null where it claims none. */
  readonly key: string | null;
  readonly data: object;
  readonly facts: object;
}

/** A stored event with its place. `recordedAt` is in milliseconds since 1970. */
export type Stored<E extends DomainEvent> = E & {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly recordedAt: number;
  readonly fingerprint: string | null;
};

/** What every command carries beside its own fields. */
export interface CommandKey {
  /** The idempotency key that the command claims; null for commands that are naturally idempotent. */
  readonly key: string | null;
  /** Canonical digest of what the client sent (rule 14); compared when the key exists already. */
  readonly fingerprint: string | null;
}

export interface Context<Catalogue, E extends DomainEvent> {
  /** One time for one append, milliseconds since 1970. */
  readonly now: number;
  /** An immutable picture of the catalogues. */
  readonly catalogue: Catalogue;
  /** True where the catalogue was read to the store's head for this command. */
  readonly catalogueIsFresh: boolean;
  /** Older events that `decide` asked for by `needs`: by key, or by `#revision`. Null: there is none. */
  readonly facts: ReadonlyMap<string, Stored<E> | null>;
}

export type Decision<E extends DomainEvent, R> =
  | { readonly kind: 'accepted'; readonly events: readonly E[] }
  | { readonly kind: 'refused'; readonly refusal: R }
  /** Nothing to record: the state is already what the command wants. Judged at the head like a refusal (rule 1). */
  | { readonly kind: 'unchanged' }
  /** The command is the same fact as this event, recorded under another key; answered as a replay of it. */
  | { readonly kind: 'repeats'; readonly event: Stored<E> }
  /** Cannot decide without these; the runner fetches them and asks again. */
  | { readonly kind: 'needs'; readonly facts: readonly string[]; readonly freshCatalogue: boolean };

export interface Decider<S, C extends CommandKey, E extends DomainEvent, R, Catalogue = unknown> {
  /** Category of its streams: `wallet`. */
  readonly category: string;
  /** Raised whenever `evolve` or the snapshot's shape changes: older snapshots are then folded anew (rule 11). */
  readonly foldVersion: number;
  initial(id: string): S;
  /** A copy that `evolve` may change without touching the original; cheap, it is made once per group. */
  fork(state: S): S;
  /** Applies one event in place; throws on a type or version it does not know. */
  evolve(state: S, event: E, revision: number): void;
  decide(state: S, command: C, context: Context<Catalogue, E>): Decision<E, R>;
  /**
   * What has fallen due by `now`, in the order of its instants, bounded; `more` where a further call would give more
   * (rules 7, 33). Renewals take the terms in force at their own instant, hence the catalogue.
   */
  dues(
    state: S,
    now: number,
    catalogue: Catalogue,
  ): { readonly events: readonly E[]; readonly more: boolean };
  /** JSON text of the state, and back. */
  freeze(state: S): string;
  thaw(id: string, text: string): S;
  /** Rough size in bytes, for the bound on memory (rule 8). */
  weigh(state: S): number;
}
