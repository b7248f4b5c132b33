/**
 * An account's name, metadata and the address that it is warned at: personal data, kept out of the wallet's chain so that
 * it can be deleted (rule 17).
 */
import { canonical } from '../canonical.ts';
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import { quiet, unknownEvent } from './quiet.ts';

export interface ProfileSet extends DomainEvent {
  readonly type: 'ProfileSet';
  readonly data: { readonly account: string; readonly name: string | null };
  /** `email` is left out where there is none. */
  readonly facts: { readonly metadata: object | null; readonly email?: string };
}

export interface SetProfile extends CommandKey {
  readonly type: 'SetProfile';
  /** Left out: stays as it is. */
  readonly name?: string | null;
  readonly metadata?: object | null;
  /** Where warnings are mailed to. */
  readonly email?: string | null;
}

export interface ProfileState {
  readonly account: string;
  name: string | null;
  metadata: object | null;
  email: string | null;
}

export const profileDecider: Decider<ProfileState, SetProfile, ProfileSet, never> = {
  ...quiet,
  category: 'profile',
  foldVersion: 2,
  initial: (account) => ({ account, name: null, metadata: null, email: null }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    if (event.type !== 'ProfileSet') throw unknownEvent('profile', event);
    state.name = event.data.name;
    state.metadata = event.facts.metadata;
    state.email = event.facts.email ?? null;
  },
  decide(state, command) {
    const name = command.name === undefined ? state.name : command.name;
    const metadata = command.metadata === undefined ? state.metadata : command.metadata;
    const email = command.email === undefined ? state.email : command.email;
    if (name === state.name && email === state.email && canonical(metadata) === canonical(state.metadata))
      return { kind: 'unchanged' };
    const data = { account: state.account, name };
    const facts = { metadata, ...(email === null ? {} : { email }) };
    return { kind: 'accepted', events: [{ type: 'ProfileSet', key: null, data, facts }] };
  },
};
