/**
 * Appends that no store may take: every adapter asks here before it sends anything, so that all refuse alike.
 * Postgres text holds neither NUL nor lone surrogates, and its error would abort the whole group (rule 5);
 * the EventStoreDB client hangs for good after a malformed id or an empty type (event-store.md, trap 13).
 */
import type { Append, NewEvent } from './port.ts';

/** The limit of EventStoreDB up to 25.0, over the UTF-8 bytes of all texts of the append. */
export const APPEND_BYTES_MAX = 1024 * 1024;

/** An index entry of Postgres holds at most 2,704 bytes; stream and key share one. */
const STREAM_BYTES_MAX = 512;
const KEY_BYTES_MAX = 1024;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Why this append can never be written, in words for a log; null where it can. */
export function whyRejected(append: Append): string | null {
  if (append.events.length === 0) return 'an append holds at least one event';
  if (!Number.isSafeInteger(append.expected) || append.expected < -1) return 'expected is no revision';
  if (!isStorable(append.stream) || append.stream.indexOf('-') < 1) return 'the stream has no usable name';
  if (Buffer.byteLength(append.stream) > STREAM_BYTES_MAX)
    return `the stream has more than ${STREAM_BYTES_MAX} bytes`;
  for (const event of append.events) {
    const reason = whyEventRejected(event);
    if (reason !== null) return reason;
  }
  const bytes = bytesOfAll(append.events);
  return bytes > APPEND_BYTES_MAX ? `the append has ${bytes} bytes, more than ${APPEND_BYTES_MAX}` : null;
}

/** UTF-8 bytes of the event's texts. */
export function bytesOf({ id, type, key, data, meta }: NewEvent): number {
  const bytes = id.length + Buffer.byteLength(type) + Buffer.byteLength(data) + Buffer.byteLength(meta);
  return key === null ? bytes : bytes + Buffer.byteLength(key);
}

/** UTF-8 bytes of all events of an append: what counts against the limit. */
export function bytesOfAll(events: readonly NewEvent[]): number {
  let bytes = 0;
  for (const event of events) bytes += bytesOf(event);
  return bytes;
}

/**
 * Keys that stand more than once in one append, in the order of their second appearance. A store that enforces keys
 * answers them as duplicates: such an append can never have been written, so it is not an identical retry either.
 */
export function keysTwiceIn(events: readonly NewEvent[]): string[] {
  if (events.length < 2) return [];
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { key } of events) {
    if (key === null) continue;
    if (seen.has(key)) twice.add(key);
    seen.add(key);
  }
  return [...twice];
}

function whyEventRejected(event: NewEvent): string | null {
  if (!UUID.test(event.id)) return 'an event id is a UUID in lower case';
  if (event.type === '') return 'an event has a type';
  if (!isStorable(event.type)) return 'the type holds NUL or a lone surrogate';
  if (!isStorable(event.data)) return 'the data holds NUL or a lone surrogate';
  if (!isStorable(event.meta)) return 'the meta holds NUL or a lone surrogate';
  if (event.key === null) return null;
  if (!isStorable(event.key)) return 'the key holds NUL or a lone surrogate';
  return Buffer.byteLength(event.key) > KEY_BYTES_MAX ? `the key has more than ${KEY_BYTES_MAX} bytes` : null;
}

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');
