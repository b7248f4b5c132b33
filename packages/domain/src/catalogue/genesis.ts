/** The first event of a store: who it is. Read models carry the same id and refuse another store's (rule 10). */
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import { quiet, unknownEvent } from './quiet.ts';

export interface LedgerOpened extends DomainEvent {
  readonly type: 'LedgerOpened';
  readonly data: {
    readonly store_id: string;
    /** Born with a clock that may be moved, for good (rule 35). */
    readonly test_clock: boolean;
    /** High digits of every position of the API; grows when a store is restored or moved (rule 16). */
    readonly epoch: number;
  };
  readonly facts: object;
}

export interface OpenLedger extends CommandKey {
  readonly type: 'OpenLedger';
  readonly storeId: string;
  /** Of a new store only, and for good; false where left out. */
  readonly testClock?: boolean;
}

export interface GenesisState {
  ledger: LedgerOpened['data'] | null;
}

export const GENESIS_ID = 'genesis';

export const genesisDecider: Decider<GenesisState, OpenLedger, LedgerOpened, never> = {
  ...quiet,
  category: 'ledger',
  foldVersion: 1,
  initial: () => ({ ledger: null }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    if (event.type !== 'LedgerOpened') throw unknownEvent('genesis', event);
    state.ledger = event.data;
  },
  decide(state, command) {
    if (state.ledger !== null) return { kind: 'unchanged' };
    const data = { store_id: command.storeId, test_clock: command.testClock ?? false, epoch: 0 };
    return { kind: 'accepted', events: [{ type: 'LedgerOpened', key: null, data, facts: {} }] };
  },
};
