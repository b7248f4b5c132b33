/**
 * A stand-in for an EventStoreDB server, for tests: it answers the client as `eventstoredb.test.ts` says a real one
 * was recorded to, and misbehaves on demand. It shows how our code behaves; it is no proof that a real server
 * behaves so. That only comes from one: see LEDGER_ESDB_URL in `../eventstoredb.test.ts`.
 *
 * Not built: persistent subscriptions, projections, users, TLS, clusters, stream metadata. Wanted differences: a
 * malformed append is answered once, not twice; the live buffer is unlimited unless `limitLiveBuffer` says so.
 */
import featuresRpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streamsRpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Server, type ServerErrorResponse, status } from '@grpc/grpc-js';
import {
  type BatchCall,
  supportedMethods,
  type WriteFaults,
  writingMethods,
} from './eventstoredb-appends.ts';
import { openDoor } from './eventstoredb-door.ts';
import { Log } from './eventstoredb-log.ts';
import { failure } from './eventstoredb-messages.ts';
import { consumerTooSlow, type ReadCall, servePage, serveSubscription } from './eventstoredb-reads.ts';

export interface EventStoreDbStandIn {
  /** Connection string; the same after `stop` and `start`. */
  readonly url: string;
  readonly log: Log;
  /** Subscriptions that are open now. */
  subscriptions(): number;
  /** Answers nothing and applies nothing; what arrives is handled after `thaw`. Connections stay open. */
  freeze(): void;
  thaw(): void;
  /** Resets every connection; new ones are taken. */
  cutConnections(): void;
  /** Ends append streams and subscriptions as if all were well. */
  endStreamsCleanly(): void;
  /** Ends append streams and subscriptions with this status (13: as a server that is stopped in good order). */
  failStreams(code: status, details: string): void;
  /** Ends the subscriptions as a server does whose live buffer is full. */
  dropSubscriptions(): void;
  /** From now on a subscription breaks when more than 32 events arrive at once. */
  limitLiveBuffer(): void;
  /** The next appends are written and not answered. */
  loseNextAnswers(count: number): void;
  /** The next appends are neither written nor answered, as a retry that overtakes the replication of its original. */
  ignoreNextAppends(count: number): void;
  /** The next appends are refused: the server is too busy. */
  refuseNextAppends(count: number): void;
  /** The next appends are answered twice. */
  answerTwice(count: number): void;
  /** The next successes are answered with position -1. */
  positionMinusOne(count: number): void;
  /** The next appends are written but answered as a conflict with the head that they made. */
  conflictAfterWriting(count: number): void;
  /** Filtered pages answer nothing until their deadline, as behind millions of foreign events. */
  stallFilteredPages(stalled: boolean): void;
  /** Goes away with all connections; the log stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Listens on 127.0.0.1, on any free port where none is given. */
export async function startEventStoreDbStandIn(
  options: { port?: number } = {},
): Promise<EventStoreDbStandIn> {
  const log = new Log();
  const appending = new Set<BatchCall>();
  const following = new Set<ReadCall>();
  const next = { lose: 0, ignore: 0, busy: 0, twice: 0, minusOne: 0, conflict: 0 };
  let frozen: Array<() => void> | null = null;
  let pagesStalled = false;
  let liveBufferLimited = false;

  const faults: WriteFaults = {
    whenThawed(work) {
      if (frozen === null) work();
      else frozen.push(work);
    },
    due(fault) {
      if (next[fault] === 0) return false;
      next[fault]--;
      return true;
    },
  };

  function read(call: ReadCall): void {
    const wanted = call.request.getOptions();
    if (wanted === undefined) {
      call.emit('error', failure(status.INVALID_ARGUMENT, 'a read has options'));
    } else if (wanted.hasSubscription()) {
      following.add(call);
      for (const event of ['cancelled', 'close', 'error']) call.on(event, () => following.delete(call));
      void serveSubscription(call, log, wanted, () => liveBufferLimited);
    } else if (!(pagesStalled && wanted.hasFilter())) {
      void servePage(call, log, wanted);
    }
  }

  const server = new Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 });
  server.addService(streamsRpc.StreamsService, {
    ...writingMethods(log, appending, faults),
    read: (call: ReadCall) => faults.whenThawed(() => read(call)),
  });
  server.addService(featuresRpc.ServerFeaturesService, {
    getSupportedMethods: (
      _: unknown,
      callback: (error: null, methods: ReturnType<typeof supportedMethods>) => void,
    ) => faults.whenThawed(() => callback(null, supportedMethods())),
  });
  const door = await openDoor(server, options.port ?? 0);

  const fail = (calls: Iterable<BatchCall | ReadCall>, error: ServerErrorResponse): void => {
    for (const call of [...calls]) call.emit('error', error);
  };

  return {
    url: `esdb://127.0.0.1:${door.port}?tls=false`,
    log,
    subscriptions: () => following.size,
    freeze() {
      frozen ??= [];
    },
    thaw() {
      const work = frozen ?? [];
      frozen = null;
      for (const each of work) each();
    },
    cutConnections: () => door.cut(),
    endStreamsCleanly() {
      for (const call of [...appending, ...following]) call.end();
    },
    failStreams: (code, details) => fail([...appending, ...following], failure(code, details)),
    dropSubscriptions: () => fail(following, consumerTooSlow()),
    limitLiveBuffer() {
      liveBufferLimited = true;
    },
    loseNextAnswers(count) {
      next.lose = count;
    },
    ignoreNextAppends(count) {
      next.ignore = count;
    },
    refuseNextAppends(count) {
      next.busy = count;
    },
    answerTwice(count) {
      next.twice = count;
    },
    positionMinusOne(count) {
      next.minusOne = count;
    },
    conflictAfterWriting(count) {
      next.conflict = count;
    },
    stallFilteredPages(stalled) {
      pagesStalled = stalled;
    },
    stop: () => door.close(),
    start: () => door.open(),
  };
}
