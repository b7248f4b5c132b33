/** An account's name and metadata: personal data, kept out of the wallet's chain so that it can be deleted (rule 17). */
import { canonical } from '../canonical.ts';
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import { quiet, unknownEvent } from './quiet.ts';

export interface ProfileSet extends DomainEvent {
  readonly type: 'ProfileSet';
  readonly data: { readonly account: string; readonly name: string | null };
  readonly facts: { readonly metadata: object | null };
}

export interface SetProfile extends CommandKey {
  readonly type: 'SetProfile';
  /** Left out: stays as it is. */
  readonly name?: string | null;
  readonly metadata?: object | null;
}

export interface ProfileState {
  readonly account: string;
  name: string | null;
  metadata: object | null;
}

export const profileDecider: Decider<ProfileState, SetProfile, ProfileSet, never> = {
  ...quiet,
  category: 'profile',
  foldVersion: 1,
  initial: (account) => ({ account, name: null, metadata: null }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    if (event.type !== 'ProfileSet') throw unknownEvent('profile', event);
    state.name = event.data.name;
    state.metadata = event.facts.metadata;
  },
  decide(state, command) {
    const name = command.name === undefined ? state.name : command.name;
    const metadata = command.metadata === undefined ? state.metadata : command.metadata;
    if (name === state.name && canonical(metadata) === canonical(state.metadata))
      return { kind: 'unchanged' };
    const data = { account: state.account, name };
    return { kind: 'accepted', events: [{ type: 'ProfileSet', key: null, data, facts: { metadata } }] };
  },
};
