/**
 * Seals of the whole ledger (rule 15): from time to time one event says, by one Merkle root, what all events were that
 * had come by then. Seals form a stream of their own; its chain ties each to the one before. What a seal says in `data`
 * names nobody, because every customer may keep it; which streams it covers, and up to where, is in the facts.
 */
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import { quiet, unknownEvent } from './quiet.ts';

/** Events `from` to `to` of a stream, and the Merkle root over them, in hex. */
export type SealedRange = readonly [stream: string, from: number, to: number, root: string];

export interface SealContent {
  /** Merkle root over `ranges`, in hex. */
  readonly root: string;
  readonly events: number;
  /** In the order of (stream, from). */
  readonly ranges: readonly SealedRange[];
  /** Of the store: everything up to here is in this seal or in one before. */
  readonly cursor: string;
}

export interface LedgerSealed extends DomainEvent {
  readonly type: 'LedgerSealed';
  readonly data: {
    /** 1, 2, 3, … */
    readonly number: number;
    readonly root: string;
    readonly events: number;
    /** How many; the size of the tree under `root`. */
    readonly ranges: number;
    /** None in the first. */
    readonly previous_root?: string;
  };
  readonly facts: { readonly ranges: readonly SealedRange[]; readonly cursor: string };
}

export interface SealLedger extends CommandKey, SealContent {
  readonly type: 'SealLedger';
  /** The seal that the content follows on; 0 for none. */
  readonly after: number;
}

export interface SealState {
  /** Of the last seal; 0 before the first. */
  number: number;
  root: string | null;
}

export const SEAL_ID = 'ledger';

export const sealDecider: Decider<SealState, SealLedger, LedgerSealed, never> = {
  ...quiet,
  category: 'seal',
  foldVersion: 1,
  initial: () => ({ number: 0, root: null }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    if (event.type !== 'LedgerSealed') throw unknownEvent('seal', event);
    state.number = event.data.number;
    state.root = event.data.root;
  },
  decide(state, { after, root, events, ranges, cursor }) {
    // Somebody else has sealed meanwhile: the same events would be sealed twice.
    if (after !== state.number) return { kind: 'unchanged' };
    const previous = state.root === null ? {} : { previous_root: state.root };
    const data = { number: state.number + 1, root, events, ranges: ranges.length, ...previous };
    return {
      kind: 'accepted',
      events: [{ type: 'LedgerSealed', key: null, data, facts: { ranges, cursor } }],
    };
  },
};
