/**
 * For a process that reads but does not project: waits until the projector, wherever it runs, has come far enough.
 * It listens to the projector's notifications; while somebody waits it also looks, because a notification gets lost with
 * its connection. While nobody waits it asks for nothing.
 */
import type { Pool, PoolClient } from 'pg';
import { reached } from './reads.ts';
import { quoted } from './schema.ts';
import { WaitingList, type Wanted } from './waiting.ts';

export interface Follower {
  /** Resolves false where it is not reached in time, or not known to be. */
  waitFor(wanted: Wanted, timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

const LOOK_MS = 40;

export function followReads(pool: Pool, schema: string): Follower {
  return new ListeningFollower(pool, schema);
}

class ListeningFollower implements Follower {
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #waiting = new WaitingList();
  #listener: PoolClient | null = null;
  #connecting = false;
  #looking = false;
  #again = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(pool: Pool, schema: string) {
    this.#pool = pool;
    this.#schema = schema;
  }

  waitFor(wanted: Wanted, timeoutMs: number): Promise<boolean> {
    const reached = this.#waiting.wait(wanted, timeoutMs);
    void this.#listen();
    void this.#look();
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS).unref();
    return reached;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.giveUp();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#listener?.release(true);
    this.#listener = null;
  }

  async #listen(): Promise<void> {
    if (this.#listener !== null || this.#connecting || this.#closed) return;
    this.#connecting = true;
    try {
      const client = await this.#pool.connect();
      const lost = (): void => {
        if (this.#listener !== client) return;
        this.#listener = null;
        client.release(true);
      };
      client.on('error', lost);
      client.on('notification', () => void this.#look());
      await client.query(`listen ${quoted(this.#schema)}`);
      if (this.#closed) client.release(true);
      else this.#listener = client;
    } catch {
      // The database is away: looking fails as well, and whoever waits is told in time.
    } finally {
      this.#connecting = false;
    }
  }

  /** One query for all who wait; what is asked for while it runs is answered by the next. */
  async #look(): Promise<void> {
    if (this.#waiting.size === 0) {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    try {
      await this.#compare();
    } catch {
      // As above.
    } finally {
      this.#looking = false;
    }
    if (this.#again) {
      this.#again = false;
      void this.#look();
    }
  }

  async #compare(): Promise<void> {
    const schema = quoted(this.#schema);
    const { rows } = await this.#pool.query<{
      position: string;
      account: string | null;
      revision: string | null;
    }>({
      name: `${this.#schema}:reached`,
      text: `select c.position, b.account, b.revision
        from ${reached(schema)} c
        left join ${schema}.balances b on b.unit = 'credits' and b.account = any($1)`,
      values: [this.#waiting.accounts()],
    });
    const [first] = rows;
    if (first === undefined) return;
    const revisions = new Map(rows.map(({ account, revision }) => [account, Number(revision)]));
    this.#waiting.reached(BigInt(first.position), (account) => revisions.get(account));
  }
}
