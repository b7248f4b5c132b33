/**
 * Reactors follow the wallets' events and give orders to other streams: what follows from an event, and no decision may
 * wait for. Every reaction is named after its event and so is once, however often it is given; that is why the checkpoint
 * may move after a page is done, and a crash in between does the page again.
 *
 * One process at a time: it holds the checkpoint's row while it works. Real money hangs on nothing here that is not in
 * the streams: without the schema of the checkpoint everything is followed again from the first event.
 */
import type { DomainEvent } from '@tallystick/domain';
import {
  decodeEvent,
  type EventStore,
  hashOf,
  type Page,
  type RecordedEvent,
  type StoredEvent,
} from '@tallystick/event-store';
import { inTransaction } from '@tallystick/projections';
import type { Pool, PoolClient } from 'pg';
import { startLoop } from '../webhooks/loop.ts';

/** What follows from events of some types. Called in the order of the events; may be called twice for one. */
export interface Reactor {
  readonly types: ReadonlySet<string>;
  /** Throws where it is not possible now: then it is asked again. */
  react(event: StoredEvent<DomainEvent>): Promise<void>;
}

export interface ReactorParts {
  readonly store: Pick<EventStore, 'readAll' | 'readRevisions' | 'watch'>;
  readonly pool: Pool;
  readonly namespace: string;
  readonly reactors: readonly Reactor[];
  readonly onError: (error: unknown) => void;
}

/** What reactors are told of. */
export const CATEGORIES = ['wallet'] as const;
const PAGE = 500;
const POLL_MS = 1_000;
const ERROR_PAUSE_MS = 1_000;
/** What is done of a page waits for other streams; nobody else needs the row meanwhile. */
const BEGIN = `begin; set local statement_timeout = '30s'; set local idle_in_transaction_session_timeout = '120s'`;

export interface Reactions {
  /** Resolves when the page under way has ended. */
  stop(): Promise<void>;
}

/** The checkpoint is behind an event that the store does not have: it is another ledger's. */
export class ForeignReactions extends Error {
  constructor(schema: string, stream: string, revision: string) {
    super(
      `the reactions in ${schema} have seen ${stream}:${revision}, which the store does not have; ` +
        'drop the schema to have everything followed again',
    );
    this.name = 'ForeignReactions';
  }
}

/** @throws ForeignReactions */
export async function startReactors(parts: ReactorParts): Promise<Reactions> {
  const { store, pool, namespace, onError } = parts;
  const schema = await openCheckpoint(pool, namespace);
  await assertSameHistory(parts, schema);
  const loop = startLoop({
    pauseMs: POLL_MS,
    errorPauseMs: ERROR_PAUSE_MS,
    onError,
    work: () => moveReactions(parts, schema),
  });
  const unwatch = store.watch(() => loop.wake(), CATEGORIES);
  return {
    async stop() {
      unwatch();
      await loop.stop();
    },
  };
}

/** Quoted. */
export function reactionsSchema(namespace: string): string {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(namespace))
    throw new Error(`not a namespace: ${JSON.stringify(namespace)}`);
  return `"${namespace}_reactions"`;
}

/** @returns the quoted schema */
export async function openCheckpoint(pool: Pool, namespace: string): Promise<string> {
  const schema = reactionsSchema(namespace);
  await inTransaction(pool, 'begin', async (client) => {
    // `create … if not exists` of two at once is an error of one.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [schema]);
    await client.query(`create schema if not exists ${schema};
      create table if not exists ${schema}.checkpoint (
        one boolean primary key default true check (one),
        cursor text,
        stream text,
        revision bigint,
        hash text
      );
      insert into ${schema}.checkpoint default values on conflict do nothing`);
  });
  return schema;
}

async function assertSameHistory({ store, pool }: ReactorParts, schema: string): Promise<void> {
  const { rows } = await pool.query<{ stream: string | null; revision: string; hash: string }>(
    `select stream, revision, hash from ${schema}.checkpoint`,
  );
  const [last] = rows;
  if (last === undefined || last.stream === null) return;
  const [event] = await store.readRevisions(last.stream, [Number(last.revision)]);
  if (event === undefined || hashOf(event) !== last.hash)
    throw new ForeignReactions(schema, last.stream, last.revision);
}

/** One page. @returns whether there is more */
export async function moveReactions(
  { store, pool, reactors }: ReactorParts,
  schema: string,
): Promise<boolean> {
  return inTransaction(pool, BEGIN, async (client) => {
    const { rows } = await client.query<{ cursor: string | null }>(
      `select cursor from ${schema}.checkpoint for update skip locked`,
    );
    const [checkpoint] = rows;
    // Another process is at it.
    if (checkpoint === undefined) return false;
    const page = await store.readAll({ after: checkpoint.cursor, limit: PAGE, categories: CATEGORIES });
    if (page.cursor === checkpoint.cursor) return false;
    for (const recorded of page.events) await react(reactors, recorded);
    await moveCheckpoint(client, schema, page);
    return !page.atEnd;
  });
}

async function react(reactors: readonly Reactor[], recorded: RecordedEvent): Promise<void> {
  const concerned = reactors.filter(({ types }) => types.has(recorded.type));
  if (concerned.length === 0) return;
  const event = decodeEvent<DomainEvent>(recorded);
  for (const reactor of concerned) await reactor.react(event);
}

async function moveCheckpoint(client: PoolClient, schema: string, page: Page): Promise<void> {
  const last = page.events.at(-1);
  await client.query(
    `update ${schema}.checkpoint set cursor = $1,
       stream = coalesce($2, stream), revision = coalesce($3, revision), hash = coalesce($4, hash)`,
    [page.cursor, last?.stream ?? null, last?.revision ?? null, last === undefined ? null : hashOf(last)],
  );
}
