/** What goes between threads. Events go in columns: a clone of plain arrays costs a third of one of objects. */
import type { RecordedEvent } from '@tallystick/event-store';
import type { Listed } from './part.ts';

export type Question =
  | { readonly ask: 'add'; readonly batch: Batch }
  | { readonly ask: 'summary' }
  | { readonly ask: 'rows'; readonly table: Listed };

export type Answer = { readonly done: unknown } | { readonly failed: string };

/** Events, and of each the partition of its stream. */
export interface Batch {
  readonly partitions: readonly number[];
  readonly ids: readonly string[];
  readonly streams: readonly string[];
  readonly revisions: readonly number[];
  readonly positions: readonly bigint[];
  readonly types: readonly string[];
  readonly keys: readonly (string | null)[];
  readonly data: readonly string[];
  readonly meta: readonly string[];
}

export function batchOf(events: readonly RecordedEvent[], partitions: readonly number[]): Batch {
  return {
    partitions,
    ids: events.map(({ id }) => id),
    streams: events.map(({ stream }) => stream),
    revisions: events.map(({ revision }) => revision),
    positions: events.map(({ position }) => position),
    types: events.map(({ type }) => type),
    keys: events.map(({ key }) => key),
    data: events.map(({ data }) => data),
    meta: events.map(({ meta }) => meta),
  };
}

export function eventsOf(batch: Batch): RecordedEvent[] {
  const { ids, streams, revisions, positions, types, keys, data, meta } = batch;
  return ids.map((id, at) => ({
    id,
    stream: streams[at] ?? '',
    revision: revisions[at] ?? 0,
    position: positions[at] ?? 0n,
    type: types[at] ?? '',
    key: keys[at] ?? null,
    data: data[at] ?? '',
    meta: meta[at] ?? '',
  }));
}
