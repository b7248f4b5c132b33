/** Gives one order of a reactor. Twice is once: each carries a key, or changes nothing the second time. */
import type { Catalogues, CommandKey, Decider, DomainEvent } from '@tallystick/domain';
import type { Runner, Unavailable } from '@tallystick/event-store';
import { ReactionImpossible } from './reaction.ts';

export type Orders = Pick<Runner<Catalogues>, 'execute' | 'find'>;

const PATIENCE_MS = 10_000;
const CAUSE = { actor: 'worker', request: '' };

/**
 * @returns the refusal, where it is refused: for the reactor to know what that means
 * @throws where it is not possible now
 * @throws ReactionImpossible where it will not be by waiting
 */
export async function giveOrder<
  S,
  C extends CommandKey,
  E extends DomainEvent,
  R extends { readonly code: string },
>(runner: Orders, decider: Decider<S, C, E, R, Catalogues>, id: string, command: C): Promise<R | null> {
  const executed = await runner.execute(decider, [{ id, command, cause: CAUSE }], Date.now() + PATIENCE_MS);
  if (executed === 'queue_full') throw new Error('the runner has too much to do');
  const [outcome] = executed;
  switch (outcome?.status) {
    case 'recorded':
    case 'unchanged':
      return null;
    case 'refused':
      return outcome.refusal;
    case 'unavailable':
      if (FINAL.has(outcome.reason))
        throw new ReactionImpossible(`${decider.category}-${id}: ${outcome.reason}`);
      throw new Error(`not possible now: ${outcome.reason}`);
    case 'conflict':
      throw new ReactionImpossible(`${decider.category}-${id}: the order's key says something else already`);
    case undefined:
      throw new Error('every order has an outcome');
  }
}

/** Faults of one stream, or of what is ordered of it. */
const FINAL: ReadonlySet<Unavailable> = new Set(['stream_unreadable', 'append_rejected']);
