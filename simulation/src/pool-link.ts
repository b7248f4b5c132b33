/**
 * The database as one process sees it: the part of `pg.Pool` that the projections use. Every statement runs for real,
 * but when its step is taken, and its result waits for another step. When a process dies, or its connection is lost, what
 * it has not committed is rolled back.
 *
 * Transactions of one schema take turns, from `begin` to the end. On the server the second of one partition would wait as
 * well: each first moves its checkpoint, or takes the lock of the schema, before it does anything that another could see;
 * and those of two partitions touch different rows. Waiting here instead of there keeps the order of steps in the hands of
 * the seed.
 */
import type { Pool } from 'pg';
import type { Database } from './database.ts';
import type { LinkParts } from './store-link.ts';

export interface PoolParts extends LinkParts {
  readonly database: Database;
  readonly turns: Turns;
  /** Called when the life has ended; waited for before any other step. */
  readonly onDeath: (work: () => Promise<void>) => void;
}

/** Who may have a transaction open. */
export class Turns {
  #taken = false;
  readonly #waiting: (() => void)[] = [];

  /** @param isThere whether whoever waits is still alive when its turn comes */
  take(isThere: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const start = (): void => {
        if (!isThere()) return;
        this.#taken = true;
        resolve();
      };
      if (this.#taken) this.#waiting.push(start);
      else start();
    });
  }

  pass(): void {
    this.#taken = false;
    while (!this.#taken) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }
}

type Query = string | { readonly text: string; readonly values?: unknown[] };

export function linkPool(parts: PoolParts): Pool {
  const { timeline, chance, faults, life, database } = parts;
  const pool = {
    query: (query: Query, values?: unknown[]) =>
      timeline.call(life, labelOf(query, database.schema), () => {
        if (chance.happens(faults.databaseAway)) throw connectionLost();
        return database.single.query(textOf(query), valuesOf(query, values));
      }),
    connect: async () => new LinkedClient(parts),
  };
  // Of the pool only these two are ever used; the rest of its type is not simulated.
  return pool as unknown as Pool;
}

class LinkedClient {
  readonly #parts: PoolParts;
  #open = false;
  #lost = false;
  #committing = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    parts.onDeath(() => this.#lose());
  }

  async query(query: Query, values?: unknown[]): Promise<unknown> {
    const { timeline, life, database, turns } = this.#parts;
    if (!this.#open && !this.#lost) {
      await turns.take(() => life.alive);
      this.#open = true;
    }
    this.#committing = textOf(query) === 'commit';
    return timeline.call(life, labelOf(query, database.schema), () => this.#run(query, values));
  }

  async #run(query: Query, values?: unknown[]): Promise<unknown> {
    const { chance, faults, database } = this.#parts;
    if (this.#lost) throw connectionLost();
    if (chance.happens(faults.databaseAway)) {
      await this.#lose();
      throw connectionLost();
    }
    const result = await database.inTransaction.query(textOf(query), valuesOf(query, values));
    if (this.#committing) this.#end();
    return result;
  }

  /** The connection ends; a commit that was on its way may have been made. */
  async #lose(): Promise<void> {
    this.#lost = true;
    if (!this.#open) return;
    const isMade = this.#committing && this.#parts.chance.happens(0.5);
    await this.#parts.database.inTransaction.query(isMade ? 'commit' : 'rollback');
    this.#end();
  }

  #end(): void {
    this.#open = false;
    this.#lost = true;
    this.#parts.turns.pass();
  }

  on(): void {
    // Nothing is told between two statements: a lost connection shows at the next.
  }
  removeListener(): void {
    // As above.
  }

  release(): void {
    const { timeline, life } = this.#parts;
    if (this.#open) void timeline.step(life, 'rollback', () => this.#lose());
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' });
}

const textOf = (query: Query): string => (typeof query === 'string' ? query : query.text);

const valuesOf = (query: Query, values: unknown[] | undefined): unknown[] | undefined =>
  typeof query === 'string' ? values : (query.values ?? values);

/** The beginning of a statement, enough to tell it from others. */
function labelOf(query: Query, schema: string): string {
  const text = textOf(query).replaceAll(`"${schema}".`, '').replaceAll(/\s+/g, ' ').trim();
  return text.slice(0, 44);
}
