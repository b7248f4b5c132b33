/** Orders whose key is known: answered as the first one was, where they say the same (rule 14). */
import type { CommandKey, DomainEvent } from '@tallystick/domain';
import type { StoredEvent } from './codec.ts';
import { type LookUpParts, readEvents } from './look-ups.ts';
import type { Round, Waiting } from './round.ts';

/** Whoever is to be decided after all, because the key's event only points elsewhere, is added to `again`. */
export async function answerRepeats<S, C extends CommandKey, E extends DomainEvent, R>(
  parts: LookUpParts,
  stream: string,
  round: Round<S, C, E, R>,
  again: Waiting<S, C, E, R>[],
): Promise<void> {
  const replays: { waiting: Waiting<S, C, E, R>; event: StoredEvent<E> }[] = [];
  for (const { waiting, event } of round.answered) {
    const { key, fingerprint } = waiting.order.command;
    // Found by the decider and not by us, because the key is not in memory any more: the same rule holds.
    if (event.key === key && event.fingerprint !== fingerprint) waiting.resolve({ status: 'conflict' });
    else replays.push({ waiting, event: event as StoredEvent<E> });
  }
  const revisions = round.repeated.map(({ repeats }) => repeats ?? -1);
  const events = await readEvents<E>(parts, stream, revisions);
  for (const waiting of round.repeated) {
    const event = events.get(waiting.repeats ?? -1);
    if (event === undefined) throw new Error(`${stream}:${waiting.repeats} has a key but cannot be read`);
    if (event.fingerprint === null) {
      waiting.pointer = true;
      waiting.facts ??= new Map();
      waiting.facts.set(waiting.order.command.key ?? '', event);
      again.push(waiting);
    } else if (event.fingerprint !== waiting.order.command.fingerprint) {
      waiting.resolve({ status: 'conflict' });
    } else {
      replays.push({ waiting, event });
    }
  }
  await replay(parts, stream, replays);
}

/** A replay answers the position that was answered at first: that of the last event of the append. */
async function replay<S, C extends CommandKey, E extends DomainEvent, R>(
  parts: LookUpParts,
  stream: string,
  replays: readonly { waiting: Waiting<S, C, E, R>; event: StoredEvent<E> }[],
): Promise<void> {
  parts.counts.replays += replays.length;
  const lasts = replays.flatMap(({ event }) => (event.left > 0 ? [event.revision + event.left] : []));
  const events = await readEvents<E>(parts, stream, lasts);
  for (const { waiting, event } of replays) {
    const position = events.get(event.revision + event.left)?.position ?? event.position;
    waiting.resolve({ status: 'recorded', event, position, replayed: true });
  }
}
