/**
 * The door-bell: a subscription from the end of the log that rings and carries nothing.
 *
 * It is closed after its first event and opened again a moment later. So a burst costs one event and not all of them
 * (each would be sent and decoded once more for nothing), and the server's live buffer of 32 events, which ends
 * subscriptions under bursts, is hardly ever reached. What falls between two subscriptions is covered: each rings when
 * the server has confirmed it. A subscription ends by `error` alone or by `end` and `close` without one
 * (event-store.md, trap 6); after either it is opened again, later and later while the server is away.
 */
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { Connection, StreamsClient } from './eventstoredb-connection.ts';
import { streamFilter } from './eventstoredb-read.ts';

/** Between a ring and the next subscription. */
const QUIET_MS = 25;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 5_000;

/** Rings after streams with these prefixes may have got events. Returns how to stop; stopped twice is stopped once. */
export function openDoorBell(connection: Connection, prefixes: string[], ring: () => void): () => void {
  let stopped = false;
  let current: ClientReadableStream<streamsPb.ReadResp> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let failures = 0;

  function openLater(ms: number): void {
    if (stopped || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      void open();
    }, ms);
  }

  async function open(): Promise<void> {
    try {
      const streams = await connection.streams();
      if (!stopped) subscribe(streams);
    } catch {
      lost();
    }
  }

  function lost(): void {
    openLater(Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_LAST_MS) * (0.5 + Math.random() / 2));
    failures = Math.min(failures + 1, 10);
  }

  function subscribe(streams: StreamsClient): void {
    const [metadata, options] = connection.callArguments({
      leader: false,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    const subscription = streams.read(subscriptionRequest(prefixes), metadata, options);
    current = subscription;
    const leave = (): boolean => {
      if (current !== subscription) return false;
      current = null;
      subscription.cancel();
      return true;
    };
    const ended = (error: unknown): void => {
      if (!leave()) return;
      connection.failed(streams, error);
      lost();
    };
    subscription.on('data', (response: streamsPb.ReadResp) => {
      if (current !== subscription) return;
      if (response.hasConfirmation()) {
        failures = 0;
        ring();
      }
      if (response.hasEvent() && leave()) {
        openLater(QUIET_MS);
        ring();
      }
    });
    subscription.on('error', ended);
    subscription.on('end', ended);
    subscription.on('close', ended);
  }

  void open();
  return () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
    const subscription = current;
    current = null;
    subscription?.cancel();
  };
}

function subscriptionRequest(prefixes: string[]): streamsPb.ReadReq {
  const { Options } = streamsPb.ReadReq;
  const options = new Options()
    .setAll(new Options.AllOptions().setEnd(new sharedPb.Empty()))
    .setSubscription(new Options.SubscriptionOptions())
    .setResolveLinks(false)
    .setUuidOption(new Options.UUIDOption().setString(new sharedPb.Empty()))
    .setFilter(streamFilter(prefixes));
  return new streamsPb.ReadReq().setOptions(options);
}
