/**
 * The event store port on an EventStoreDB (21.10 to 24.10) or KurrentDB server.
 *
 * The server judges an append by the expected revision and compares ids where that is below the head, durably: the
 * identical retry is answered as it was the first time. It knows no business keys, so `enforcesKeys` is false and the
 * runner needs a KeyIndex. A stream `wallet-acme` is `{namespace}.wallet-acme` on the server.
 *
 * Not guaranteed: `head` and reads ask the leader, but a leader that has lost its cluster may not know it yet.
 */
import { createAppender } from './eventstoredb-append.ts';
import { openConnection } from './eventstoredb-connection.ts';
import { createReader } from './eventstoredb-read.ts';
import { openDoorBell } from './eventstoredb-watch.ts';
import { type EventStore, StoreUnavailable } from './port.ts';
import { whyRejected } from './rejection.ts';

export interface EventStoreDbOptions {
  /** `esdb://user:password@host:2113?tlsCAFile=…`; `?tls=false` for an insecure node, which ignores the password. */
  readonly connectionString: string;
  /** Letters, digits, hyphens, underscores; not changed later: it is part of every stream's name. */
  readonly namespace?: string;
  /** From the call of an append to its answer; after that its outcome is unknown. */
  readonly appendTimeoutMs?: number;
  readonly readTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** Appends sent and not answered; more add nothing (speed.md, runner). */
  readonly inFlightMax?: number;
  /** Appends that wait for a place among those in flight; beyond it they are refused as unwritten. */
  readonly waitingMax?: number;
}

/** Connects with the first call. The process must hold one store only: it keeps one channel and one append stream. */
export function createEventStoreDbStore(options: EventStoreDbOptions): EventStore {
  const { connectionString, namespace = 'ledger' } = options;
  // A dot inside would let one namespace's filter match the streams of another.
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(namespace))
    throw new RangeError(`no usable namespace: ${namespace}`);
  const prefix = `${namespace}.`;
  const connection = openConnection(connectionString);
  const reader = createReader(connection, prefix, options.readTimeoutMs ?? 10_000);
  const appender = createAppender(connection, prefix, reader.readStream, {
    appendTimeoutMs: options.appendTimeoutMs ?? 5_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 2_000,
    inFlightMax: options.inFlightMax ?? 64,
    waitingMax: options.waitingMax ?? 10_000,
    waitingBytesMax: 64 * 1024 * 1024,
  });
  const watchers = new Set<() => void>();
  let closing: Promise<void> | null = null;

  return {
    enforcesKeys: false,
    async append(append) {
      const reason = whyRejected(append);
      return reason === null ? appender.append(append) : { status: 'rejected', reason };
    },
    readStream: (stream, range) => whileOpen(() => reader.readStream(stream, range)),
    readRevisions: (stream, revisions) => whileOpen(() => reader.readRevisions(stream, revisions)),
    head: (stream) => whileOpen(() => reader.head(stream)),
    readAll: (range) => whileOpen(() => reader.readAll(range)),
    watch(ring, categories) {
      const prefixes = categories?.map((category) => `${prefix}${category}-`) ?? [prefix];
      const stop = openDoorBell(connection, prefixes, ring);
      watchers.add(stop);
      return () => {
        watchers.delete(stop);
        stop();
      };
    },
    close() {
      closing ??= (async () => {
        for (const stop of watchers) stop();
        // An append in flight when the channel closes may be stored all the same, so it is waited for.
        await appender.drain();
        await connection.close();
      })();
      return closing;
    },
  };

  async function whileOpen<T>(read: () => Promise<T>): Promise<T> {
    if (closing !== null) throw new StoreUnavailable('unwritten', 'the event store is closed');
    return read();
  }
}
