/**
 * Events to the messages of EventStoreDB and back. Texts go as bytes (17 instead of 67 µs per event, speed.md
 * point 2) and keep the content type JSON, so that the server's own tools and projections can read them.
 *
 * The key stands in the event's metadata. The runner's `meta` holds it already, at the top and early; any other
 * meta that does not say the same key is wrapped: `{"$ledger_key":…,"$ledger_meta":"…"}`. Either way both are read
 * back to the byte.
 */
import { randomUUID } from 'node:crypto';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import timestampPb from 'google-protobuf/google/protobuf/timestamp_pb.js';
import type { Append, NewEvent, RecordedEvent } from './port.ts';

const encoder = new TextEncoder();
const WRAPPER = '{"$ledger_key":';
const EARLY_KEY = /^\{(?:"v":\d+,)?"key":(?:null|"([^"\\]*)")[,}]/;

/** The top-level `key` of a meta text; null where it is absent, no string, or the text no object. */
function keyInMeta(meta: string): string | null {
  const early = EARLY_KEY.exec(meta);
  // A second "key" further on would win in JSON.parse, so only a text with one is taken by the short way.
  if (early !== null && meta.lastIndexOf('"key":') === meta.indexOf('"key":')) return early[1] ?? null;
  if (!meta.includes('"key"')) return null;
  try {
    const parsed: unknown = JSON.parse(meta);
    if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, 'key') || !('key' in parsed))
      return null;
    return typeof parsed.key === 'string' ? parsed.key : null;
  } catch {
    return null;
  }
}

/** What stands in the event's metadata on the server. */
export function storedMeta(event: Pick<NewEvent, 'key' | 'meta'>): string {
  const plain = !event.meta.startsWith(WRAPPER) && event.meta !== '' && keyInMeta(event.meta) === event.key;
  return plain
    ? event.meta
    : `${WRAPPER}${JSON.stringify(event.key)},"$ledger_meta":${JSON.stringify(event.meta)}}`;
}

/** `key` and `meta` as they were given to `storedMeta`. Events that others wrote have no key. */
export function keyAndMeta(stored: string): { key: string | null; meta: string } {
  if (!stored.startsWith(WRAPPER)) return { key: keyInMeta(stored), meta: stored };
  const parsed: { $ledger_key: string | null; $ledger_meta: string } = JSON.parse(stored);
  return { key: parsed.$ledger_key, meta: parsed.$ledger_meta };
}

export function streamIdentifier(name: string): sharedPb.StreamIdentifier {
  return new sharedPb.StreamIdentifier().setStreamName(encoder.encode(name));
}

/**
 * An hour from now. The server's own limit (2 s) counts, not this one; it is a time of day and no span, so with one
 * nearer a server whose clock goes before ours would let every append time out.
 */
const farDeadline = (): Date => new Date(Date.now() + 3_600_000);

/** One append as one message; it is below the server's 1 MiB, so it needs no parts. */
export function batchAppendRequest(
  name: string,
  append: Append,
): [correlation: string, streamsPb.BatchAppendReq] {
  const options = new streamsPb.BatchAppendReq.Options()
    .setStreamIdentifier(streamIdentifier(name))
    .setDeadline(timestampPb.Timestamp.fromDate(farDeadline()));
  if (append.expected === -1) options.setNoStream(new sharedPb.Empty());
  else options.setStreamPosition(String(append.expected));
  const correlation = randomUUID();
  const request = new streamsPb.BatchAppendReq()
    .setCorrelationId(new sharedPb.UUID().setString(correlation))
    .setOptions(options)
    .setProposedMessagesList(append.events.map(proposedMessage))
    .setIsFinal(true);
  return [correlation, request];
}

function proposedMessage(event: NewEvent): streamsPb.BatchAppendReq.ProposedMessage {
  const message = new streamsPb.BatchAppendReq.ProposedMessage()
    .setId(new sharedPb.UUID().setString(event.id))
    .setData(encoder.encode(event.data))
    .setCustomMetadata(encoder.encode(storedMeta(event)));
  message.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
  return message;
}

/** The server answers ids as two numbers where they were sent as text, and as text where that was asked for. */
export function uuidText(id: sharedPb.UUID | undefined): string {
  const parts = id?.getStructured();
  if (parts === undefined) return id?.getString() ?? '';
  const hex = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
  const all = hex(parts.getMostSignificantBits()) + hex(parts.getLeastSignificantBits());
  return `${all.slice(0, 8)}-${all.slice(8, 12)}-${all.slice(12, 16)}-${all.slice(16, 20)}-${all.slice(20)}`;
}

/** A place in the server's log. Rule 16: both numbers; by the first alone a filtered reader lost events. */
export interface LogPosition {
  readonly commit: bigint;
  readonly prepare: bigint;
}

export const toCursor = (position: LogPosition): string => `${position.commit}.${position.prepare}`;

export function fromCursor(cursor: string): LogPosition {
  const parts = /^(\d+)\.(\d+)$/.exec(cursor);
  if (parts === null) throw new RangeError(`no cursor of an EventStoreDB: ${cursor}`);
  return { commit: BigInt(parts[1] ?? ''), prepare: BigInt(parts[2] ?? '') };
}

export const samePosition = (a: LogPosition, b: LogPosition): boolean =>
  a.commit === b.commit && a.prepare === b.prepare;

export const isAfter = (a: LogPosition, b: LogPosition): boolean =>
  a.commit > b.commit || (a.commit === b.commit && a.prepare > b.prepare);

export type ServerEvent = streamsPb.ReadResp.ReadEvent.RecordedEvent;

export function logPosition(event: ServerEvent): LogPosition {
  return { commit: BigInt(event.getCommitPosition()), prepare: BigInt(event.getPreparePosition()) };
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

/** The name of the event's stream on the server, with the namespace. */
export const streamNameOf = (event: ServerEvent): string =>
  text(event.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array());

/** `prefix` is the namespace with its dot, cut off the stream's name. */
export function recordedEvent(event: ServerEvent, prefix: string): RecordedEvent {
  return {
    id: uuidText(event.getId()),
    type: event.getMetadataMap().get('type') ?? '',
    data: text(event.getData_asU8()),
    ...keyAndMeta(text(event.getCustomMetadata_asU8())),
    stream: streamNameOf(event).slice(prefix.length),
    revision: Number(event.getStreamRevision()),
    position: BigInt(event.getCommitPosition()),
  };
}
