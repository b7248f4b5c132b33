/** The door-bell: notifications of Postgres, and a look at the last position now and then for those that got lost. */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { Reconnecting } from './postgres-connection.ts';

const POLL_MS = 250;

interface Watcher {
  readonly ring: () => void;
  readonly categories: readonly string[] | undefined;
}

/** Connects while someone watches. Where the connection is lost it listens again; until then the looks suffice. */
export class DoorBell {
  readonly #watchers = new Set<Watcher>();
  readonly #connection: Reconnecting;
  readonly #lastPosition: () => Promise<bigint>;
  #lost = Promise.withResolvers<void>();
  #rested = Promise.withResolvers<void>();
  #listening: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #seen: bigint | null = null;
  #looking = false;

  constructor(config: pg.ClientConfig, channel: string, lastPosition: () => Promise<bigint>) {
    this.#lastPosition = lastPosition;
    const listen = async (client: pg.Client): Promise<void> => {
      client.on('notification', ({ payload }) => this.#ring(payload ? payload.split(',') : null));
      await client.query(`listen ${channel}`);
    };
    this.#connection = new Reconnecting(config, listen, () => this.#lost.resolve());
  }

  watch(ring: () => void, categories?: readonly string[]): () => void {
    const watcher = { ring, categories };
    if (this.#watchers.size === 0) this.#rested = Promise.withResolvers();
    this.#watchers.add(watcher);
    this.#timer ??= setInterval(() => void this.#look(), POLL_MS).unref();
    this.#listening ??= this.#listen();
    return () => {
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#rest();
    };
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    this.#connection.cancel();
    this.#rest();
    await this.#listening;
  }

  /** `written`: the categories of what was appended; null where they are not known. */
  #ring(written: readonly string[] | null): void {
    for (const { ring, categories } of this.#watchers) {
      if (!written || !categories || categories.some((category) => written.includes(category))) ring();
    }
  }

  /** Listens until nobody watches. Each time it begins it rings: what happened while it was deaf is not known. */
  async #listen(): Promise<void> {
    while (this.#watchers.size > 0) {
      this.#lost = Promise.withResolvers();
      try {
        await this.#connection.open();
        this.#ring(null);
        if (this.#watchers.size > 0) await this.#lost.promise;
      } catch {
        // Not reachable, or closed: `open` paused before this try and will before the next; the looks go on.
      }
      if (this.#watchers.size === 0) break;
      await Promise.race([pause(POLL_MS, undefined, { ref: false }), this.#rested.promise]);
    }
    this.#connection.drop();
    this.#listening = null;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const position = await this.#lastPosition();
      const moved = position !== this.#seen;
      this.#seen = position;
      if (moved) this.#ring(null);
    } catch {
      // Not reachable now: the next look tells.
    } finally {
      this.#looking = false;
    }
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#connection.drop();
    this.#lost.resolve();
    this.#rested.resolve();
  }
}
