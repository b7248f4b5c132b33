/**
 * Appends to EventStoreDB over one long-lived stream, many in flight, in the order they were called.
 *
 * - Each append has its own timer: the server answers nothing where it is frozen, or where an identical retry overtakes
 *   the replication of its original (rule 6). Before it was sent its outcome is `unwritten`, after that `unknown`.
 * - However the stream ends (error, end, close), what is in flight is settled as `unknown`, never left hanging.
 * - After each connect one append goes alone, and the others follow its answer (speed.md, runner).
 */
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type statusPb from '@eventstore/db-client/generated/status_pb.js';
import type streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { batchAppendRequest, uuidText } from './eventstoredb-codec.ts';
import type { Connection, StreamsClient } from './eventstoredb-connection.ts';
import { type Append, type AppendResult, type RecordedEvent, StoreUnavailable } from './port.ts';
import { bytesOf } from './rejection.ts';

export interface AppendLimits {
  /** From the call to the answer. */
  readonly appendTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly inFlightMax: number;
  readonly waitingMax: number;
  readonly waitingBytesMax: number;
}

export interface Appender {
  append(append: Append): Promise<AppendResult>;
  /** Refuses new appends and resolves once none is on its way. */
  drain(): Promise<void>;
}

interface Pending {
  readonly append: Append;
  readonly bytes: number;
  readonly timer: NodeJS.Timeout;
  readonly settle: (outcome: AppendResult | StoreUnavailable | Promise<AppendResult>) => void;
  sent: { readonly call: Call; readonly correlation: string; readonly answersBefore: number } | null;
}

/** One append stream, from its opening to its end. */
interface Call {
  readonly streams: StreamsClient;
  readonly duplex: ClientDuplexStream<streamsPb.BatchAppendReq, streamsPb.BatchAppendResp>;
  readonly inFlight: Map<string, Pending>;
  answers: number;
}

/** Reads events of one stream as the port does: to compare what an unclear answer was about. */
type ReadBack = (
  stream: string,
  options: { from: number; limit: number },
) => Promise<readonly RecordedEvent[]>;

export function createAppender(
  connection: Connection,
  prefix: string,
  readBack: ReadBack,
  limits: AppendLimits,
): Appender {
  const waiting = new Set<Pending>();
  let waitingBytes = 0;
  let call: Call | null = null;
  let opening = false;
  let unsettled = 0;
  let drained: PromiseWithResolvers<void> | null = null;

  function append(append: Append): Promise<AppendResult> {
    const bytes = append.events.reduce((sum, event) => sum + bytesOf(event), 0);
    if (drained !== null)
      return Promise.reject(new StoreUnavailable('unwritten', 'the event store is closed'));
    if (waiting.size >= limits.waitingMax || waitingBytes + bytes > limits.waitingBytesMax) {
      return Promise.reject(new StoreUnavailable('unwritten', 'too many appends wait for the event store'));
    }
    return new Promise<AppendResult>((resolve, reject) => {
      const pending: Pending = {
        append,
        bytes,
        timer: setTimeout(() => expire(pending), limits.appendTimeoutMs),
        sent: null,
        settle(outcome) {
          clearTimeout(pending.timer);
          if (outcome instanceof StoreUnavailable) reject(outcome);
          else resolve(outcome);
        },
      };
      waiting.add(pending);
      waitingBytes += bytes;
      unsettled++;
      pump();
    }).finally(() => {
      unsettled--;
      if (unsettled === 0) drained?.resolve();
    });
  }

  function pump(): void {
    while (waiting.size > 0) {
      if (call === null) return void open();
      if (call.inFlight.size >= (call.answers === 0 ? 1 : limits.inFlightMax)) return;
      const [next] = waiting;
      if (next !== undefined) send(call, next);
    }
  }

  function leaveQueue(pending: Pending): boolean {
    if (!waiting.delete(pending)) return false;
    waitingBytes -= pending.bytes;
    return true;
  }

  async function open(): Promise<void> {
    if (opening) return;
    opening = true;
    try {
      call = begin(await connection.connected(limits.connectTimeoutMs));
    } catch (cause) {
      for (const pending of [...waiting]) {
        leaveQueue(pending);
        pending.settle(new StoreUnavailable('unwritten', 'no connection to the event store', { cause }));
      }
    } finally {
      opening = false;
    }
    pump();
  }

  function begin(streams: StreamsClient): Call {
    const [metadata, options] = connection.callArguments({
      leader: true,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    const duplex = streams.batchAppend(metadata, options);
    const begun: Call = { streams, duplex, inFlight: new Map(), answers: 0 };
    duplex.on('data', (answer: streamsPb.BatchAppendResp) => answered(begun, answer));
    duplex.on('error', (error) => over(begun, error));
    duplex.on('end', () => over(begun, new Error('the server ended the append stream')));
    duplex.on('close', () => over(begun, new Error('the append stream was closed')));
    return begun;
  }

  /** The stream is no more: what was sent on it may have been written or not. Called once or several times. */
  function over(ended: Call, cause: Error): void {
    if (call === ended) call = null;
    ended.duplex.cancel();
    connection.failed(ended.streams, cause);
    const lost = [...ended.inFlight.values()];
    ended.inFlight.clear();
    for (const pending of lost) {
      pending.settle(new StoreUnavailable('unknown', 'the event store did not answer an append', { cause }));
    }
    pump();
  }

  function send(to: Call, pending: Pending): void {
    leaveQueue(pending);
    const { append } = pending;
    const [correlation, request] = batchAppendRequest(prefix + append.stream, append);
    pending.sent = { call: to, correlation, answersBefore: to.answers };
    to.inFlight.set(correlation, pending);
    to.duplex.write(request);
  }

  function expire(pending: Pending): void {
    if (leaveQueue(pending)) {
      pending.settle(new StoreUnavailable('unwritten', 'the append was not sent in time'));
      return;
    }
    const { sent } = pending;
    if (sent === null || !sent.call.inFlight.delete(sent.correlation)) return;
    const late = new StoreUnavailable('unknown', 'the event store did not answer an append in time');
    pending.settle(late);
    // A stream that answered others meanwhile is sound. One that answered nothing is given up with all it carries:
    // else each of its places would be held for a whole time-out again and again.
    if (sent.call.answers === sent.answersBefore) over(sent.call, late);
    else pump();
  }

  function answered(by: Call, answer: streamsPb.BatchAppendResp): void {
    by.answers++;
    const correlation = uuidText(answer.getCorrelationId());
    const pending = by.inFlight.get(correlation);
    // A second answer, or one after its timer: the append is settled already.
    if (pending !== undefined) {
      by.inFlight.delete(correlation);
      pending.settle(judge(pending.append, answer));
    }
    pump();
  }

  function judge(
    append: Append,
    answer: streamsPb.BatchAppendResp,
  ): ReturnType<typeof judgeError> | Promise<AppendResult> {
    const error = answer.getError();
    if (error === undefined) {
      const position = positionOf(answer.getSuccess());
      return position === null ? compare(append, null) : { status: 'appended', position };
    }
    const judged = judgeError(error);
    const couldBeIdentical = (actual: number) => actual >= append.expected + append.events.length;
    if ('status' in judged && judged.status === 'conflict' && couldBeIdentical(judged.actual)) {
      return compare(append, judged);
    }
    return judged;
  }

  /** Looks whether the events stand at their revisions already: then this was the identical append (rule 6). */
  async function compare(append: Append, conflict: AppendResult | null): Promise<AppendResult> {
    let stored: readonly RecordedEvent[];
    try {
      stored = await readBack(append.stream, { from: append.expected + 1, limit: append.events.length });
    } catch (cause) {
      throw new StoreUnavailable('unknown', 'an append could not be read back', { cause });
    }
    const last = stored.at(-1);
    const identical =
      stored.length === append.events.length &&
      stored.every((event, index) => event.id === append.events[index]?.id);
    if (identical && last !== undefined) return { status: 'appended', position: last.position };
    if (conflict !== null) return conflict;
    throw new StoreUnavailable('unknown', 'the event store accepted an append but does not show it yet');
  }

  return {
    append,
    async drain() {
      drained ??= Promise.withResolvers<void>();
      if (unsettled === 0) drained.resolve();
      await drained.promise;
      call?.duplex.end();
    },
  };
}

/** Position of the append's last event; null where the server gave none or -1 (a duplicate, seen in clusters). */
function positionOf(success: streamsPb.BatchAppendResp.Success | undefined): bigint | null {
  const position = success?.getPosition();
  if (position === undefined) return null;
  const commit = BigInt.asIntN(64, BigInt(position.getCommitPosition()));
  return commit < 0n ? null : commit;
}

function judgeError(error: statusPb.Status): AppendResult | StoreUnavailable {
  const kind = error.getDetails()?.getTypeName() ?? '';
  switch (kind) {
    case 'event_store.client.WrongExpectedVersion': {
      const details = error.getDetails()?.unpack(sharedPb.WrongExpectedVersion.deserializeBinary, kind);
      // The message is empty; only the fields tell (event-store.md, trap 17).
      const actual = details?.hasCurrentStreamRevision() ? Number(details.getCurrentStreamRevision()) : -1;
      return { status: 'conflict', actual };
    }
    case 'event_store.client.MaximumAppendSizeExceeded':
      return { status: 'rejected', reason: 'the append is larger than the event store takes' };
    case 'event_store.client.StreamDeleted':
      return { status: 'rejected', reason: 'the stream is deleted for ever' };
    case 'event_store.client.BadRequest':
      return { status: 'rejected', reason: 'the event store takes the append for malformed' };
    case 'google.protobuf.Empty':
      // The server was not ready or too busy, and says by that that it did not handle the append.
      return new StoreUnavailable('unwritten', `the event store refused an append: ${error.getMessage()}`);
    case 'event_store.client.AccessDenied':
      return new StoreUnavailable('unwritten', 'the event store denies access to the stream');
    default:
      return new StoreUnavailable(
        'unknown',
        `the event store failed at an append: ${kind || error.getMessage()}`,
      );
  }
}
