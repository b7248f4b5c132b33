/**
 * Reactors follow the wallets' events and give orders to other streams: what follows from an event, and no decision may
 * wait for. Every reaction is named after its event and so is once, however often it is given; that is why the checkpoint
 * may move after events are done, and a crash in between does them again.
 *
 * One process at a time: it holds the checkpoint's row while it works, for a slice of time. Then the checkpoint moves as
 * far as it has come: slow streams, an outage or the process' end cost no more than the slice. Real money hangs on nothing
 * here that is not in the streams: without the schema of the checkpoint everything is followed again from the first event.
 */
import { type Cursor, type EventStore, hashOf, type Page, type RecordedEvent } from '@tallystick/event-store';
import { inTransaction } from '@tallystick/projections';
import type { Pool, PoolClient } from 'pg';
import { startLoop } from '../webhooks/loop.ts';
import { ReactionImpossible, type Reactor, reactTo } from './reaction.ts';
import { Aside, isAnyAside, type OnSetAside, retryAside, setAsideTable } from './set-aside.ts';

export interface ReactorParts {
  readonly store: Pick<EventStore, 'readAll' | 'readRevisions' | 'watch'>;
  readonly pool: Pool;
  readonly namespace: string;
  readonly reactors: readonly Reactor[];
  readonly onError: (error: unknown) => void;
  /** Told of each reaction that is not possible, and each time that it still is not. */
  readonly onSetAside?: OnSetAside;
  /** After so long the checkpoint moves as far as it has come: 10 s. */
  readonly sliceMs?: number;
}

/** What reactors are told of. */
export const CATEGORIES = ['wallet'] as const;
const PAGE = 4_000;
const POLL_MS = 1_000;
const GATHER_MS = 100;
const ERROR_PAUSE_MS = 1_000;
const SLICE_MS = 10_000;
/** Beyond a slice and the longest that one reaction may take. */
const BEGIN = `begin; set local statement_timeout = '30s'; set local idle_in_transaction_session_timeout = '120s'`;

export interface Reactions {
  /** Resolves when the reaction under way has ended, and is behind the checkpoint. */
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
  let stopping = false;
  const isStopping = (): boolean => stopping;
  const loop = startLoop({
    pauseMs: POLL_MS,
    gatherMs: GATHER_MS,
    errorPauseMs: ERROR_PAUSE_MS,
    onError,
    async work() {
      const more = await moveReactions(parts, schema, isStopping);
      return (await tryAsideAgain(parts, schema, isStopping)) || more;
    },
  });
  const unwatch = store.watch(() => loop.wake(), CATEGORIES);
  return {
    async stop() {
      stopping = true;
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
      insert into ${schema}.checkpoint default values on conflict do nothing;
      ${setAsideTable(schema)}`);
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

/** One slice. @returns whether there is more */
export async function moveReactions(
  parts: ReactorParts,
  schema: string,
  isStopping: () => boolean = () => false,
): Promise<boolean> {
  const { store, pool } = parts;
  const moved = await inTransaction(pool, BEGIN, async (client) => {
    const checkpoint = await takeCheckpoint(client, schema);
    // Another process is at it.
    if (checkpoint === null) return { more: false };
    const { cursor: after } = checkpoint;
    const page = await store.readAll({ after, limit: PAGE, categories: CATEGORIES });
    if (page.cursor === after) return { more: false };
    const aside = await Aside.read(client, schema, page.events);
    const { done, failure } = await reactToAll(parts, page.events, aside, sliceOf(parts, isStopping));
    if (done === page.events.length) await moveCheckpoint(client, schema, page);
    else if (done > 0) await moveCheckpoint(client, schema, await firstOf(store, after, done));
    return { more: done < page.events.length || !page.atEnd, failure };
  });
  // Only now: what was done before it is behind the checkpoint.
  if (moved.failure !== undefined) throw moved.failure.reason;
  return moved.more;
}

/** Null where another process has it. */
async function takeCheckpoint(
  client: PoolClient,
  schema: string,
): Promise<{ readonly cursor: Cursor | null } | null> {
  const { rows } = await client.query<{ cursor: Cursor | null }>(
    `select cursor from ${schema}.checkpoint for update skip locked`,
  );
  return rows[0] ?? null;
}

/** @returns whether it is time to end, asked before each reaction */
function sliceOf({ sliceMs = SLICE_MS }: ReactorParts, isStopping: () => boolean): () => boolean {
  const endsAt = performance.now() + sliceMs;
  return () => isStopping() || performance.now() >= endsAt;
}

interface Slice {
  /** How many of the events, from the first on. */
  readonly done: number;
  /** What kept the next one from being done. */
  readonly failure?: { readonly reason: unknown };
}

async function reactToAll(
  { reactors, onSetAside }: ReactorParts,
  events: readonly RecordedEvent[],
  aside: Aside,
  isOver: () => boolean,
): Promise<Slice> {
  let done = 0;
  for (const recorded of events) {
    if (isOver()) break;
    try {
      for (const reactor of reactors) {
        if (reactor.types.has(recorded.type)) await reactOrSetAside(reactor, recorded, aside, onSetAside);
      }
    } catch (reason) {
      return { done, failure: { reason } };
    }
    done += 1;
  }
  return { done };
}

async function reactOrSetAside(
  reactor: Reactor,
  recorded: RecordedEvent,
  aside: Aside,
  onSetAside: OnSetAside = () => undefined,
): Promise<void> {
  if (aside.has(reactor, recorded)) return aside.add(reactor, recorded, null);
  try {
    await reactTo(reactor, recorded);
  } catch (err) {
    if (!(err instanceof ReactionImpossible)) throw err;
    await aside.add(reactor, recorded, err);
    const { stream, revision } = recorded;
    onSetAside({ reactor: reactor.name, stream, revision, err });
  }
}

/** A cursor stands at the end of a page: this page ends with the last event that is done, or before it. */
async function firstOf(
  store: Pick<EventStore, 'readAll'>,
  after: Cursor | null,
  done: number,
): Promise<Page> {
  return store.readAll({ after, limit: done, categories: CATEGORIES });
}

/** @returns whether there is more */
export async function tryAsideAgain(
  parts: ReactorParts,
  schema: string,
  isStopping: () => boolean = () => false,
): Promise<boolean> {
  const { pool } = parts;
  if (!(await isAnyAside(pool, schema))) return false;
  return inTransaction(pool, BEGIN, async (client) => {
    if ((await takeCheckpoint(client, schema)) === null) return false;
    return retryAside(parts, client, schema, sliceOf(parts, isStopping));
  });
}

async function moveCheckpoint(client: PoolClient, schema: string, page: Page): Promise<void> {
  const last = page.events.at(-1);
  await client.query(
    `update ${schema}.checkpoint set cursor = $1,
       stream = coalesce($2, stream), revision = coalesce($3, revision), hash = coalesce($4, hash)`,
    [page.cursor, last?.stream ?? null, last?.revision ?? null, last === undefined ? null : hashOf(last)],
  );
}
