/**
 * The stream of one plan: its versions, dated, for ever. Nobody's terms change by a new version: who has subscribed keeps
 * a copy of what they bought until renewal. No version is dated back, because renewals that have fallen due by then took
 * the one in force at their own instant (billing rule 1). All of it may be seen by subscribers; no supplier's cost is in it.
 */
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import { type IncludedLine, type PlanTerms, TOKEN_DIMENSIONS } from '../plans/terms.ts';
import { DEFAULT_BOOK } from '../pricing/price-books.ts';
import { quiet, unknownEvent } from './quiet.ts';
import { isSameContent, withoutDefaults } from './same-content.ts';

export interface PlanPublished extends DomainEvent {
  readonly type: 'PlanPublished';
  readonly data: {
    readonly id: string;
    readonly version: number;
    readonly effective_from: string;
    readonly terms: PlanTerms;
  };
  readonly facts: object;
}

/** The terms have been compiled by then: a plan that cannot be compiled is never published. */
export interface PublishPlan extends CommandKey {
  readonly type: 'PublishPlan';
  readonly terms: PlanTerms;
  /** Null: from now on. */
  readonly effectiveFrom: number | null;
  /** Only where the plan has no version yet: what a ledger is born with never overwrites what somebody has edited. */
  readonly onlyFirst?: boolean;
}

export type PlanRefusal = {
  readonly code: 'effective_from_in_past';
  readonly effective_from: string;
  readonly now: string;
};

export interface PlanState {
  readonly id: string;
  version: number;
  effectiveFrom: string | null;
  terms: PlanTerms | null;
}

export const planDecider: Decider<PlanState, PublishPlan, PlanPublished, PlanRefusal> = {
  ...quiet,
  category: 'plan',
  foldVersion: 1,
  initial: (id) => ({ id, version: 0, effectiveFrom: null, terms: null }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    if (event.type !== 'PlanPublished') throw unknownEvent('plan', event);
    state.version = event.data.version;
    state.effectiveFrom = event.data.effective_from;
    state.terms = event.data.terms;
  },
  decide(state, { terms, effectiveFrom, onlyFirst = false }, { now: at }) {
    const now = new Date(at).toISOString();
    const asked = effectiveFrom === null ? null : new Date(effectiveFrom).toISOString();
    if (onlyFirst && state.version > 0) return { kind: 'unchanged' };
    // As with price books: "the same content" is that of the latest version only (rule 24).
    const same = isSameContent(state.terms, terms, plainPlan);
    if (same && (asked === null || asked === state.effectiveFrom)) return { kind: 'unchanged' };
    if (effectiveFrom !== null && effectiveFrom < at) {
      const refusal = { code: 'effective_from_in_past', effective_from: asked ?? now, now } as const;
      return { kind: 'refused', refusal };
    }
    const data = { id: state.id, version: state.version + 1, effective_from: asked ?? now, terms };
    return { kind: 'accepted', events: [{ type: 'PlanPublished', key: null, data, facts: {} }] };
  },
};

/** What the members that may be left out say where they are. */
const DEFAULTS: Partial<PlanTerms> = {
  anchor: 'subscription',
  features: [],
  trial_days: 0,
  caps: [],
  overage_multiplier: '1',
  overage_prices: {},
  price_book: DEFAULT_BOOK,
  refund_on_cancel: false,
  default_plan: false,
  active: true,
};

function plainPlan(terms: PlanTerms): object {
  return { ...withoutDefaults(terms, DEFAULTS), included: terms.included.map(plainLine) };
}

/** Dimensions are a set, and all of them is what a line in tokens counts anyway. */
function plainLine(line: IncludedLine): object {
  if (line.counted_dimensions === undefined) return line;
  const counted_dimensions = line.counted_dimensions.toSorted();
  return withoutDefaults(
    { ...line, counted_dimensions },
    { counted_dimensions: TOKEN_DIMENSIONS.toSorted() },
  );
}
