/** What the EventStoreDB stand-in's log says, in the messages and statuses of the real server. */
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { Metadata, type ServerErrorResponse, status } from '@grpc/grpc-js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import {
  APPEND_BYTES_MAX,
  type Expected,
  type Judgement,
  type LoggedEvent,
  type Proposed,
} from './eventstoredb-log.ts';

const utf8 = new TextEncoder();
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Ticks of 100 ns, as the server writes them. */
const ticks = (ms: number): string => `${BigInt(ms) * 10_000n}`;

export function readEvent(event: LoggedEvent): streamsPb.ReadResp {
  const position = String(event.position);
  const recorded = new streamsPb.ReadResp.ReadEvent.RecordedEvent()
    .setId(new sharedPb.UUID().setString(event.id))
    .setStreamIdentifier(identifier(event.stream))
    .setStreamRevision(String(event.revision))
    .setCommitPosition(position)
    .setPreparePosition(position)
    .setData(event.data)
    .setCustomMetadata(event.meta);
  const map = recorded.getMetadataMap();
  map.set('type', event.type).set('content-type', event.contentType).set('created', ticks(event.createdMs));
  return new streamsPb.ReadResp().setEvent(
    new streamsPb.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(position),
  );
}

export const streamNotFound = (name: string): streamsPb.ReadResp =>
  new streamsPb.ReadResp().setStreamNotFound(
    new streamsPb.ReadResp.StreamNotFound().setStreamIdentifier(identifier(name)),
  );

export const confirmation = (): streamsPb.ReadResp =>
  new streamsPb.ReadResp().setConfirmation(
    new streamsPb.ReadResp.SubscriptionConfirmation().setSubscriptionId(crypto.randomUUID()),
  );

export const caughtUp = (): streamsPb.ReadResp =>
  new streamsPb.ReadResp().setCaughtUp(new streamsPb.ReadResp.CaughtUp());

export function checkpoint(position: bigint): streamsPb.ReadResp {
  const at = new streamsPb.ReadResp.Checkpoint().setCommitPosition(String(position));
  return new streamsPb.ReadResp().setCheckpoint(at.setPreparePosition(String(position)));
}

export const identifier = (name: string): sharedPb.StreamIdentifier =>
  new sharedPb.StreamIdentifier().setStreamName(utf8.encode(name));

export const nameOf = (id: sharedPb.StreamIdentifier | undefined): string =>
  textOf(id?.getStreamName_asU8() ?? new Uint8Array());

/** An event as either append method brings it. */
export function proposed(
  message: streamsPb.BatchAppendReq.ProposedMessage | streamsPb.AppendReq.ProposedMessage,
): Proposed {
  const map = message.getMetadataMap();
  return {
    id: message.getId()?.getString() ?? '',
    type: map.get('type') ?? '',
    contentType: map.get('content-type') ?? 'application/octet-stream',
    data: message.getData_asU8(),
    meta: message.getCustomMetadata_asU8(),
  };
}

/** The server answers ids as two numbers, however they were sent. */
export function structured(id: string): sharedPb.UUID {
  const hex = id.replaceAll('-', '');
  const signed = (digits: string) => String(BigInt.asIntN(64, BigInt(`0x${digits}`)));
  const parts = new sharedPb.UUID.Structured()
    .setMostSignificantBits(signed(hex.slice(0, 16)))
    .setLeastSignificantBits(signed(hex.slice(16)));
  return new sharedPb.UUID().setStructured(parts);
}

export function batchAnswer(
  request: { correlation: string; stream: string; expected: Expected },
  judgement: Judgement,
): streamsPb.BatchAppendResp {
  const answer = new streamsPb.BatchAppendResp()
    .setCorrelationId(structured(request.correlation))
    .setStreamIdentifier(identifier(request.stream));
  if (judgement.status !== 'success') return answer.setError(batchError(request, judgement));
  const position = String(BigInt.asUintN(64, judgement.position));
  return answer.setSuccess(
    new streamsPb.BatchAppendResp.Success()
      .setCurrentRevision(String(judgement.revision))
      .setPosition(new sharedPb.AllStreamPosition().setCommitPosition(position).setPreparePosition(position)),
  );
}

type Failure = Exclude<Judgement, { status: 'success' }>;

function batchError(request: { stream: string; expected: Expected }, failure: Failure): statusPb.Status {
  const error = (kind: string, details: { serializeBinary(): Uint8Array }, message = '') => {
    const any = new anyPb.Any();
    any.pack(details.serializeBinary(), `event_store.client.${kind}`);
    return new statusPb.Status().setMessage(message).setDetails(any);
  };
  switch (failure.status) {
    case 'wrong_expected_version':
      return error('WrongExpectedVersion', wrongVersion(request.expected, failure.actual));
    case 'stream_deleted':
      return error(
        'StreamDeleted',
        new sharedPb.StreamDeleted().setStreamIdentifier(identifier(request.stream)),
      );
    case 'too_large':
      return error(
        'MaximumAppendSizeExceeded',
        new sharedPb.MaximumAppendSizeExceeded().setMaxappendsize(APPEND_BYTES_MAX),
      );
    case 'bad_request':
      return error('BadRequest', new sharedPb.BadRequest(), 'BadRequest');
  }
}

/** The append came too late, or to a server that had too much to do: neither was handled. */
export function batchRefused(correlation: string, why: 'late' | 'busy'): streamsPb.BatchAppendResp {
  const any = new anyPb.Any();
  if (why === 'late') any.pack(new sharedPb.Timeout().serializeBinary(), 'event_store.client.Timeout');
  else any.pack(new emptyPb.Empty().serializeBinary(), 'google.protobuf.Empty');
  return new streamsPb.BatchAppendResp()
    .setCorrelationId(structured(correlation))
    .setError(new statusPb.Status().setMessage(why === 'late' ? '' : 'Server Is Busy').setDetails(any));
}

function wrongVersion(expected: Expected, actual: number | null): sharedPb.WrongExpectedVersion {
  const details = new sharedPb.WrongExpectedVersion();
  const empty = new emptyPb.Empty();
  if (actual === null) details.setCurrentNoStream(empty);
  else details.setCurrentStreamRevision(String(actual));
  if (expected === 'no_stream') details.setExpectedNoStream(empty);
  else if (expected === 'stream_exists') details.setExpectedStreamExists(empty);
  else if (expected === 'any') details.setExpectedAny(empty);
  else details.setExpectedStreamPosition(String(expected));
  return details;
}

/** A call's failure, with the fields that the client reads from its trailers. */
export function failure(
  code: status,
  details: string,
  fields: Record<string, string> = {},
): ServerErrorResponse {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return Object.assign(new Error(details), { code, details, metadata });
}

export const streamDeleted = (name: string): ServerErrorResponse =>
  failure(status.FAILED_PRECONDITION, `Event stream '${name}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': name,
  });

const VERSION_NUMBERS = { no_stream: -1, any: -2, stream_exists: -4 };

export function deleteFailed(name: string, expected: Expected, actual: number | null): ServerErrorResponse {
  const wanted = typeof expected === 'number' ? expected : VERSION_NUMBERS[expected];
  const details = `Delete failed due to WrongExpectedVersion. Stream: ${name}, Expected version: ${wanted}, Actual version: ${actual}`;
  return failure(status.FAILED_PRECONDITION, details, {
    exception: 'wrong-expected-version',
    'stream-name': name,
    'expected-version': String(wanted),
    'actual-version': String(actual),
  });
}
