/** The stream of one package: its versions, for ever. A purchase keeps the terms of the version that it was made on. */
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import type { PackageTerms } from './package-terms.ts';
import { quiet, unknownEvent } from './quiet.ts';
import { isSameContent, withoutDefaults } from './same-content.ts';

export interface PackagePublished extends DomainEvent {
  readonly type: 'PackagePublished';
  readonly data: { readonly id: string; readonly version: number; readonly terms: PackageTerms };
  readonly facts: object;
}

/** The terms have been checked by then. In force at once. */
export interface PublishPackage extends CommandKey {
  readonly type: 'PublishPackage';
  readonly terms: PackageTerms;
  /** Only where the package has no version yet. */
  readonly onlyFirst?: boolean;
}

export interface PackageState {
  readonly id: string;
  version: number;
  terms: PackageTerms | null;
}

export const packageDecider: Decider<PackageState, PublishPackage, PackagePublished, never> = {
  ...quiet,
  category: 'package',
  foldVersion: 1,
  initial: (id) => ({ id, version: 0, terms: null }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    if (event.type !== 'PackagePublished') throw unknownEvent('package', event);
    state.version = event.data.version;
    state.terms = event.data.terms;
  },
  decide(state, { terms, onlyFirst = false }) {
    const same = isSameContent(state.terms, terms, plainPackage);
    if (same || (onlyFirst && state.version > 0)) return { kind: 'unchanged' };
    const data = { id: state.id, version: state.version + 1, terms };
    return { kind: 'accepted', events: [{ type: 'PackagePublished', key: null, data, facts: {} }] };
  },
};

function plainPackage(terms: PackageTerms): object {
  return 'rate' in terms
    ? withoutDefaults(terms, { active: true, volume_bonus: [] })
    : withoutDefaults(terms, { active: true, bonus: '0' });
}
