/** What clients asked for and what they were told: the outside view that the checkers hold against the store. */
import type {
  CouponCommand,
  CouponEvent,
  CouponRefusal,
  CouponState,
  Wallet,
  WalletEvent,
  WalletRefusal,
} from '@tallystick/domain';
import type { Executed } from '@tallystick/event-store';
import type { PlannedOrder } from './keyed.ts';
import type { Machine } from './process.ts';

export type Answer =
  | Executed<Wallet, WalletEvent, WalletRefusal>
  | { readonly status: 'queue_full' }
  /** The process died, or the answer got lost. */
  | { readonly status: 'lost' };

/** An instant, seen from one stream. */
export interface Sight {
  /** Revision of the stream's last event, -1 for none. */
  readonly head: number;
  /** Milliseconds since the beginning of the world. */
  readonly at: number;
}

/** One try of one order. Its id stands in every event that it makes. */
export interface Attempt {
  readonly id: string;
  readonly order: PlannedOrder;
  /** Whose process was asked. */
  readonly machine: Machine;
  readonly sent: Sight;
  /** When the process had decided; null where nobody knows. */
  decided: Sight | null;
  answer: Answer | null;
}

/** One try of an order to a coupon's stream. */
export interface UseAttempt {
  readonly id: string;
  readonly code: string;
  readonly command: CouponCommand;
  /** Null: none, so nobody knows. */
  answer: Executed<CouponState, CouponEvent, CouponRefusal> | null;
}

/** What a process showed of an account, as advice: it may be old, but it has to be true of some revision. */
export interface Shown {
  readonly account: string;
  readonly revision: number;
  readonly available: bigint;
  readonly held: bigint;
  readonly debt: bigint;
}

export class History {
  /** What was shown. */
  readonly shown: Shown[] = [];
  readonly #attempts: Attempt[] = [];
  readonly uses: UseAttempt[] = [];
  readonly #bugs: string[] = [];

  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }
  /** What processes reported that no fault explains. */
  get bugs(): readonly string[] {
    return this.#bugs;
  }

  begin(client: string, order: PlannedOrder, machine: Machine, sent: Sight): Attempt {
    const attempt: Attempt = {
      id: `${client}-${this.#attempts.length}`,
      order,
      machine,
      sent,
      decided: null,
      answer: null,
    };
    this.#attempts.push(attempt);
    return attempt;
  }

  beginUse(client: string, code: string, command: CouponCommand): UseAttempt {
    const attempt: UseAttempt = { id: `${client}-use-${this.uses.length}`, code, command, answer: null };
    this.uses.push(attempt);
    return attempt;
  }

  noteBug(bug: string): void {
    this.#bugs.push(bug);
  }
}

/** The order has its fate: asking again would only repeat the answer. */
export function isFinal(answer: Answer): boolean {
  return (
    answer.status === 'recorded' ||
    answer.status === 'unchanged' ||
    answer.status === 'refused' ||
    answer.status === 'conflict'
  );
}
