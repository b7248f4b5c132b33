/** What the contract's tests are made of. Names are random, so that the suite runs on a store that holds other data. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Append, AppendResult, Cursor, EventStore, NewEvent, ReadAll, RecordedEvent } from '../port.ts';

const random = (): string => randomBytes(8).toString('hex');

/** A category that no other test and no earlier run has used. */
export const someCategory = (): string => `c${random()}`;

export const someStream = (category = 'wallet'): string => `${category}-${random()}`;

export function someEvent(parts: Partial<NewEvent> = {}): NewEvent {
  return { id: randomUUID(), type: 'Happened', key: null, data: '{"a":1}', meta: '{}', ...parts };
}

export const someEvents = (count: number): NewEvent[] => Array.from({ length: count }, () => someEvent());

export const keyed = (key: string): NewEvent => someEvent({ key });

/** Appends what must succeed; answers the position. */
export async function written(store: EventStore, append: Append): Promise<bigint> {
  const result = await store.append(append);
  if (result.status !== 'appended') throw new Error(`expected to be appended, got ${describe(result)}`);
  return result.position;
}

export const describe = (result: AppendResult): string =>
  JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));

/** Appends what must succeed to a new stream; answers the stream's name. */
export async function newStream(
  store: EventStore,
  events: readonly NewEvent[],
  category?: string,
): Promise<string> {
  const stream = someStream(category);
  await written(store, { stream, expected: -1, events });
  return stream;
}

export const wholeStream = (store: EventStore, stream: string): Promise<readonly RecordedEvent[]> =>
  store.readStream(stream, { from: 0, limit: 10_000 });

export async function idsOf(store: EventStore, stream: string): Promise<string[]> {
  return (await wholeStream(store, stream)).map((event) => event.id);
}

/** Pages from a cursor to the end of the store. */
export async function pageToEnd(
  store: EventStore,
  options: ReadAll,
): Promise<{ events: RecordedEvent[]; cursor: Cursor | null; position: bigint }> {
  const events: RecordedEvent[] = [];
  let after = options.after;
  for (;;) {
    const page = await store.readAll({ ...options, after });
    events.push(...page.events);
    after = page.cursor;
    if (page.atEnd) return { events, cursor: after, position: page.position };
  }
}

export async function endOfStore(store: EventStore): Promise<Cursor | null> {
  return (await pageToEnd(store, { after: null, limit: 1000 })).cursor;
}
