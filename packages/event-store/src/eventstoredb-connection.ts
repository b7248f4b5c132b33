/**
 * The connection to an EventStoreDB. This and `eventstoredb-codec.ts` are the only files that import the client.
 *
 * The client finds the node, follows the leader, holds TLS and the password, and opens the channel. The calls are made
 * by ourselves on its generated stubs, because its own ones lose money or CPU (event-store.md, traps 2-5, 13, 14, 16 and
 * speed.md, point 2): its append path keeps its promises in one map per process, hangs where the server ends
 * the stream, knows no time-out and takes JSON through base64; its $all pages have no filter.
 */
import { EventStoreDBClient } from '@eventstore/db-client';
import streamsRpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { type CallOptions, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { StoreUnavailable } from './port.ts';

export type StreamsClient = streamsRpc.StreamsClient;

export interface Connection {
  /** Stubs on the current channel, connected or not. */
  streams(): Promise<StreamsClient>;
  /** The same, once the channel is connected; StoreUnavailable('unwritten') where it is not within that time. */
  connected(timeoutMs: number): Promise<StreamsClient>;
  /** Head and options of a call; `leader`: a follower refuses it, and the client turns to the leader. */
  callArguments(options: { leader: boolean; timeoutMs: number }): [Metadata, CallOptions];
  /** A call on these stubs failed: where its error says so, the next call uses a new channel or another node. */
  failed(streams: StreamsClient, error: unknown): void;
  close(): Promise<void>;
}

export function openConnection(connectionString: string): Connection {
  const client = EventStoreDBClient.connectionString(connectionString);
  // Brackets reach what the client keeps `protected` for its own commands; its version is pinned for that reason.
  const streams = async (): Promise<StreamsClient> => {
    try {
      return await client['execute'](streamsRpc.StreamsClient, 'ledger', async (stubs) => stubs);
    } catch (cause) {
      throw new StoreUnavailable('unwritten', 'no node of the event store was found', { cause });
    }
  };
  const failed = (stubs: StreamsClient, error: unknown): void => {
    if (error instanceof Error && 'code' in error) void client['handleError'](stubs, error);
  };
  return {
    streams,
    failed,
    async connected(timeoutMs) {
      const stubs = await streams();
      const cause = await waitForReady(stubs, timeoutMs);
      if (cause === null) return stubs;
      failed(stubs, unavailable(cause.message));
      throw new StoreUnavailable('unwritten', 'no connection to the event store', { cause });
    },
    callArguments: ({ leader, timeoutMs }) =>
      client['callArguments'](
        { requiresLeader: leader },
        { deadline: timeoutMs === Number.POSITIVE_INFINITY ? timeoutMs : Date.now() + timeoutMs },
      ),
    async close() {
      await client.dispose();
      // `dispose` only cancels the client's own streams; an open channel would keep the process alive.
      const channel = await client['getChannel']().catch(() => null);
      channel?.close();
    },
  };
}

function waitForReady(stubs: StreamsClient, timeoutMs: number): Promise<Error | null> {
  return new Promise((resolve) => {
    stubs.waitForReady(Date.now() + timeoutMs, (error) => resolve(error ?? null));
  });
}

/** As the channel itself says it, so that the client opens a new one: an old one waits longer after each failure. */
function unavailable(details: string): ServiceError {
  const error = new Error(details);
  return Object.assign(error, { code: status.UNAVAILABLE, details, metadata: new Metadata() });
}

/** True where the call failed with this status. */
export function hasStatus(error: unknown, code: status): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The server's name of the fault (`stream-deleted`, `not-leader`), null where it gave none. */
export function exceptionOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('metadata' in error) || !(error.metadata instanceof Metadata))
    return null;
  return error.metadata.get('exception')[0]?.toString() ?? null;
}
