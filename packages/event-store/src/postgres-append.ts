/**
 * Appends in groups: whatever waits goes to Postgres in one transaction and one round trip, while the next ones
 * gather. One group is in flight at a time; more connections or waiting on purpose gained nothing (speed.md).
 */
import { setImmediate as turn } from 'node:timers/promises';
import type pg from 'pg';
import { AppendQueue, type Waiting } from './append-queue.ts';
import { int4Array, int8Array, textArray, uuidArray } from './binary-array.ts';
import { type Append, type AppendResult, StoreUnavailable, splitStream } from './port.ts';
import { Reconnecting } from './postgres-connection.ts';
import { failureOf, messageOf, unavailable } from './postgres-errors.ts';
import { APPEND_FUNCTION, createSchema, schemaOf } from './postgres-schema.ts';
import { bytesOfAll, keysTwiceIn, whyRejected } from './rejection.ts';

/** Groups after one with an odd append: odd ones seldom come alone. */
const JUDGED_AFTER_ODD = 16;

/** Beyond this many waiting events an append is refused at once. */
export const WAITING_EVENTS_MAX = 50_000;

/**
 * The server's own limits are shorter than ours, so that a slow group ends there, with a certain outcome.
 * Read committed: under repeatable read the snapshot would be older than the lock (rule 4). An answer is durable:
 * an asynchronous commit, if that is the server's default, is made synchronous.
 */
const SESSION = `
  set statement_timeout = '10s'; set lock_timeout = '5s'; set idle_in_transaction_session_timeout = '10s';
  set default_transaction_isolation = 'read committed';
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`;

/** A row of the writing function: number of the append (0 for the base), verdict, position or head, keys. */
type Row = readonly [number, string, string, string[] | null];

export class GroupAppender {
  readonly #queue = new AppendQueue();
  readonly #connection: Reconnecting;
  readonly #statement: string;
  readonly #answerMsMax: number;
  #running: Promise<void> | null = null;
  #closed = false;
  /** So many of the next groups are judged before they are written. */
  #toJudge = 0;

  /** Told of each append that was written, in the order of positions. */
  readonly #onWritten: (append: Append, position: bigint) => void;
  readonly #onGroup: (appends: number) => void;

  constructor(
    config: pg.ClientConfig,
    namespace: string,
    answerMsMax: number,
    onWritten: (append: Append, position: bigint) => void,
    onGroup: (appends: number) => void,
  ) {
    this.#onWritten = onWritten;
    this.#onGroup = onGroup;
    this.#connection = new Reconnecting(config, async (client) => {
      await client.query(SESSION);
      await createSchema(client, namespace);
    });
    this.#statement = `select append, verdict, value, keys
      from ${schemaOf(namespace)}.${APPEND_FUNCTION}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;
    this.#answerMsMax = answerMsMax;
  }

  /** Connects and makes the schema. Rejects with StoreUnavailable where that cannot be done. */
  async start(): Promise<void> {
    try {
      await this.#connection.open();
    } catch (error) {
      throw unavailable(error);
    }
  }

  async append(append: Append): Promise<AppendResult> {
    if (this.#closed) throw new StoreUnavailable('unwritten', 'the store is closed');
    const reason = whyRejected(append);
    if (reason !== null) return { status: 'rejected', reason };
    const twice = keysTwiceIn(append.events);
    if (twice.length > 0) return { status: 'duplicate_keys', keys: twice };
    if (this.#queue.events + append.events.length > WAITING_EVENTS_MAX) {
      throw new StoreUnavailable('unwritten', `more than ${WAITING_EVENTS_MAX} events are waiting`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<AppendResult>();
    this.#queue.add({ append, bytes: bytesOfAll(append.events), resolve, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Waits for the group in flight; what was not sent is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    refuse(this.#queue.drain(), new StoreUnavailable('unwritten', 'the store is closed'));
    this.#connection.cancel();
    await this.#running;
    await this.#connection.close();
  }

  /** A turn of the event loop before each group lets the appends that arrive or follow in that turn join it. */
  async #run(): Promise<void> {
    await turn();
    while (this.#queue.isReady) {
      await this.#write(this.#queue.take());
      await turn();
    }
    this.#running = null;
  }

  /** Answers every append of the group. Never rejects. */
  async #write(group: readonly Waiting[]): Promise<void> {
    try {
      await this.#connection.open();
    } catch (error) {
      const away = unavailable(error);
      refuse(this.#queue.drain(), away);
      this.#refuseTaken(group, away);
      return;
    }
    try {
      const rows = await this.#send(group);
      settle(group, rows, this.#onWritten);
      this.#toJudge = rows.length > 1 ? JUDGED_AFTER_ODD : Math.max(0, this.#toJudge - 1);
      this.#onGroup(group.length);
      for (const waiting of group) this.#queue.done(waiting);
    } catch (error) {
      await this.#failed(group, error);
    }
  }

  async #send(group: readonly Waiting[]): Promise<readonly Row[]> {
    const { client, destroy } = await this.#connection.open();
    const timer = setTimeout(destroy, this.#answerMsMax);
    try {
      const query = {
        name: APPEND_FUNCTION,
        text: this.#statement,
        values: [...parameters(group), this.#toJudge > 0],
        rowMode: 'array',
      };
      return (await client.query<[...Row]>(query as pg.QueryArrayConfig)).rows;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Rule 5: a value that Postgres refuses is found by trying each alone; a lost answer leaves all unknown. */
  async #failed(group: readonly Waiting[], error: unknown): Promise<void> {
    const failure = failureOf(error);
    if (failure === 'data') {
      const [only, ...others] = group;
      if (only && others.length === 0) {
        only.resolve({ status: 'rejected', reason: messageOf(error) });
        this.#queue.done(only);
      } else {
        for (const waiting of group) await this.#write([waiting]);
      }
      return;
    }
    if (failure !== 'rolled_back') this.#connection.drop();
    const outcome = failure === 'lost' ? 'unknown' : 'unwritten';
    this.#refuseTaken(
      group,
      new StoreUnavailable(outcome, `the append failed: ${messageOf(error)}`, { cause: error }),
    );
  }

  #refuseTaken(group: readonly Waiting[], error: StoreUnavailable): void {
    for (const waiting of group) this.#queue.done(waiting);
    refuse(group, error);
  }
}

function refuse(all: readonly Waiting[], error: StoreUnavailable): void {
  for (const waiting of all) waiting.reject(error);
}

function parameters(group: readonly Waiting[]): unknown[] {
  const numbers: number[] = [];
  const streams: string[] = [];
  const revisions: number[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const keys: (string | null)[] = [];
  const data: string[] = [];
  const meta: string[] = [];
  let number = 0;
  for (const { append } of group) {
    number++;
    let revision = append.expected;
    for (const event of append.events) {
      numbers.push(number);
      streams.push(append.stream);
      revisions.push(++revision);
      ids.push(event.id);
      types.push(event.type);
      keys.push(event.key);
      data.push(event.data);
      meta.push(event.meta);
    }
  }
  return [
    textArray(group.map(({ append }) => append.stream)),
    int8Array(group.map(({ append }) => append.expected)),
    int4Array(numbers),
    textArray(streams),
    int8Array(revisions),
    uuidArray(ids),
    textArray(types),
    textArray(keys),
    textArray(data),
    textArray(meta),
    categoriesOf(group),
  ];
}

const NOTIFICATION_CHARACTERS_MAX = 1000;

/** What the notification says: the group's categories; nothing where they are too many for it. */
function categoriesOf(group: readonly Waiting[]): string {
  const categories = new Set(group.map(({ append }) => splitStream(append.stream).category));
  const text = [...categories].join(',');
  return text.length > NOTIFICATION_CHARACTERS_MAX || text.split(',').length !== categories.size ? '' : text;
}

/** The written ones, which have no row, took the positions after the base in their order. */
function settle(
  group: readonly Waiting[],
  rows: readonly Row[],
  onWritten: (append: Append, position: bigint) => void,
): void {
  const odd = new Map(rows.map((row) => [row[0], row]));
  const base = odd.get(0);
  if (!base) throw new Error('a group was answered without its base');
  let position = BigInt(base[2]);
  group.forEach(({ append, resolve }, index) => {
    const row = odd.get(index + 1);
    if (row) {
      resolve(oddResult(row));
    } else {
      position += BigInt(append.events.length);
      onWritten(append, position);
      resolve({ status: 'appended', position });
    }
  });
}

function oddResult([, verdict, value, keys]: Row): AppendResult {
  if (verdict === 'identical') return { status: 'appended', position: BigInt(value) };
  if (verdict === 'duplicate_keys') return { status: 'duplicate_keys', keys: keys ?? [] };
  return { status: 'conflict', actual: Number(value) };
}
