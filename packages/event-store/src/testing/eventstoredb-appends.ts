/** The writing methods of the EventStoreDB stand-in. Faults are the caller's: see `WriteFaults`. */
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type { IStreamsServer } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerDuplexStream, type ServerErrorResponse, status } from '@grpc/grpc-js';
import type { Expected, Judgement, Log, Proposed } from './eventstoredb-log.ts';
import {
  batchAnswer,
  batchRefused,
  deleteFailed,
  failure,
  nameOf,
  proposed,
  streamDeleted,
} from './eventstoredb-messages.ts';

export type BatchCall = ServerDuplexStream<streamsPb.BatchAppendReq, streamsPb.BatchAppendResp>;

export interface WriteFaults {
  /** Runs it now, or later where the server is frozen. */
  whenThawed(work: () => void): void;
  /** True where the fault is due this time; it is used up. */
  due(fault: 'ignore' | 'busy' | 'lose' | 'twice' | 'minusOne' | 'conflict'): boolean;
}

/** `open` holds the append streams that are open. */
export function writingMethods(
  log: Log,
  open: Set<BatchCall>,
  faults: WriteFaults,
): Pick<IStreamsServer, 'batchAppend' | 'append' | 'delete' | 'tombstone'> {
  function append(stream: string, expected: Expected, events: readonly Proposed[]): Judgement {
    const judgement = log.append(stream, expected, events);
    if (judgement.status !== 'success') return judgement;
    if (faults.due('conflict')) return { status: 'wrong_expected_version', actual: judgement.revision };
    return faults.due('minusOne') ? { ...judgement, position: -1n } : judgement;
  }

  function finishBatch(
    call: BatchCall,
    correlation: string,
    options: streamsPb.BatchAppendReq.Options | undefined,
    events: readonly Proposed[],
  ): void {
    if (faults.due('ignore')) return;
    if (faults.due('busy')) {
      answer(call, batchRefused(correlation, 'busy'));
      return;
    }
    const deadline = options?.getDeadline()?.toDate().getTime() ?? Number.POSITIVE_INFINITY;
    if (deadline < Date.now()) {
      answer(call, batchRefused(correlation, 'late'));
      return;
    }
    const stream = nameOf(options?.getStreamIdentifier());
    const expected = expectedOf(options, options?.hasStreamPosition() ? options.getStreamPosition() : null);
    const response = batchAnswer({ correlation, stream, expected }, append(stream, expected, events));
    if (faults.due('lose')) return;
    answer(call, response);
    if (faults.due('twice')) answer(call, response);
  }

  function remove(options: DeleteOptions | undefined, forEver: boolean): string | ServerErrorResponse {
    const stream = nameOf(options?.getStreamIdentifier());
    const expected = expectedOf(options, options?.hasRevision() ? options.getRevision() : null);
    const judgement = log.delete(stream, expected, forEver);
    if (judgement.status === 'success') return String(judgement.position);
    if (judgement.status === 'wrong_expected_version')
      return deleteFailed(stream, expected, judgement.actual);
    return streamDeleted(stream);
  }

  return {
    batchAppend(call) {
      const parts = new Map<
        string,
        { options: streamsPb.BatchAppendReq.Options | undefined; events: Proposed[] }
      >();
      open.add(call);
      for (const event of ['cancelled', 'close', 'error']) call.on(event, () => open.delete(call));
      call.on('end', () => call.end());
      call.on('data', (request: streamsPb.BatchAppendReq) =>
        faults.whenThawed(() => {
          const correlation = request.getCorrelationId()?.getString() ?? '';
          const batch = parts.get(correlation) ?? { options: request.getOptions(), events: [] };
          for (const message of request.getProposedMessagesList()) batch.events.push(proposed(message));
          parts.set(correlation, batch);
          if (!request.getIsFinal()) return;
          parts.delete(correlation);
          finishBatch(call, correlation, batch.options, batch.events);
        }),
      );
    },
    append(call, callback) {
      let options: streamsPb.AppendReq.Options | undefined;
      const events: Proposed[] = [];
      call.on('data', (request: streamsPb.AppendReq) => {
        options = request.getOptions() ?? options;
        const message = request.getProposedMessage();
        if (message !== undefined) events.push(proposed(message));
      });
      call.on('end', () =>
        faults.whenThawed(() => {
          const stream = nameOf(options?.getStreamIdentifier());
          const expected = expectedOf(options, options?.hasRevision() ? options.getRevision() : null);
          const answered = plainAnswer(stream, expected, append(stream, expected, events));
          if (answered instanceof streamsPb.AppendResp) callback(null, answered);
          else callback(answered);
        }),
      );
    },
    delete(call, callback) {
      faults.whenThawed(() => {
        const at = remove(call.request.getOptions(), false);
        if (typeof at !== 'string') return callback(at);
        const position = new streamsPb.DeleteResp.Position().setCommitPosition(at).setPreparePosition(at);
        callback(null, new streamsPb.DeleteResp().setPosition(position));
      });
    },
    tombstone(call, callback) {
      faults.whenThawed(() => {
        const at = remove(call.request.getOptions(), true);
        if (typeof at !== 'string') return callback(at);
        const position = new streamsPb.TombstoneResp.Position().setCommitPosition(at).setPreparePosition(at);
        callback(null, new streamsPb.TombstoneResp().setPosition(position));
      });
    },
  };
}

type DeleteOptions = streamsPb.DeleteReq.Options | streamsPb.TombstoneReq.Options;

function answer(call: BatchCall, response: streamsPb.BatchAppendResp): void {
  if (!call.cancelled && !call.destroyed && !call.writableEnded) call.write(response);
}

function expectedOf(
  options: { hasNoStream(): boolean; hasStreamExists(): boolean } | undefined,
  revision: string | null,
): Expected {
  if (revision !== null) return Number(revision);
  if (options?.hasNoStream()) return 'no_stream';
  return options?.hasStreamExists() ? 'stream_exists' : 'any';
}

function plainAnswer(
  stream: string,
  expected: Expected,
  judgement: Judgement,
): streamsPb.AppendResp | ServerErrorResponse {
  const empty = new sharedPb.Empty();
  switch (judgement.status) {
    case 'success': {
      const at = String(BigInt.asUintN(64, judgement.position));
      const position = new streamsPb.AppendResp.Position().setCommitPosition(at).setPreparePosition(at);
      const success = new streamsPb.AppendResp.Success().setCurrentRevision(String(judgement.revision));
      return new streamsPb.AppendResp().setSuccess(success.setPosition(position));
    }
    case 'wrong_expected_version': {
      const wrong = new streamsPb.AppendResp.WrongExpectedVersion();
      if (judgement.actual === null) wrong.setCurrentNoStream(empty);
      else wrong.setCurrentRevision(String(judgement.actual));
      if (expected === 'no_stream') wrong.setExpectedNoStream(empty);
      else if (expected === 'stream_exists') wrong.setExpectedStreamExists(empty);
      else if (expected === 'any') wrong.setExpectedAny(empty);
      else wrong.setExpectedRevision(String(expected));
      return new streamsPb.AppendResp().setWrongExpectedVersion(wrong);
    }
    case 'stream_deleted':
      return streamDeleted(stream);
    case 'too_large':
    case 'bad_request':
      return failure(status.UNKNOWN, 'Exception was thrown by handler.');
  }
}

/** What the client asks first: whether appends may share one stream. */
export function supportedMethods(): featuresPb.SupportedMethods {
  const methods = ['append', 'batchappend', 'delete', 'read', 'tombstone'].map((name) =>
    new featuresPb.SupportedMethod().setServiceName('event_store.client.streams.streams').setMethodName(name),
  );
  return new featuresPb.SupportedMethods().setMethodsList(methods).setEventStoreServerVersion('23.10.8');
}
