/** How streams of one category are folded: a decider with its types closed over, so that they can stand in a list. */
import { type CommandKey, type Decider, type DomainEvent, walletDecider } from '@tallystick/domain';
import { decodeEvent, type RecordedEvent } from '@tallystick/event-store';

/** Of the wallets' snapshots that are taken and read now. */
export const WALLET_FOLD_VERSION = walletDecider.foldVersion;

export interface StreamFolder {
  readonly category: string;
  readonly foldVersion: number;
  /** From a frozen state, or from nothing. */
  begin(id: string, frozen: string | null): Folding;
}

export interface Folding {
  /** Throws on an event that the decider does not know. */
  apply(event: RecordedEvent): void;
  freeze(): string;
}

export function folderOf<S, C extends CommandKey, E extends DomainEvent, R, K>(
  decider: Decider<S, C, E, R, K>,
): StreamFolder {
  return {
    category: decider.category,
    foldVersion: decider.foldVersion,
    begin(id, frozen) {
      const state = frozen === null ? decider.initial(id) : decider.thaw(id, frozen);
      return {
        apply: (event) => decider.evolve(state, decodeEvent<E>(event), event.revision),
        freeze: () => decider.freeze(state),
      };
    },
  };
}
