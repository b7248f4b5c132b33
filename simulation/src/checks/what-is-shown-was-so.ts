/** Advice may be given on an old state, but on one that the stream has had (rule 1): what is decided meanwhile is not in it. */
import { emptyState, refold } from '../refold.ts';
import { broken, type Evidence, historyOf } from './evidence.ts';

export function whatIsShownWasSo(evidence: Evidence): void {
  for (const { account, revision, available, held, debt } of evidence.world.history.shown) {
    const state = emptyState();
    for (const event of historyOf(evidence, account).events.slice(0, revision + 1)) refold(state, event);
    if (state.available !== available || state.held !== held || state.debt !== debt)
      broken('what is shown was so', { account, revision, available, held, debt, was: state.available });
  }
}
