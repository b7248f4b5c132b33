/** One dedicated connection that is opened when needed, and again with growing pauses after it was lost. */
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

const CONNECT_MS_MAX = 5_000;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 2_000;

export interface Connection {
  readonly client: pg.Client;
  /** Ends it at once, also when the server does not answer; a query in flight fails. */
  destroy(): void;
}

/** Owns at most one open connection. Not for concurrent use: one caller awaits `open` at a time. */
export class Reconnecting {
  readonly #options: pg.ClientConfig;
  readonly #prepare: (client: pg.Client) => Promise<void>;
  readonly #onLost: () => void;
  readonly #closing = new AbortController();
  #current: Connection | null = null;
  #failures = 0;

  /** `prepare` runs on every new connection before it is used; `onLost` after an open one has ended. */
  constructor(
    options: pg.ClientConfig,
    prepare: (client: pg.Client) => Promise<void>,
    onLost = (): void => undefined,
  ) {
    this.#options = options;
    this.#prepare = prepare;
    this.#onLost = onLost;
  }

  /** The open connection, or a new one. After failures it waits before it tries; rejects if the try fails. */
  async open(): Promise<Connection> {
    if (this.#current) return this.#current;
    if (this.#failures > 0) {
      const ms = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (this.#failures - 1));
      await pause(ms, undefined, { signal: this.#closing.signal });
    }
    this.#closing.signal.throwIfAborted();
    try {
      this.#current = await this.#connect();
    } catch (error) {
      this.#failures++;
      throw error;
    }
    this.#failures = 0;
    return this.#current;
  }

  async #connect(): Promise<Connection> {
    const socket = new Socket();
    const client = new pg.Client({
      ...this.#options,
      connectionTimeoutMillis: CONNECT_MS_MAX,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      stream: () => socket,
    });
    const connection = { client, destroy: () => void socket.destroy() };
    const lost = () => {
      if (this.#current !== connection) return;
      this.#current = null;
      this.#onLost();
    };
    client.on('error', lost);
    client.on('end', lost);
    const destroy = () => connection.destroy();
    this.#closing.signal.addEventListener('abort', destroy);
    try {
      await client.connect();
      await this.#prepare(client);
    } catch (error) {
      destroy();
      throw error;
    } finally {
      this.#closing.signal.removeEventListener('abort', destroy);
    }
    return connection;
  }

  /** Drops the open connection, if any; the next `open` makes another. */
  drop(): void {
    const connection = this.#current;
    this.#current = null;
    connection?.destroy();
  }

  /** Gives up opening, now and later; what is open stays open. */
  cancel(): void {
    this.#closing.abort(new Error('the store is closed'));
  }

  /** Ends the connection; a query in flight fails. */
  async close(): Promise<void> {
    this.cancel();
    const connection = this.#current;
    this.#current = null;
    if (connection) await connection.client.end().catch(() => undefined);
  }
}
