/** What follows from one event, and what is known where it does not. */
import type { DomainEvent } from '@tallystick/domain';
import { decodeEvent, type RecordedEvent, type StoredEvent } from '@tallystick/event-store';

/** What follows from events of some types. Called in the order of a stream's events; may be called twice for one. */
export interface Reactor {
  /** Stands with what is set aside for it: never changed. */
  readonly name: string;
  readonly types: ReadonlySet<string>;
  /**
   * Throws where it is not possible now: then it is asked again.
   * @throws ReactionImpossible where nothing but people will change that
   */
  react(event: StoredEvent<DomainEvent>): Promise<void>;
}

/** No outage: asked again at once it is the same. Nobody else may wait for it. */
export class ReactionImpossible extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'ReactionImpossible';
  }
}

/** @throws ReactionImpossible, or what the reactor throws */
export async function reactTo(reactor: Reactor, recorded: RecordedEvent): Promise<void> {
  let event: StoredEvent<DomainEvent>;
  try {
    event = decodeEvent<DomainEvent>(recorded);
  } catch (cause) {
    throw new ReactionImpossible('the event cannot be read', { cause });
  }
  await reactor.react(event);
}
