/**
 * A stored event as the read models take it, read once for all of them. What moved is parsed here, so that no read model
 * parses an amount that another has parsed before.
 */
import {
  CREDITS,
  type DomainEvent,
  type Movement,
  type MovementFacts,
  type Passage,
  parseAmount,
} from '@tallystick/domain';
import { decodeEvent, type RecordedEvent } from '@tallystick/event-store';
import { CannotProject } from './faults.ts';
import { assertKnown } from './known.ts';

/** A move in steps. `paid` is in the steps of the lot's currency; all currencies have the same. */
export interface Flow extends Passage {
  readonly paid: bigint;
}

/** A posting in steps of its unit. */
export interface Leg {
  readonly account: string;
  readonly unit: string;
  readonly steps: bigint;
}

/** One event on its way into the tables. */
export interface Item {
  readonly recorded: RecordedEvent;
  readonly category: string;
  /** The stream's id without the category: of a wallet the account. */
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly type: string;
  readonly key: string | null;
  /** RFC 3339, as the event says it. */
  readonly at: string;
  readonly event: DomainEvent;
  /** Null where the event moves nothing and carries no entry. */
  readonly movement: Movement | null;
  readonly facts: MovementFacts | null;
  readonly flows: readonly Flow[];
  /** The whole entry, in credits and currencies. */
  readonly legs: readonly Leg[];
}

const NO_FLOWS: readonly Flow[] = [];
const NO_LEGS: readonly Leg[] = [];

/** @throws CannotProject where the event is not one that this code knows */
export function readItem(recorded: RecordedEvent): Item {
  const { category, id } = assertKnown(recorded.stream, recorded.revision, recorded.type);
  try {
    const event = decodeEvent(recorded);
    const data = event.data as Partial<Movement> & { readonly recorded_at: string };
    const moves = data.moves !== undefined && data.entry !== undefined;
    const facts = moves ? (event.facts as MovementFacts) : null;
    return {
      recorded,
      category,
      id,
      stream: recorded.stream,
      revision: recorded.revision,
      position: recorded.position,
      type: recorded.type,
      key: recorded.key,
      at: data.recorded_at,
      event,
      movement: moves ? (data as Movement) : null,
      facts,
      flows: facts === null ? NO_FLOWS : readFlows(data as Movement, facts),
      legs: facts === null ? NO_LEGS : readLegs(data as Movement, facts),
    };
  } catch (error) {
    throw new CannotProject(`${recorded.stream}:${recorded.revision} cannot be read`, { cause: error });
  }
}

/** Every currency counts in the same steps, so money of a lot or quota can be parsed without knowing its currency. */
export const ANY_CURRENCY = 'XXX';

function readFlows(movement: Movement, facts: MovementFacts): Flow[] {
  return movement.moves.map(({ lot, from, to, credits }, index) => {
    const paid = facts.paid[index] ?? '0';
    return {
      lot,
      from,
      to,
      credits: parseAmount(credits, CREDITS),
      paid: paid === '0' ? 0n : parseAmount(paid, ANY_CURRENCY),
    };
  });
}

function readLegs({ entry }: Movement, facts: MovementFacts): Leg[] {
  const legs: Leg[] = [];
  for (const { account, unit, amount } of entry)
    legs.push({ account, unit, steps: parseAmount(amount, unit) });
  for (const { account, unit, amount } of facts.entry)
    legs.push({ account, unit, steps: parseAmount(amount, unit) });
  return legs;
}
