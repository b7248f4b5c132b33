/** The stream of one price book: its versions, dated, for ever (P7). Costs are in the facts: owners never see them. */
import { canonical } from '../canonical.ts';
import type { CommandKey, Decider, DomainEvent } from '../decider.ts';
import type { PriceBookContent } from '../pricing/price-book.ts';
import { quiet, unknownEvent } from './quiet.ts';

export interface PriceBookPublished extends DomainEvent {
  readonly type: 'PriceBookPublished';
  readonly data: { readonly name: string; readonly version: number; readonly effective_from: string };
  readonly facts: { readonly book: PriceBookContent };
}

/** The content has been compiled by then: a book that cannot be compiled is never published. */
export interface PublishPriceBook extends CommandKey {
  readonly type: 'PublishPriceBook';
  readonly content: PriceBookContent;
  /** Null: from now on. */
  readonly effectiveFrom: number | null;
}

export interface PriceBookState {
  readonly name: string;
  version: number;
  effectiveFrom: string | null;
  content: PriceBookContent | null;
}

export const priceBookDecider: Decider<PriceBookState, PublishPriceBook, PriceBookPublished, never> = {
  ...quiet,
  category: 'pricebook',
  foldVersion: 1,
  initial: (name) => ({ name, version: 0, effectiveFrom: null, content: null }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    if (event.type !== 'PriceBookPublished') throw unknownEvent('price-book', event);
    state.version = event.data.version;
    state.effectiveFrom = event.data.effective_from;
    state.content = event.facts.book;
  },
  decide(state, command, { now }) {
    const asked = command.effectiveFrom === null ? null : new Date(command.effectiveFrom).toISOString();
    // "The same content" is that of the latest version only: A, B, A makes three versions (rule 24).
    const same = state.content !== null && canonical(state.content) === canonical(command.content);
    if (same && (asked === null || asked === state.effectiveFrom)) return { kind: 'unchanged' };
    const effective_from = asked ?? new Date(now).toISOString();
    const data = { name: state.name, version: state.version + 1, effective_from };
    return {
      kind: 'accepted',
      events: [{ type: 'PriceBookPublished', key: null, data, facts: { book: command.content } }],
    };
  },
};
