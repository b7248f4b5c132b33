/**
 * Reactions that are not possible, such as an order to a wallet that this code cannot read: they are set aside, so that
 * nobody else's wait for people to look, and tried again later. What follows from later events of the same stream waits
 * behind them, for its own reactor: a referral is taken back after it has accrued, or it would stay.
 */
import type { EventStore, RecordedEvent } from '@tallystick/event-store';
import type { Pool, PoolClient } from 'pg';
import { ReactionImpossible, type Reactor, reactTo } from './reaction.ts';

/** A reaction, as the log tells of it. */
export interface SetAside {
  readonly reactor: string;
  readonly stream: string;
  readonly revision: number;
  readonly err: Error;
}

export type OnSetAside = (aside: SetAside) => void;

/** Seconds before it is tried again; doubled each time. */
const RETRY_SECONDS = 60;
const RETRY_SECONDS_MAX = 3_600;
/** In one transaction. */
const RETRIES = 20;

export const setAsideTable = (schema: string): string => `
  create table if not exists ${schema}.set_aside (
    reactor text collate "C" not null,
    stream text collate "C" not null,
    revision bigint not null,
    -- 0: it waits behind another of its stream, and was not tried.
    attempts integer not null,
    reason text not null,
    set_aside_at timestamptz not null default now(),
    next_attempt_at timestamptz not null,
    primary key (reactor, stream, revision)
  )`;

/** What of these events has to wait, since something of its stream does. */
export class Aside {
  readonly #client: PoolClient;
  readonly #schema: string;
  readonly #streams: Set<string>;

  private constructor(client: PoolClient, schema: string, streams: Set<string>) {
    this.#client = client;
    this.#schema = schema;
    this.#streams = streams;
  }

  static async read(client: PoolClient, schema: string, events: readonly RecordedEvent[]): Promise<Aside> {
    const { rows } = await client.query<{ reactor: string; stream: string }>(
      `select distinct reactor, stream from ${schema}.set_aside where stream = any ($1)`,
      [[...new Set(events.map(({ stream }) => stream))]],
    );
    return new Aside(client, schema, new Set(rows.map(({ reactor, stream }) => keyOf(reactor, stream))));
  }

  has(reactor: Reactor, { stream }: RecordedEvent): boolean {
    return this.#streams.has(keyOf(reactor.name, stream));
  }

  /** @param error null: it waits behind another, and was not tried */
  async add(reactor: Reactor, { stream, revision }: RecordedEvent, error: Error | null): Promise<void> {
    this.#streams.add(keyOf(reactor.name, stream));
    await this.#client.query(
      `insert into ${this.#schema}.set_aside (reactor, stream, revision, attempts, reason, next_attempt_at)
       values ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
       on conflict (reactor, stream, revision) do nothing`,
      [
        reactor.name,
        stream,
        revision,
        error === null ? 0 : 1,
        error === null ? 'it waits behind another' : textOf(error),
        error === null ? 0 : RETRY_SECONDS,
      ],
    );
  }
}

/** Neither holds a space. */
const keyOf = (reactor: string, stream: string): string => `${reactor} ${stream}`;

/** Postgres stores no NUL. */
const textOf = ({ message }: Error): string => message.replaceAll('\0', '').slice(0, 1_000);

interface Row {
  readonly reactor: string;
  readonly stream: string;
  readonly revision: string;
}

export interface RetryParts {
  readonly store: Pick<EventStore, 'readRevisions'>;
  readonly reactors: readonly Reactor[];
  readonly onSetAside?: OnSetAside;
}

/** Whether there may be something to try again. */
export async function isAnyAside(pool: Pool, schema: string): Promise<boolean> {
  const { rows } = await pool.query(`select from ${schema}.set_aside where next_attempt_at <= now() limit 1`);
  return rows.length > 0;
}

/**
 * Tries the first of each stream again whose time has come. For who holds the checkpoint, so that nobody is at the same
 * stream meanwhile. @returns whether any was done: then there may be more behind it
 */
export async function retryAside(
  { store, reactors, onSetAside = () => undefined }: RetryParts,
  client: PoolClient,
  schema: string,
  isOver: () => boolean,
): Promise<boolean> {
  const { rows } = await client.query<Row>(
    `select reactor, stream, revision from (
       select distinct on (reactor, stream) reactor, stream, revision, next_attempt_at
       from ${schema}.set_aside order by reactor, stream, revision) first
     where next_attempt_at <= now() order by next_attempt_at limit ${RETRIES}`,
  );
  let done = false;
  for (const { reactor: name, stream, revision } of rows) {
    if (isOver()) break;
    try {
      const reactor = reactors.find((one) => one.name === name);
      if (reactor === undefined) throw new ReactionImpossible(`nothing here is called ${name}`);
      const [recorded] = await store.readRevisions(stream, [Number(revision)]);
      // Of a store that was restored to before it: then nothing follows from it.
      if (recorded !== undefined) await reactTo(reactor, recorded);
      await client.query(
        `delete from ${schema}.set_aside where reactor = $1 and stream = $2 and revision = $3`,
        [name, stream, revision],
      );
      done = true;
    } catch (err) {
      if (!(err instanceof ReactionImpossible)) throw err;
      await client.query(
        `update ${schema}.set_aside set attempts = attempts + 1, reason = $4, next_attempt_at = now()
           + least(${RETRY_SECONDS} * 2 ^ least(attempts, 10), ${RETRY_SECONDS_MAX}) * interval '1 second'
         where reactor = $1 and stream = $2 and revision = $3`,
        [name, stream, revision, textOf(err)],
      );
      onSetAside({ reactor: name, stream, revision: Number(revision), err });
    }
  }
  return done;
}
