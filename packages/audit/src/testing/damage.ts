/** Events changed by someone who knows how: all hashes after them are mended, so nothing but what they say gives them away. */
import { expectedHash, hashOf, type RecordedEvent } from '@tallystick/event-store';
import { chainStart } from '@tallystick/event-store/codec';

/** Whatever is in a stored event, to be changed at any depth. */
export type Anything = ReturnType<JSON['parse']>;

/** Changes data and facts in place. */
export type Change = (data: Anything, facts: Anything) => void;

/** The events, of which one says something else. */
export function damaged(
  events: readonly RecordedEvent[],
  { stream, revision }: Pick<RecordedEvent, 'stream' | 'revision'>,
  change: Change,
): RecordedEvent[] {
  let previous = chainStart(stream);
  let hasChanged = false;
  return events.map((event) => {
    if (event.stream !== stream) return event;
    let next = event;
    if (event.revision === revision) {
      next = changed(event, change);
      hasChanged = next.data !== event.data || next.meta !== event.meta;
      if (!hasChanged) throw new Error(`nothing was changed in ${stream}:${revision}`);
    }
    if (hasChanged) next = { ...next, meta: next.meta.replace(hashOf(event), expectedHash(previous, next)) };
    previous = hashOf(next);
    return next;
  });
}

function changed(event: RecordedEvent, change: Change): RecordedEvent {
  const [data, meta] = [JSON.parse(event.data), JSON.parse(event.meta)];
  change(data, meta.facts);
  return { ...event, data: JSON.stringify(data), meta: JSON.stringify(meta) };
}
