/** Rule 15: revisions without a gap, every event hangs on the one before it, and one append has one time. */
import { chainStart, decodeEvent, expectedHash, hashOf, type RecordedEvent } from '@tallystick/event-store';
import { broken, type Evidence } from './evidence.ts';

export function chainsAreWhole({ log }: Evidence): void {
  const streams = Map.groupBy(log, ({ stream }) => stream);
  for (const [stream, events] of streams) {
    let hash = chainStart(stream);
    events.forEach((event, revision) => {
      if (event.revision !== revision) broken('revisions have no gap', { stream, revision: event.revision });
      if (expectedHash(hash, event) !== hashOf(event)) broken('the chain is whole', { stream, revision });
      hash = hashOf(event);
      isInOrder(events[revision - 1], event);
    });
    const last = events.at(-1);
    if (last !== undefined && decodeEvent(last).left !== 0) broken('an append is written whole', { stream });
  }
}

function isInOrder(before: RecordedEvent | undefined, event: RecordedEvent): void {
  if (before === undefined) return;
  const [earlier, later] = [decodeEvent(before), decodeEvent(event)];
  const at = { stream: event.stream, revision: event.revision };
  if (later.recordedAt < earlier.recordedAt) broken('time does not run back in a stream', at);
  if (earlier.left > 0 && (later.left !== earlier.left - 1 || later.recordedAt !== earlier.recordedAt))
    broken('an append is written whole, at one time', at);
}
